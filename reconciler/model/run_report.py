"""What one run found and did: the one thing that every report is written from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.apply_events import Report
    from reconciler.model.drift import DriftReport
    from reconciler.model.plan import Plan
    from reconciler.model.problem import Problem
    from reconciler.model.values import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run at its end, for people and programs.

    command: as typed, such as `plan`; timestamp: RFC 3339, UTC; plan: None when there is none, and `problems`
    say why; report: how an apply ended; verdict: what `drift` makes of what moved. `problems` are all that is
    to be said, those of the plan included. `destroying`: nothing was wanted any more; `explained`: tell each
    change with its why, its rule and its calls.
    """

    command: str
    timestamp: str
    exit_code: int
    plan: Plan | None = None
    keyring: Keyring | None = None
    problems: tuple[Problem, ...] = ()
    report: Report | None = None
    verdict: DriftReport | None = None
    destroying: bool = False
    explained: bool = False
