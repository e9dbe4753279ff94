"""Other worker counts than the YAML's, for a time: begun and ended by hand, kept in the record."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.loader import Loaded
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Lease, address
from reconciler.planning.imperative import Hand, Verb
from reconciler.planning.leases import running, under
from reconciler.workflow.imperative import Files, by_hand, declaration, from_files, only, recorded
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.context import Context


def lease_goal(
    context: Context, name: str, lease: Lease, *, files: Files = from_files
) -> tuple[Context, Goal]:
    """Scale one declared endpoint until the lease is over; the first apply after that undoes it.

    A lease that runs already gives way to this one. The goal raises InvalidConfig where nothing would end it.
    """

    def load(now: Context) -> Loaded:
        loaded = files(now)
        declared = declaration(loaded, name)
        if declared is None:
            raise InvalidConfig(_endless(name, "it is not declared"))
        ignored = declared.lifecycle.ignore
        if any(path[: len(one)] == one for one in ignored for path in ENDPOINT.scaling):
            raise InvalidConfig(_endless(name, "`ignoreChanges` keeps applies from its worker counts"))
        if recorded(now, name) is None:
            raise InvalidConfig(_unrecorded(name))
        ours = under(
            Desired(name=name, app_name="", fields={}, partial=True, find_place=declared.find_place), lease
        )
        return only(loaded, ours, running(ours, lease))

    return by_hand(context, load, Hand(name=name, verb=Verb.CHANGE))


def end_lease_goal(context: Context, name: str, *, files: Files = from_files) -> tuple[Context, Goal]:
    """Bring the worker counts back to what is declared, before the lease is over."""

    def load(now: Context) -> Loaded:
        loaded = files(now)
        record, declared = recorded(now, name), declaration(loaded, name)
        if record is None or record.lease is None:
            raise InvalidConfig(_no_lease(name))
        ours = Desired(name=name, app_name="", fields={}, partial=True)
        if declared is not None:
            worker = declared.fields["workerConfig"]
            ours = replace(ours, fields={"workerConfig": {key: worker[key] for _, key in ENDPOINT.scaling}})
        return only(loaded, ours)

    return by_hand(context, load, Hand(name=name, verb=Verb.CHANGE))


def _endless(name: str, why: str) -> Problem:
    return Problem(
        code="endless-lease",
        summary=f"`{name}` cannot have a lease: {why}, so nothing would end it",
        hint="scale it without --for: "
        + command_line("reconciler", "scale", Operand(name), "--min", "N", "--max", "N"),
        address=address(name),
    )


def _unrecorded(name: str) -> Problem:
    return Problem(
        code="not-tracked",
        summary=f"`{name}` cannot have a lease: the inventory has no record of it to keep the lease in",
        hint="reconciler apply   makes it, or takes it over",
        address=address(name),
    )


def _no_lease(name: str) -> Problem:
    return Problem(
        code="no-lease",
        summary=f"`{name}` has no lease",
        hint="reconciler plan   shows the leases that run",
        address=address(name),
    )
