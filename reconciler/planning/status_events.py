"""Events of the endpoints between two listings of an account."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model.status import ConditionType, EndpointInfo, Happening, ReplicaEvent


def events(before: Iterable[EndpointInfo], now: Iterable[EndpointInfo]) -> tuple[ReplicaEvent, ...]:
    """Return at most one event for each endpoint: deleted ones first, then by name.

    Endpoints are identified by ID, so that one which was deleted and created again has two events.
    """
    old, new = ({one.id: one for one in apps} for apps in (before, now))
    gone = [event_of(app, Happening.DELETED) for app in _by_name(old.values()) if app.id not in new]
    there = (
        event_of(app, *happenings)
        for app in _by_name(new.values())
        if (happenings := _happenings(old.get(app.id), app))
    )
    return (*gone, *there)


def event_of(app: EndpointInfo, *happenings: Happening) -> ReplicaEvent:
    return ReplicaEvent(
        name=app.name,
        desired_replicas=app.desired_replicas,
        ready_replicas=app.ready_replicas,
        available_replicas=app.available_replicas,
        conditions=app.conditions,
        id=app.id,
        status=app.status,
        message=app.message,
        happenings=happenings,
    )


def _happenings(before: EndpointInfo | None, now: EndpointInfo) -> tuple[Happening, ...]:
    found = []
    if before is None:
        found.append(Happening.CREATED)
    elif (before.min_replicas, before.max_replicas) != (now.min_replicas, now.max_replicas):
        found.append(Happening.SCALED)
    if now.is_settled and not (before and before.is_settled):
        found.append(Happening.READY)
    if now.has_condition(ConditionType.FAILED) and not (
        before and before.has_condition(ConditionType.FAILED)
    ):
        found.append(Happening.FAILED)
    if not found and before is not None and _told(before) != _told(now):
        found.append(Happening.CHANGED)
    return tuple(found)


def _told(app: EndpointInfo) -> tuple[object, ...]:
    return app.name, app.status, app.ready_replicas, app.available_replicas, app.conditions


def _by_name(apps: Iterable[EndpointInfo]) -> list[EndpointInfo]:
    return sorted(apps, key=lambda app: (app.name, app.id))
