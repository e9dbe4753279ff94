"""`reconciler scale --for` and `--end-lease`: goals that begin and end a lease, which the record keeps."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.loader import LoadedConfig
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, address
from reconciler.model.sync.lease import Lease
from reconciler.planning.imperative import ImperativeChange, ImperativeVerb
from reconciler.planning.leases import running_lease, with_lease
from reconciler.planning.sync.schedules import recorded_counts, with_schedule
from reconciler.workflow.imperative import (
    find_declared,
    find_record,
    imperative_goal,
    read_files,
    replace_declared,
)
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.context import Context


def lease_goal(context: Context, name: str, lease: Lease) -> tuple[Context, Goal]:
    """Return the goal that scales one declared endpoint until the lease is over.

    The first apply after that restores the declared counts. A running lease is replaced. Loading the goal
    raises InvalidConfig if no apply would end the lease.
    """

    def load(context: Context) -> LoadedConfig:
        loaded = read_files(context)
        declared = find_declared(loaded, name)
        if declared is None:
            raise InvalidConfig(_endless(name, "it is not declared"))
        ignored = declared.lifecycle.ignore
        if any(path[: len(prefix)] == prefix for prefix in ignored for path in ENDPOINT.table.scaling):
            raise InvalidConfig(_endless(name, "`ignoreChanges` excludes its worker counts from applies"))
        record = find_record(context, name)
        if record is None:
            raise InvalidConfig(_not_recorded(name))
        partial = Desired(
            name=name,
            app_name="",
            fields={},
            is_partial=True,
            find_place=declared.find_place,
            declared_counts=recorded_counts(record),
        )
        desired = with_lease(partial, lease)
        return replace_declared(loaded, desired, running_lease(desired, lease))

    return imperative_goal(context, load, ImperativeChange(name=name, verb=ImperativeVerb.CHANGE))


def end_lease_goal(context: Context, name: str) -> tuple[Context, Goal]:
    """Return the goal that restores the declared or scheduled worker counts before the lease is over."""

    def load(context: Context) -> LoadedConfig:
        loaded = read_files(context)
        record, declared = find_record(context, name), find_declared(loaded, name)
        if record is None or record.lease is None:
            raise InvalidConfig(_no_lease(name))
        desired = Desired(name=name, app_name="", fields={}, is_partial=True)
        if declared is not None:
            declared = with_schedule(declared, context.now())
            worker = declared.fields["workerConfig"]
            counts = {key: worker[key] for _, key in ENDPOINT.table.scaling}
            desired = replace(
                desired, fields={"workerConfig": counts}, declared_counts=declared.declared_counts
            )
        return replace_declared(loaded, desired)

    return imperative_goal(context, load, ImperativeChange(name=name, verb=ImperativeVerb.CHANGE))


def _endless(name: str, reason: str) -> Problem:
    return Problem(
        code="endless-lease",
        summary=f"`{name}` cannot have a lease: {reason}, so no apply would end it",
        hint="scale it without --for: "
        + command_line("reconciler", "scale", Operand(name), "--min", "N", "--max", "N"),
        address=address(name),
    )


def _not_recorded(name: str) -> Problem:
    return Problem(
        code="not-tracked",
        summary=f"`{name}` cannot have a lease: the inventory has no record of it",
        hint="reconciler apply   creates or adopts it",
        address=address(name),
    )


def _no_lease(name: str) -> Problem:
    return Problem(
        code="no-lease",
        summary=f"`{name}` has no lease",
        hint="reconciler plan   shows the running leases",
        address=address(name),
    )
