"""References to other resources: each becomes an ID as soon as its resource has one.

When a plan is made, the resources of each kind are planned after those of the kinds that it needs. A
reference to a resource that exists and keeps its ID is resolved before the comparison. Any other one stays in
the plan, and is resolved from the inventory right before the requests of its change are built.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from reconciler.kinds.registry import KINDS
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Adopt, Change, NoOp, Replace, Scale, Update
from reconciler.model.resource import Desired, Inventory, Live
from reconciler.model.values import (
    Fields,
    Path,
    Reference,
    has_reference,
    nested,
    replace_references,
    value_at,
    with_path_from,
)
from reconciler.planning.selection import Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class Ids:
    """The IDs that references stand for.

    current: the ID of each resource that exists and keeps its ID. former: the IDs of objects that are
    replaced, or were replaced by a run that did not end.
    """

    current: Mapping[Reference, str] = field(default_factory=dict)
    former: Mapping[Reference, tuple[str, ...]] = field(default_factory=dict)

    def __or__(self, other: Ids) -> Ids:
        """Return the IDs of both."""
        return Ids(current={**self.current, **other.current}, former={**self.former, **other.former})


def references_of(desired: Desired) -> Iterator[tuple[Path, Reference]]:
    """Yield the references of a declaration that are not resolved, with their wire paths."""
    for path, _ in KINDS[desired.kind].links(desired.fields):
        value = value_at(desired.fields, path)
        if isinstance(value, Reference):
            yield path, value


def with_known_ids(desired: Desired, ids: Ids) -> Desired:
    """Return a declaration with the known IDs in place of its references, which it keeps as `references`."""
    references = tuple(references_of(desired))
    if not references:
        return desired
    fields = replace_references(desired.fields, lambda reference: ids.current.get(reference, reference))
    former = (object_id for _, reference in references for object_id in ids.former.get(reference, ()))
    return replace(desired, fields=fields, references=references, former_ids=tuple(former))


def ids_after(changes: Iterable[Change], inventory: Inventory, live: Iterable[Live]) -> Ids:
    """Return the IDs of resources of one kind when these changes are planned.

    A resource without a change, such as one that is not selected, has its recorded ID if that is live.
    """
    live_ids = {one.id for one in live if not one.is_terminating}
    former: dict[Reference, tuple[str, ...]] = {}
    current: dict[Reference, str] = {}
    for record in inventory.records.values():
        if record.is_deposed:
            reference = Reference(record.kind, record.called)
            former[reference] = (*former.get(reference, ()), record.id)
        elif record.id in live_ids:
            current[Reference(record.kind, record.name)] = record.id
    for change in changes:
        reference = Reference(change.kind, change.name)
        if isinstance(change, NoOp | Update | Scale | Adopt):
            current[reference] = change.live.id
            continue
        current.pop(reference, None)
        if isinstance(change, Replace):
            former[reference] = (*former.get(reference, ()), change.live.id)
    return Ids(current=current, former=former)


def recorded_ids(inventory: Inventory, kinds: Container[str] = ()) -> Ids:
    """Return the recorded IDs of resources that others may refer to, without those of `kinds`."""
    return Ids(
        current={
            Reference(kind, name): record.id
            for kind, part in inventory.others.items()
            for name, record in part.records.items()
            if kind not in kinds
        }
    )


def resolved_change(change: Change, find_id: Callable[[Reference], str | Reference]) -> Change:
    """Return a change with the IDs that `find_id` returns in place of its references."""
    desired = getattr(change, "desired", None)
    if desired is None or not desired.references:
        return change
    target = getattr(change, "target", {})
    if not (has_reference(desired.fields) or has_reference(target)):
        return change
    new: dict[str, Any] = {
        "desired": replace(desired, fields=replace_references(desired.fields, find_id)),
        "fields": tuple(
            replace(field, after=replace_references(field.after, find_id)) for field in change.fields
        ),
    }
    if target:
        new["target"] = replace_references(target, find_id)
    return replace(change, **new)


def planned_ids(change: Change) -> dict[str, str | None]:
    """Return the ID of each resource that a change refers to, by its address; None if it is not known."""
    ids: dict[str, str | None] = {}
    for path, reference in _references_of_change(change):
        value = value_at(_written(change), path)
        ids[reference.address] = value if isinstance(value, str) else None
    return ids


def unresolved_change(change: Change) -> Change:
    """Return a change with references in place of the IDs that were found for them."""
    new: dict[str, Any] = {}
    for part in ("desired", "target"):
        value = getattr(change, part, None)
        fields = value.fields if isinstance(value, Desired) else value
        if fields:
            for path, reference in _references_of_change(change):
                fields = with_path_from(fields, nested(path, reference), path)
            new[part] = replace(value, fields=fields) if isinstance(value, Desired) else fields
    return replace(change, **new)


def _references_of_change(change: Change) -> Sequence[tuple[Path, Reference]]:
    desired = getattr(change, "desired", None)
    return desired.references if desired else ()


def _written(change: Change) -> Fields:
    """Return the fields that a change writes."""
    desired = getattr(change, "desired", None)
    fields: Fields = getattr(change, "target", desired.fields if desired else {})
    return fields


def with_dependencies(selection: Selection, desired: Sequence[Desired]) -> Selection:
    """Return the selection with what its targets refer to, directly or not, as targets too."""
    if not selection.targets:
        return selection
    by_address = {one.address: one for one in desired}
    waiting = [one for one in desired if selection.of(one.kind).has(one.name)]
    found: dict[str, None] = {}
    while waiting:
        for _, reference in references_of(waiting.pop()):
            if reference.address not in found and reference.address in by_address:
                found[reference.address] = None
                waiting.append(by_address[reference.address])
    return replace(selection, targets=(*selection.targets, *found)) if found else selection
