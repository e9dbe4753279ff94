"""`reconciler watch`: poll the account and report each change once. Reads only."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace

from reconciler.apply.clock import Clock, SystemClock, pause
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import command_line
from reconciler.model.errors import ApiError, IncompleteListing, InvalidConfig, KeyRefused
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import address
from reconciler.model.settings import Settings
from reconciler.model.status import ConditionType, EndpointInfo, Happening, ReplicaEvent
from reconciler.model.text import closest_match
from reconciler.novita.account import AccountReader
from reconciler.planning.leases import running_leases
from reconciler.workflow.endpoints import leased, load_inventory_leniently
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import valid_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchUpdate:
    """The result of one poll: the endpoints by name, and the events since the previous poll.

    If a poll failed, `endpoints` are those of the previous one. `problem` is set for the first of several
    failures with the same cause.
    """

    endpoints: tuple[EndpointInfo, ...]
    events: tuple[ReplicaEvent, ...] = ()
    problem: Problem | None = None


def watch(
    context: Context,
    *,
    settings: Settings | None = None,
    name: str | None = None,
    every: float | None = None,
    within: float | None = None,
    initial: bool = False,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> Generator[WatchUpdate, None, None]:
    """Poll every `every` seconds (default: `poll_interval`), for `within` seconds or until `stop` is set.

    settings: default: those of config.yaml. name: watch only this name or ID, which need not exist yet.
    initial: yield an event for each endpoint of the first poll. The first poll must succeed; a later failure
    is yielded as a problem, and the poll is repeated. Raise KeyRefused and InvalidConfig.
    """
    settings = settings or valid_settings(context, lenient=True)
    stop, clock = stop or threading.Event(), clock or SystemClock()
    every = settings.poll_interval if every is None else every
    if every <= 0:
        raise InvalidConfig(_no_interval(every))
    end = None if within is None else clock.now() + within
    with reader(context, settings) as account:
        names: list[str] = []
        current = _poll(account, (), context, name, names)
        first_events = tuple(event_of(info, Happening.PRESENT) for info in current) if initial else ()
        missing = None if current else _missing(context, name, names)
        yield WatchUpdate(endpoints=current, events=first_events, problem=missing)
        failure = ""
        while (delay := every if end is None else min(every, end - clock.now())) > 0:
            pause(clock, delay, stop)
            if stop.is_set():
                return
            try:
                latest = _poll(account, current, context, name, [])
            except KeyRefused:
                raise
            except (ApiError, IncompleteListing) as error:
                is_new, failure = error.problem.code != failure, error.problem.code
                yield WatchUpdate(endpoints=current, problem=error.problem if is_new else None)
                continue
            yield WatchUpdate(endpoints=latest, events=events_between(current, latest))
            current, failure = latest, ""


def _no_interval(every: float) -> Problem:
    return Problem(
        code="bad-interval",
        summary=f"poll_interval must be more than 0 seconds, not {every:g}",
        hint="omit it to use `novita.poll_interval` (default: 10 seconds)",
    )


def _missing(context: Context, name: str | None, names: Sequence[str]) -> Problem | None:
    """Return a note that nothing in the account has the watched name, or matches --target."""
    if name is None:
        errors = context.selection.unmatched(names)
        return replace(errors[0], severity=Severity.NOTE) if errors else None
    close = closest_match(name, dict.fromkeys(names))
    return Problem(
        code="not-found",
        severity=Severity.NOTE,
        summary=f"there is no endpoint `{name}` in the account; the watch shows it when it is created",
        hint=f"did you mean `{close}`?"
        if close
        else f"{command_line('reconciler', 'list')}   shows all endpoints",
        address=address(name),
    )


def _poll(
    account: AccountReader,
    before: tuple[EndpointInfo, ...],
    context: Context,
    name: str | None,
    names: list[str],
) -> tuple[EndpointInfo, ...]:
    """Return the watched endpoints. One that the listing lacks is read singly before it counts as gone.

    The names of all live endpoints are added to `names`. An endpoint that was watched before stays so after a
    rename.
    """
    known_ids = {info.id for info in before}
    listed = list_complete(account, known_ids).endpoints
    names += (live.name for live in listed)
    leases = running_leases(load_inventory_leniently(context)[0], context.now())
    watched = (
        leased(ENDPOINT.endpoint_info(live), leases)
        for live in listed
        if live.id in known_ids
        or (context.selection.has(live.name) and (name is None or name in (live.name, live.id)))
    )
    return tuple(_by_name(watched))


def events_between(before: Iterable[EndpointInfo], now: Iterable[EndpointInfo]) -> tuple[ReplicaEvent, ...]:
    """Return at most one event for each endpoint: deleted ones first, then by name.

    Endpoints are identified by ID, so that one which was deleted and created again has two events.
    """
    old, new = ({info.id: info for info in infos} for infos in (before, now))
    deleted = [event_of(info, Happening.DELETED) for info in _by_name(old.values()) if info.id not in new]
    others = (
        event_of(info, *happenings)
        for info in _by_name(new.values())
        if (happenings := _happenings(old.get(info.id), info))
    )
    return (*deleted, *others)


def event_of(info: EndpointInfo, *happenings: Happening) -> ReplicaEvent:
    """Return the event of an endpoint with its current status."""
    return ReplicaEvent(
        name=info.name,
        desired_replicas=info.desired_replicas,
        ready_replicas=info.ready_replicas,
        available_replicas=info.available_replicas,
        conditions=info.conditions,
        id=info.id,
        status=info.status,
        message=info.message,
        happenings=happenings,
        lease=info.lease,
    )


def _happenings(before: EndpointInfo | None, now: EndpointInfo) -> tuple[Happening, ...]:
    happenings = []
    if before is None:
        happenings.append(Happening.CREATED)
    elif (before.min_replicas, before.max_replicas) != (now.min_replicas, now.max_replicas):
        happenings.append(Happening.SCALED)
    if now.is_settled and not (before and before.is_settled):
        happenings.append(Happening.READY)
    if now.has_condition(ConditionType.FAILED) and not (
        before and before.has_condition(ConditionType.FAILED)
    ):
        happenings.append(Happening.FAILED)
    elif _failed_workers(now) - (_failed_workers(before) if before else set()):
        happenings.append(Happening.WORKER_FAILED)
    if not happenings and before is not None and _reported(before) != _reported(now):
        happenings.append(Happening.CHANGED)
    return tuple(happenings)


def _failed_workers(info: EndpointInfo) -> set[str]:
    """Return the IDs of the workers that failed and that Novita gives a reason for."""
    return {worker.id for worker in info.workers if worker.has_failed and worker.message}


def _reported(info: EndpointInfo) -> tuple[object, ...]:
    """Return what an event reports, so that a difference in it is a change."""
    return info.name, info.status, info.ready_replicas, info.available_replicas, info.conditions


def _by_name(infos: Iterable[EndpointInfo]) -> list[EndpointInfo]:
    return sorted(infos, key=lambda info: (info.name, info.id))
