"""Guards: checks that block an apply until the user agrees. The plan is shown all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.plan import Adopt, Change, Create, Delete, Forget, NoOp, Replace, Scale, Update
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import ENDPOINT, Live, Tracked
from reconciler.model.settings import Allowances, Environment
from reconciler.model.text import quantity

SHOWN: Final = 5
"""Names (count) in one problem."""

SHARE, FLOOR = 0.30, 10
"""More than 30 % of at least ten tracked endpoints, the threshold that octoDNS settled on."""

NO_OWNERS: Final[Mapping[str, str]] = MappingProxyType({})
"""No other environment records an endpoint."""


def guards(
    changes: Sequence[Change],
    owners: Mapping[str, str] = NO_OWNERS,
    *,
    declared: int,
    tracked: int,
    allow: Allowances,
    again: str = "",
    live: Iterable[Live] = (),
) -> Iterator[Problem]:
    """Yield an error for each guard that these changes trip.

    `owners` are the environments of endpoints that others record, by ID; `foreign_guards` is about these.
    `declared` and `tracked` count endpoints before any selection. `again` is the command that agrees to
    delete endpoints that were only adopted by name. `live` are the endpoints of the account.
    """
    every_removal = [change for change in changes if isinstance(change, Delete | Replace)]
    removals = [change for change in every_removal if not _is_part_of_rotation(change)]
    if allow.no_replace:
        yield from _replacements(removals)
    if allow.no_disruption:
        from reconciler.planning.review.disruption import disruptions

        yield from disruptions(changes)
    yield from _protected(removals, is_destroy=allow.is_destroy)
    yield from _only_adopted(every_removal, allow, again)
    yield from _adoptions(_without_foreign(changes, owners), allow)
    if any(change.kind != ENDPOINT for change in changes):
        from reconciler.planning.dependencies.data_loss import data_loss_problems
        from reconciler.planning.dependencies.other_users import other_users

        live = tuple(live)
        yield from data_loss_problems(changes, live, allow.storage_deletes)
        yield from other_users(changes, live)
    if allow.is_destroy:
        return
    if not removals:
        return
    agreed = allow.deletes == len(removals)
    if allow.deletes is not None and not agreed:
        yield _guard(
            code="allow-delete-mismatch",
            summary=f"--allow-delete {allow.deletes} does not match the {len(removals)} deletes and replaces",
            hint=f"read the plan again; if it is intended, pass --allow-delete {len(removals)}",
        )
    elif agreed:
        return
    elif not declared and tracked:
        yield _guard(
            code="empty-desired-set",
            summary=f"nothing is declared, and the inventory holds {quantity(tracked, 'resource')}",
            hint="to delete all of them, use `reconciler destroy`, or pass "
            f"--allow-delete {len(removals)}; otherwise check -C and -f",
        )
    elif tracked >= FLOOR and len(removals) > SHARE * tracked:
        yield _guard(
            code="too-many-deletes",
            summary=f"{len(removals)} of {tracked} recorded resources would be deleted or replaced, "
            f"more than {SHARE:.0%}",
            hint=f"if it is intended, pass --allow-delete {len(removals)}",
        )


def _is_part_of_rotation(change: Delete | Replace) -> bool:
    """Return True for a rotation and for the delete that an earlier one left: nothing is lost by either."""
    if isinstance(change, Replace):
        return change.is_rotation
    return change.tracked.is_deposed and KINDS[change.kind].creates_first


def environment_guards(
    changes: Sequence[Change],
    environment: Environment,
    records: Mapping[str, Tracked],
    *,
    is_imperative: bool,
) -> Iterator[Problem]:
    """Yield an error if a `destroy` or a `delete` would delete what belongs to a protected environment.

    An apply deletes an endpoint that is no longer declared, after the change of the files was reviewed.
    """
    deletes = [change for change in changes if isinstance(change, Delete)]
    lift = f"or set `protected: false` for `{environment.name}` in config.yaml first"
    if not is_imperative:
        yield _guard(
            code="protected-environment",
            summary=f"the environment `{environment.name}` is protected, and `destroy` would delete"
            f" {quantity(len(deletes), 'endpoint')}",
            hint=f"remove endpoints from the files and apply that, {lift}",
        )
        return
    for change in deletes:
        record = records.get(change.name)
        if record is not None and record.origin == "declared":
            yield _guard(
                code="protected-environment",
                summary=f"the environment `{environment.name}` is protected,"
                f" and `{change.name}` belongs to it",
                hint=f"remove the endpoint from the files and apply that, {lift}",
                address=change.address,
            )


def _replacements(removals: Sequence[Delete | Replace]) -> Iterator[Problem]:
    for change in removals:
        if isinstance(change, Replace):
            yield _guard(
                code="would-replace",
                summary=f"`{change.name}` would be replaced, which --no-replace refuses: {change.reason}",
                hint="undo that change, or leave out --no-replace",
                address=change.address,
                change=change,
            )


def _without_foreign(changes: Sequence[Change], owners: Mapping[str, str]) -> Sequence[Change]:
    """Return the changes without adoptions from other environments, which no option allows."""
    return [one for one in changes if not (isinstance(one, Adopt) and one.live.id in owners)]


def foreign_guards(
    changes: Sequence[Change], records: Iterable[Tracked], owners: Mapping[str, str]
) -> Iterator[Problem]:
    """Yield an error for each change of an endpoint that another environment records, or both record.

    `owners` are the environments of such endpoints, by ID.
    """
    if not owners:
        return
    own_ids = {record.id for record in records}
    for change in changes:
        live: Live | None = getattr(change, "live", None)
        if live is None or live.id not in owners or isinstance(change, (NoOp, Forget)):
            continue
        yield foreign_guard(change.name, live.id, owners[live.id], change, is_recorded=live.id in own_ids)


def foreign_guard(
    name: str, object_id: str, owner: str, change: Change | None = None, *, is_recorded: bool = False
) -> Problem:
    """Return the guard of an endpoint that the environment `owner` records; is_recorded: so does this one."""
    forget = command_line("reconciler", "state", "rm", Operand(name))
    elsewhere = f"-e {owner} changes it there"
    return _guard(
        code="other-environment",
        summary=f"`{name}` ({object_id}) belongs to the environment `{owner}`",
        hint=f"{elsewhere}; if it stays there, `{forget}` drops its record here"
        if is_recorded
        else "choose another name: in the YAML, or for all endpoints of this environment with `name` in"
        f" config.yaml; {elsewhere}",
        address=change.address if change else None,
        change=change,
    )


def _protected(removals: Sequence[Delete | Replace], *, is_destroy: bool) -> Iterator[Problem]:
    for change in removals:
        match change:
            case Replace() if change.desired.lifecycle.prevent_destroy or change.tracked.prevent_destroy:
                verb = "replaced"
                hint = "undo the change that forces the replacement; to lift the protection, apply "
                hint += "`preventDestroy: false` by itself first"
            case Delete() if change.tracked.prevent_destroy and is_destroy:
                verb = "deleted"
                hint = "set `lifecycle: {preventDestroy: false}` in its YAML and apply that first"
            case Delete() if change.tracked.prevent_destroy:
                verb = "deleted"
                hint = "declare it again; to delete it, apply it with `preventDestroy: false` first"
            case _:
                continue
        yield _guard(
            code="prevent-destroy",
            summary=f"`{change.key}` has preventDestroy and would be {verb}",
            hint=hint,
            address=change.address,
            change=change,
        )


def _only_adopted(removals: Sequence[Delete | Replace], allow: Allowances, again: str) -> Iterator[Problem]:
    """Yield a guard for endpoints that were only adopted by name: another repository may own them."""
    adopted = [change for change in removals if change.tracked.adopted]
    if not adopted or allow.adopted:
        return
    it, was = ("it", "it was") if len(adopted) == 1 else ("them", "they were")
    is_declared = any(isinstance(change, Replace) for change in adopted)
    yield _guard(
        code="adopted-only",
        summary=f"{_named(adopted)} would be deleted or replaced, and {was} not created from this inventory, "
        "only adopted by name",
        hint=f"if the inventory was lost, or nobody else uses {it}, agree with: {again}; "
        f"if another repository owns {it}, {'declare another name here, and ' if is_declared else ''}"
        f"forget it with: {_forget_command(adopted)}",
        address=adopted[0].address if len(adopted) == 1 else None,
        change=adopted[0] if len(adopted) == 1 else None,
    )


def _named(changes: Sequence[Change]) -> str:
    names = ", ".join(f"`{change.key}`" for change in changes[:SHOWN])
    return names + (f" and {len(changes) - SHOWN} more" if len(changes) > SHOWN else "")


def _forget_command(changes: Sequence[Delete | Replace]) -> str:
    return command_line("reconciler", "state", "rm", *(Operand(change.key) for change in changes[:SHOWN]))


def adoption_notes(changes: Sequence[Change], owners: Mapping[str, str] = NO_OWNERS) -> Iterator[Problem]:
    """Yield notes about endpoints that are adopted by name, and about protection that ends."""
    changes = _without_foreign(changes, owners)
    by_name = [change for change in changes if isinstance(change, Adopt) and change.is_by_name]
    if by_name:
        was, is_ = ("was", "is") if len(by_name) == 1 else ("were", "are")
        yield Problem(
            code="adopted-by-name",
            severity=Severity.NOTE,
            summary=f"{_named(by_name)} {was} not created from this inventory, and {is_} recorded "
            "by name alone",
            hint="if another repository declares the same, choose another name; to confirm that it is yours, "
            "pass --adopt",
        )
    for change in changes:
        if not isinstance(change, NoOp | Update | Scale) or change.desired.is_partial:
            continue
        if change.tracked.prevent_destroy and not change.desired.lifecycle.prevent_destroy:
            is_lifted = isinstance(change, NoOp)
            what = (
                "ends with this apply"
                if is_lifted
                else "remains until an apply changes nothing else about it"
            )
            yield Problem(
                code="protection",
                severity=Severity.NOTE,
                summary=f"`{change.name}` is declared without preventDestroy: its protection {what}",
                address=change.address,
                place=change.desired.place,
            )


def _adoptions(changes: Sequence[Change], allow: Allowances) -> Iterator[Problem]:
    for change in changes:
        if not isinstance(change, Adopt) or not change.fields:
            continue
        table = KINDS[change.kind].table
        fixed = [table.label(field.path) for field in change.fields if field.forces_replacement]
        if fixed:
            yield _guard(
                code="adopt-would-replace",
                summary=f"`{change.name}` exists as {change.live.id} and differs in fields that cannot "
                "be changed: " + ", ".join(fixed),
                hint="make the YAML equal to it in these fields, or choose another endpoint name",
                address=change.address,
                change=change,
            )
        elif not allow.adopt:
            yield _guard(
                code="adopt-would-overwrite",
                summary=f"`{change.name}` exists as {change.live.id}, was not created from here, and differs",
                hint="to overwrite it as declared, pass --adopt; to keep it as it is, change the YAML",
                address=change.address,
                change=change,
            )


def replica_range_errors(changes: Sequence[Change]) -> Iterator[Problem]:
    """Yield an error for each imperative change after which the minimum of workers exceeds the maximum."""
    for change in changes:
        if not isinstance(change, Scale | Update):
            continue
        worker = {**change.live.fields.get("workerConfig", {}), **change.target.get("workerConfig", {})}
        low, high = worker.get("minNum", 0), worker.get("maxNum", 0)
        if change.desired.is_partial and low > high:
            yield Problem(
                code="min-above-max",
                summary=f"`{change.name}` would have at least {low} workers and at most {high}",
                hint="say both: "
                + command_line("reconciler", "scale", Operand(change.name), "--min", "N", "--max", "N"),
                address=change.address,
            )


def unknown_value_errors(changes: Iterable[Change]) -> Iterator[Problem]:
    """Yield an error for each rollback that would create an endpoint without values that are not known."""
    for change in changes:
        if isinstance(change, Create) and change.desired.restores and change.desired.unset:
            paths = ", ".join(map(KINDS[change.kind].table.label, change.desired.unset))
            yield Problem(
                code="unknown-values",
                summary=f"`{change.name}` cannot be created as in version {change.desired.restores}:"
                f" the history does not have {paths}",
                detail="These values were secrets without a reference, which are not written to disk.",
                hint="declare the endpoint in the YAML with references, then run `reconciler apply`",
                address=change.address,
            )


def _guard(
    *, code: str, summary: str, hint: str, address: str | None = None, change: Change | None = None
) -> Problem:
    desired = getattr(change, "desired", None)
    fields = change.fields if change else ()
    # the caret stands at the field that forces a replacement, if one does
    cause = next((field.path for field in sorted(fields, key=lambda field: not field.forces_replacement)), ())
    return Problem(
        code=code,
        summary=summary,
        hint=hint,
        address=address,
        place=desired.place_of(cause) if desired else None,
        exit_code=ExitCode.GUARD,
    )
