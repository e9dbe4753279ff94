"""Variables that Waverless adds to the endpoints that it makes, and that no declared item has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Problem, Severity
from reconciler.model.text import quantity

if TYPE_CHECKING:
    from reconciler.model.plan import Change

_GLOBS: Final = ("WAVERLESS_*", "RUNPOD_*", "NOVITA_REGION", "NOVITA_PROVIDER", "PROVIDER_TYPE")

_ADDED: Final = re.compile(r"(WAVERLESS_|RUNPOD_)[A-Z0-9_]+|NOVITA_REGION|NOVITA_PROVIDER|PROVIDER_TYPE")


def waverless_notes(change: Change, removed: Sequence[str]) -> Iterator[Problem]:
    """Yield a note that names the variables of Waverless among the keys that a change removes."""
    keys = [key for key in removed if _ADDED.fullmatch(key)]
    if not keys:
        return
    globs = [glob for glob in _GLOBS if any(key.startswith(glob.removesuffix("*")) for key in keys)]
    ignored = ", ".join(f"env.{glob}" for glob in globs)
    count = quantity(len(keys), "variable")
    yield Problem(
        code="waverless-variables",
        severity=Severity.NOTE,
        summary=f"`{change.name}` loses {count} that Waverless added: {', '.join(keys)}",
        hint=f"to keep them, write `lifecycle: {{ignoreChanges: [{ignored}]}}`",
        address=change.address,
    )
