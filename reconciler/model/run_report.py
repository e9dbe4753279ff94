"""The results of one run, from which every report is written; and the checks of `doctor`."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from reconciler.model.command import add_shared_options
from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.model.apply_events import ApplyReport
    from reconciler.model.drift import DriftReport
    from reconciler.model.plan import Plan
    from reconciler.model.problem import Problem
    from reconciler.model.secrets import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """The results of one run, for all reports.

    command: the command, such as `plan`; timestamp: RFC 3339, UTC; plan: None if `problems` prevented it;
    problems: all problems, including those of the plan; report: the results of an apply; drift_report: the
    result of `drift`. `is_destroy`: the plan deletes all endpoints; `explained`: reports explain each change
    with its reason, rule and API calls. `environment`: that of the run, or "".
    """

    command: str
    timestamp: str
    exit_code: int
    plan: Plan | None = None
    keyring: Keyring | None = None
    problems: tuple[Problem, ...] = ()
    report: ApplyReport | None = None
    drift_report: DriftReport | None = None
    is_destroy: bool = False
    explained: bool = False
    environment: str = ""

    @property
    def title(self) -> str:
        """Return the command, with its environment: `plan (prod)`."""
        return f"{self.command} ({self.environment})" if self.environment else self.command


class CheckStatus(StrEnum):
    """The result of a check. A check is skipped mostly because an earlier one failed."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of `doctor`. `detail` is a clause without a full stop, `hint` says how to correct it."""

    name: str
    status: CheckStatus
    detail: str
    hint: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "hint", add_shared_options(self.hint))
