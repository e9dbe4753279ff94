"""The plan of all endpoints, from their declared, recorded and live sides. `decide` is this table:

declared  recorded  live                 change
yes       yes       yes, by its ID       by fields: none -> no-op; an immutable one -> replace;
                                         only worker counts -> scale; else update
yes       any       one of that name     adopt         (several: an error with all IDs)
yes       any       no                   create
no        yes       yes, by its ID       delete        (under another name, or released: forget)
no        yes       no                   forget
no        no        yes                  none; listed as unmanaged, never touched

An endpoint that an imperative command created is recorded; until it is declared, it counts as not recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.kinds.registry import KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.plan import (
    Adopt,
    Cause,
    Change,
    Create,
    Delete,
    Drift,
    Forget,
    NoOp,
    Plan,
    Replace,
    Scale,
    Update,
)
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Inventory, Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.planning.comparison import Comparison, compare
from reconciler.planning.matching import MatchedEndpoint, Matching, identity_conflicts
from reconciler.planning.renames import break_rename_cycles, names_of
from reconciler.planning.selection import EVERYTHING, Selection
from reconciler.planning.sync.schedules import due_reason
from reconciler.planning.unreadable import unread_problem

_REASONS: Final[Mapping[frozenset[Cause], str]] = {
    frozenset({Cause.IMPERATIVE}): "requested by the command",
    frozenset({Cause.DRIFT}): "changed outside of reconciler",
    frozenset({Cause.CONFIG}): "changed in the YAML",
    frozenset({Cause.FOLLOWS}): "follows a resource that is replaced",
}
"""The reason for an update whose fields all have one cause."""


def make_plan(
    desired: Sequence[Desired],
    inventory: Inventory,
    live: Iterable[Live],
    keyring: Keyring,
    selection: Selection = EVERYTHING,
    *,
    unwanted: str = "no longer declared",
    released: Collection[str] = (),
    unidentified: Iterable[Live] = (),
) -> Plan:
    """Return the plan that brings `live`, which must be the whole account, to `desired`.

    Its problems are those of the matching and of answers that cannot be read; guards and quotas are checked
    separately. `unwanted` is the reason for deletes. Endpoints that are `released` are only forgotten.
    `unidentified` are live endpoints without a readable ID.
    """
    matching = Matching.of(desired, inventory, live, unidentified)
    changes: list[Change] = []
    drift: list[Drift] = []
    unmanaged: list[Live] = []
    problems = [
        *selection.unmatched([*(endpoint.name for endpoint in desired), *inventory.records]),
        *matching.renames.problems,
        *identity_conflicts(desired, inventory),
    ]
    for endpoint in matching.endpoints(selection):
        comparison = compare(endpoint, keyring)
        change = decide(endpoint, comparison, unwanted, released)
        if endpoint.desired is None:
            if endpoint.live is not None and not (endpoint.is_taken or isinstance(change, Delete)):
                unmanaged.append(endpoint.live)
            if not selection.has(endpoint.name):
                continue
        if change is not None:
            changes.append(change)
        if comparison.drift is not None:
            drift.append(comparison.drift)
        if endpoint.problem is not None:
            problems.append(endpoint.problem)

    problems += _taken_app_names(changes, matching.by_id.values())
    unread = [
        (change, problem)
        for change in changes
        if (problem := unread_problem(change) or _cannot_adopt(change) or KINDS[change.kind].refusal(change))
    ]
    withheld = {change.name for change, problem in unread if problem.is_error}
    kept, notes = break_rename_cycles([change for change in changes if change.name not in withheld])
    return Plan(
        changes=tuple(sorted(kept, key=lambda change: change.name)),
        problems=(*problems, *notes, *(problem for _, problem in unread)),
        drift=tuple(sorted(drift, key=lambda one: one.name)),
        unmanaged=tuple(sorted(unmanaged, key=lambda one: (one.name, one.id))),
    )


def _cannot_adopt(change: Change) -> Problem | None:
    """Return an error for an adoption that would overwrite a resource of a kind without updates."""
    if not isinstance(change, Adopt) or not change.fields or KINDS[change.kind].can_update:
        return None
    return Problem(
        code="cannot-adopt",
        summary=f"`{change.name}` is {change.live.id} and differs from what is declared: "
        + ", ".join(KINDS[change.kind].table.label(field.path) for field in change.fields),
        detail="A resource of this kind cannot be changed in place, and this one was not created from here.",
        hint=_way_out(change),
        address=change.address,
        place=change.desired.place_of(change.fields[0].path),
    )


def _way_out(change: Adopt) -> str:
    if not KINDS[change.kind].creates_first:
        return "declare it as it is, or delete it in Novita Console"
    record = command_line("reconciler", "import", Operand(change.address), Operand(change.live.id))
    return f"{record}   records it, and the next apply replaces it; or declare another name"


def decide(
    endpoint: MatchedEndpoint, comparison: Comparison, unwanted: str, released: Collection[str]
) -> Change | None:
    """Return the change of one endpoint; None if there is none, or if nothing certain is known of it."""
    if endpoint.problem is not None and endpoint.problem.is_error:
        return None
    match endpoint.desired, endpoint.record, endpoint.gone, endpoint.live:
        case Desired() as desired, Tracked() as record, _, Live() as live:
            return _by_fields(desired, record, live, comparison)
        case Desired() as desired, None, gone, Live() as live:
            reason = "overwrites values that were set elsewhere"
            if not comparison.fields:
                reason = "already as declared; recorded by its name"
            return Adopt(
                name=desired.name,
                reason=_with_rollback(desired, reason),
                desired=desired,
                target=comparison.target,
                live=live,
                fields=comparison.fields,
                gone=gone,
            )
        case Desired() as desired, _, gone, None:
            reason = f"recorded as {gone.id}, which is gone" if gone else "does not exist yet"
            return Create(
                name=desired.name,
                reason=_with_rollback(desired, reason),
                desired=desired,
                fields=comparison.fields,
                gone=gone,
            )
        case None, Tracked(origin="declared") as record, _, Live() as live:
            return _undeclared(record, live, unwanted, released)
        case None, _, Tracked(origin="declared") as gone, _:
            return Forget(name=gone.name, reason=f"{gone.id} is gone already", tracked=gone)
        case _:  # unmanaged, or recorded by an imperative command
            return None


def _by_fields(desired: Desired, record: Tracked, live: Live, comparison: Comparison) -> Change:
    """Return the change of an endpoint that is declared, recorded and live."""
    if not comparison.fields:
        return NoOp(
            name=desired.name,
            reason="as declared",
            desired=desired,
            live=live,
            tracked=record,
            is_stale=comparison.is_stale,
        )
    common: dict[str, Any] = {
        "name": desired.name,
        "fields": comparison.fields,
        "desired": desired,
        "target": comparison.target,
        "live": live,
        "tracked": record,
    }
    if immutable := comparison.immutable_paths:
        paths = ", ".join(map(KINDS[desired.kind].table.label, immutable))
        rotates = KINDS[desired.kind].creates_first
        return Replace(
            reason=_with_rollback(desired, f"cannot be changed in place: {paths}"),
            create_first=rotates,
            is_rotation=rotates,
            **common,
        )
    if comparison.only_scales:
        is_due = comparison.causes == {Cause.TIME}
        reason = due_reason(desired) if is_due else "only the worker counts differ"
        return Scale(reason=_with_rollback(desired, reason), **common)
    reason = _REASONS.get(comparison.causes, "differs from what is declared")
    return Update(reason=_rollback(desired) or reason, **common)


def _rollback(desired: Desired) -> str:
    """Return the reason of a rollback; "" if the change is none."""
    return f"rollback to version {desired.restores}" if desired.restores else ""


def _with_rollback(desired: Desired, reason: str) -> str:
    """Return the reason, after that of a rollback."""
    return "; ".join(filter(None, (_rollback(desired), reason)))


def _undeclared(record: Tracked, live: Live, unwanted: str, released: Collection[str]) -> Delete | Forget:
    """Return the change of an endpoint that is recorded and live, but not declared."""
    if not names_of(record).isdisjoint(released):
        return Forget(name=record.name, reason="removed with `destroy: false`", tracked=record)
    if live.is_named and not record.may_have_name(live.name):
        reason = f"{record.id} is called `{live.name}` now; it is not deleted"
        return Forget(name=record.name, reason=reason, tracked=record, live_name=live.name)
    return Delete(name=record.name, reason=unwanted, live=live, tracked=record)


def _taken_app_names(changes: Iterable[Change], live: Iterable[Live]) -> Iterator[Problem]:
    """Yield an error for each replacement whose app name another endpoint keeps after the delete."""
    replacing = [change for change in changes if isinstance(change, Replace)]
    if not replacing:
        return
    deleted = {change.live.id for change in changes if isinstance(change, Replace | Delete)}
    owners = {str(other.fields.get("appName")): other for other in live if other.id not in deleted}
    for change in replacing:
        owner = owners.get(change.app_name)
        if owner is not None:
            yield Problem(
                code="app-name-taken",
                summary=f"`{change.name}` would be created again under the app name `{change.app_name}`,"
                f" which {owner.id} (`{owner.name}`) has and keeps",
                hint="declare another `appName` for it",
                address=change.address,
                place=change.desired.place_of(("appName",)),
            )
