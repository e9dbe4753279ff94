"""The fields of a resource before and after a change, and its ID."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Cause, Change, Create, Delete, FieldChange, Forget, NoOp, Replace
from reconciler.model.values import ABSENT, Fields
from reconciler.reports.terminal.values import in_reading_order


def fields_before_and_after(change: Change) -> tuple[Fields | None, Fields | None]:
    """Return the fields before and after a change; None if there is no resource, or if it is unknown."""
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
            return change.live.fields, _merged(
                KINDS[change.kind].table.objects, change.live.fields, change.target
            )


def _merged(objects: Collection[str], live: Fields, target: Fields) -> Fields:
    """Return the live fields overwritten by the target, also within objects."""
    merged = {**live, **target}
    for key in objects:
        # a test for `dict` first, because that for `Mapping` takes ten times as long
        if isinstance(live.get(key), dict | Mapping) and isinstance(target.get(key), dict | Mapping):
            merged[key] = {**live[key], **target[key]}
    return merged


def shown_fields(change: Change) -> list[FieldChange]:
    """Return the fields that reports show, in reading order. A create also has its spec, never sent."""
    spec_name = change.desired.spec_name if isinstance(change, Create) else ""
    return with_spec_name(change.fields, spec_name, change.kind)


def with_spec_name(fields: Iterable[FieldChange], spec_name: str, kind: str) -> list[FieldChange]:
    """Return the fields in reading order, with the name of the spec unless it is ""."""
    shown = list(fields)
    if spec_name:
        shown.append(
            FieldChange(path=("specName",), before=ABSENT, after=spec_name, cause=Cause.CONFIG, kind=kind)
        )
    return in_reading_order(shown)


def resource_id(change: Change) -> str:
    """Return the ID of the changed resource; "" if it does not exist yet."""
    live = getattr(change, "live", None)
    tracked = getattr(change, "tracked", None)
    return str(live.id if live else tracked.id if tracked else "")
