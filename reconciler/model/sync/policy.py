"""The policy of the controller: which changes it makes, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from reconciler.model.lazy_dataclass import dataclass


class DriftPolicy(StrEnum):
    """What the controller does about drift. ACCEPT_SCALE accepts worker counts, and reports the rest."""

    REPORT = "report"
    REVERT = "revert"
    ACCEPT_SCALE = "accept-scale"


class ApplyPolicy(StrEnum):
    """Whether the controller applies what the files declare by itself, or waits for an approval."""

    AUTO = "auto"
    MANUAL = "manual"


class WindowKind(StrEnum):
    """Whether changes are made only in a window, or not in it."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A recurring span of time. cron: when it begins; seconds: how long it lasts; tz: an IANA time zone."""

    kind: WindowKind
    cron: str
    seconds: float
    tz: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPolicy:
    """The policy of one endpoint. prune: delete what is no longer declared.

    windows: changes are made in an allow window if there is any, and never in a deny window.
    suspend_until: no change is made before this time.
    """

    drift: DriftPolicy = DriftPolicy.REPORT
    apply: ApplyPolicy = ApplyPolicy.MANUAL
    prune: bool = False
    windows: tuple[Window, ...] = ()
    suspend_until: datetime | None = None

    def merged(self, declared: Mapping[str, Any]) -> SyncPolicy:
        """Return the policy with the fields that a section `sync` declares, by the names of this class."""
        return replace(self, **declared) if declared else self


DEFAULT_SYNC: Final = SyncPolicy()
"""Changes are reported, and wait for an approval."""
