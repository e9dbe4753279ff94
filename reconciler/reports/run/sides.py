"""A change as an endpoint sees it: what it was, what it will be, and the ID it goes by."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Change, Create, Delete, Forget, NoOp, Replace
from reconciler.model.values import Fields


def sides(change: Change) -> tuple[Fields | None, Fields | None]:
    """(the fields before, the fields after); None where there is no endpoint, or none that is known."""
    match change:
        case Create():
            return None, KINDS[change.kind].created_fields(change.desired)
        case Delete():
            return change.live.fields, None
        case Forget():
            return change.tracked.applied, None
        case NoOp():
            return change.live.fields, change.live.fields
        case Replace():
            return change.live.fields, KINDS[change.kind].created_fields(change.desired, change.target)
        case _:
            return change.live.fields, _carried(
                KINDS[change.kind].table.objects, change.live.fields, change.target
            )


def _carried(objects: Collection[str], live: Fields, target: Fields) -> Fields:
    """What an update leaves: the target, and below it what is live and not ours."""
    merged = {**live, **target}
    for key in objects:
        if isinstance(live.get(key), Mapping) and isinstance(target.get(key), Mapping):
            merged[key] = {**live[key], **target[key]}
    return merged


def id_of(change: Change) -> str:
    """The ID of the endpoint that is changed; "" when there is none yet."""
    live = getattr(change, "live", None)
    tracked = getattr(change, "tracked", None)
    return str(live.id if live else tracked.id if tracked else "")
