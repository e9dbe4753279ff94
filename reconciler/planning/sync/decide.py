"""The decision about each change of a plan: made now, after an approval, or not at all. Pure.

cause of a field      what decides
config, both, ...     `apply`: auto -> now, manual -> after an approval
time                  now: it was approved with the lease or the schedule
drift                 `drift`: revert -> now, report -> not at all; accept-scale -> worker counts are accepted

A delete of what is no longer declared needs `prune` as well. Outside of its windows nothing of an endpoint is
changed, and neither while it waits after a failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import (
    Cause,
    Change,
    Create,
    Delete,
    FieldChange,
    Forget,
    NoOp,
    Plan,
    Replace,
    Scale,
    Update,
)
from reconciler.model.sync.policy import DEFAULT_SYNC, ApplyPolicy, DriftPolicy, SyncPolicy
from reconciler.model.values import Path
from reconciler.planning.sync.schedules import declared_counts, recorded_counts
from reconciler.planning.sync.windows import closed


class Verdict(StrEnum):
    """What happens to a change or a field: it is made now, after an approval, not at all, or accepted."""

    APPLY = "apply"
    WAIT = "wait"
    HOLD = "hold"
    ACCEPT = "accept"


REPORTED: Final = "it was changed outside of reconciler, and `drift: report` keeps it so"
NOT_PRUNED: Final = "it is no longer declared; it is deleted only with `prune: true`"
WAITS: Final = "it waits for an approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The decision about one change. fields: the verdict of each changed path.

    whole: the verdict of a change without fields, or of one that cannot be divided. why: the reason of a
    hold, in one line. unapproved: paths whose declaration nobody has approved yet, though they do not differ.
    """

    change: Change
    whole: Verdict | None = None
    fields: Mapping[Path, Verdict] = field(default_factory=dict)
    why: str = ""
    unapproved: tuple[Path, ...] = ()

    def has(self, verdict: Verdict) -> bool:
        """Return whether a part of the change has this verdict."""
        return verdict is self.whole if self.whole else verdict in self.fields.values()

    def kept_by(self, verdict: Verdict) -> tuple[Path, ...] | None:
        """Return the paths to leave alone if only the part with this verdict is made; None without one."""
        if not self.has(verdict):
            return None
        others = tuple(path for path, its in self.fields.items() if its is not verdict)
        return (*others, *self.unapproved) if verdict is Verdict.APPLY else others


def decide(
    changes: Iterable[Change],
    policy: Mapping[str, Any],
    now: datetime,
    waits: Mapping[str, str],
    *,
    refused: str = "",
) -> tuple[Decision, ...]:
    """Return the decisions about all changes but those that need none.

    policy: `sync` of the settings. waits: why an endpoint is left alone after a failure, by address.
    refused: why what the files have changed is not made, or "".
    """
    base = DEFAULT_SYNC.merged(policy)
    return tuple(
        _decision(change, base, now, waits.get(change.address, ""), refused)
        for change in changes
        if not isinstance(change, NoOp) or _is_refreshed(change, base)
    )


def _is_refreshed(change: NoOp, base: SyncPolicy) -> bool:
    """Return whether the record of an unchanged endpoint is brought up to date."""
    return change.is_stale and policy_of(change, base).apply is ApplyPolicy.AUTO


def policy_of(change: Change, base: SyncPolicy) -> SyncPolicy:
    """Return the policy of a change: that of its declaration over that of the settings."""
    return base if isinstance(change, Delete | Forget) else base.merged(change.desired.sync)


def without_accepted(plan: Plan, decisions: Iterable[Decision]) -> Plan:
    """Return the plan without the drift that is accepted."""
    accepted = {
        (one.change.address, path)
        for one in decisions
        for path, verdict in one.fields.items()
        if verdict is Verdict.ACCEPT
    }
    if not accepted:
        return plan
    drift = (
        replace(one, fields=tuple(field for field in one.fields if (one.address, field.path) not in accepted))
        for one in plan.drift
    )
    return replace(plan, drift=tuple(one for one in drift if one.fields or one.live is None))


def _decision(change: Change, base: SyncPolicy, now: datetime, waits: str, refused: str) -> Decision:
    policy = policy_of(change, base)
    shut = closed(policy, now)
    if why := waits or (shut.reason if shut else ""):
        return Decision(change=change, whole=Verdict.HOLD, why=why)
    if isinstance(change, Delete) and not (policy.prune or change.tracked.is_deposed):
        return Decision(change=change, whole=Verdict.HOLD, why=NOT_PRUNED)
    by_config = Verdict.APPLY if policy.apply is ApplyPolicy.AUTO else Verdict.WAIT
    if isinstance(change, Create) and change.gone is not None:
        is_reverted = policy.drift is DriftPolicy.REVERT
        whole = Verdict.APPLY if is_reverted else Verdict.HOLD
        return Decision(change=change, whole=whole, why="" if is_reverted else REPORTED)
    if isinstance(change, NoOp):
        return Decision(change=change, whole=Verdict.APPLY)
    if isinstance(change, Create | Delete | Forget) or not change.fields:
        if refused:
            return Decision(change=change, whole=Verdict.HOLD, why=refused)
        return Decision(change=change, whole=by_config, why=WAITS if by_config is Verdict.WAIT else "")
    verdicts = {one.path: _of_field(one, policy, by_config, bool(refused)) for one in change.fields}
    held = [one for one in change.fields if verdicts[one.path] is Verdict.HOLD]
    why = ""
    if Verdict.WAIT in verdicts.values():
        why = WAITS
    elif held:
        why = REPORTED if all(one.cause is Cause.DRIFT for one in held) else refused
    unapproved = _unapproved(change) if by_config is Verdict.WAIT else ()
    return Decision(change=change, fields=verdicts, why=why, unapproved=unapproved)


def _unapproved(change: Change) -> tuple[Path, ...]:
    """Return the worker counts if their declaration has changed without an effect yet, as a schedule may."""
    if not isinstance(change, Update | Scale | Replace) or change.kind != ENDPOINT.type:
        return ()
    counts = set(ENDPOINT.table.scaling)
    if any(one.path in counts for one in change.fields):
        return ()
    is_same = declared_counts(change.desired) == recorded_counts(change.tracked)
    return () if is_same else tuple(sorted(counts))


def _of_field(one: FieldChange, policy: SyncPolicy, by_config: Verdict, is_refused: bool) -> Verdict:
    if one.cause is Cause.DRIFT:
        if policy.drift is DriftPolicy.REVERT:
            return Verdict.APPLY
        is_scale = one.path in KINDS[one.kind].table.scaling
        return Verdict.ACCEPT if is_scale and policy.drift is DriftPolicy.ACCEPT_SCALE else Verdict.HOLD
    if one.cause is Cause.TIME:
        return Verdict.APPLY
    return Verdict.HOLD if is_refused else by_config
