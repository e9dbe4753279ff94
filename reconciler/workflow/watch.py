"""The account looked at again and again: each change once, until told to stop. Reads only."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

from reconciler.apply.clock import Clock, SystemClock, pause
from reconciler.config.loader import load_settings
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import ApiError, IncompleteListing, InvalidConfig, KeyRefused
from reconciler.model.problem import Problem
from reconciler.model.settings import Settings
from reconciler.model.status import EndpointInfo, Happening, ReplicaEvent
from reconciler.novita.account import AccountReader
from reconciler.planning.status_events import event_of, events
from reconciler.workflow.runtime.account import list_complete, reader
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the account: what is there by name, and what has happened since the last one.

    Where it could not be read, `apps` are those of the last look; `problem` says why, unless that was said.
    """

    apps: tuple[EndpointInfo, ...]
    events: tuple[ReplicaEvent, ...] = ()
    problem: Problem | None = None


def looks(
    context: Context,
    *,
    settings: Settings | None = None,
    name: str | None = None,
    every: float | None = None,
    within: float | None = None,
    initial: bool = False,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> Generator[Look, None, None]:
    """Look every `every` seconds (else `poll_interval`), for `within` seconds or until `stop` is set.

    settings: those of config.yaml unless given; name: that name or ID alone, be it there yet or not; initial:
    what is there at first is an event as well. The first look must succeed, a later one that fails is told
    once and made again. Raises KeyRefused at any time, and InvalidConfig.
    """
    settings = settings or _settings(context)
    stop, clock = stop or threading.Event(), clock or SystemClock()
    every = settings.poll_interval if every is None else every
    if every <= 0:
        raise InvalidConfig(_no_interval(every))
    end = None if within is None else clock.now() + within
    with reader(context, settings) as account:
        seen = _apps(account, (), context, name)
        told = tuple(event_of(app, Happening.PRESENT) for app in seen) if initial else ()
        yield Look(apps=seen, events=told)
        trouble = ""
        while (left := every if end is None else min(every, end - clock.now())) > 0:
            pause(clock, left, stop)
            if stop.is_set():
                return
            try:
                now = _apps(account, seen, context, name)
            except KeyRefused:
                raise
            except (ApiError, IncompleteListing) as error:
                is_news, trouble = error.problem.code != trouble, error.problem.code
                yield Look(apps=seen, problem=error.problem if is_news else None)
                continue
            yield Look(apps=now, events=events(seen, now))
            seen, trouble = now, ""


def _no_interval(every: float) -> Problem:
    return Problem(
        code="bad-interval",
        summary=f"poll_interval must be more than 0 seconds, not {every:g}",
        hint="leave it out for `novita.poll_interval`, or 10 seconds",
    )


def _settings(context: Context) -> Settings:
    settings, faults = load_settings(
        context.root, environ=context.environ, dotenv=context.dotenv, lenient=True
    )
    if any(problem.is_error for problem in faults):
        raise InvalidConfig(*faults)
    return settings


def watch_replicas(
    context: Context,
    callback: Callable[[ReplicaEvent], object],
    *,
    settings: Settings | None = None,
    every: float | None = None,
    initial: bool = False,
    stop: threading.Event | None = None,
    clock: Clock | None = None,
) -> None:
    """The seed's WatchReplicas: tell `callback` of each change until `stop` is set."""
    for look in looks(context, settings=settings, every=every, initial=initial, stop=stop, clock=clock):
        for event in look.events:
            callback(event)


def _apps(
    account: AccountReader, before: tuple[EndpointInfo, ...], context: Context, name: str | None
) -> tuple[EndpointInfo, ...]:
    """What is there now; one of `before` that the listing lacks is asked for before it counts as gone.

    An endpoint that is watched stays so under another name.
    """
    known = {app.id for app in before}
    mine = (
        ENDPOINT.app_of(one)
        for one in list_complete(account, known).endpoints
        if one.id in known
        or (context.selection.has(one.name) and (name is None or name in (one.name, one.id)))
    )
    return tuple(sorted(mine, key=lambda app: (app.name, app.id)))
