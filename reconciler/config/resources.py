"""Declarations of other kinds than endpoints, which have sections of their own in the endpoint files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from reconciler.config import schema
from reconciler.config.overlays import Layer, LayerStack
from reconciler.config.references.interpolation import interpolate
from reconciler.config.references.resolver import Resolver
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, address, key_of
from reconciler.model.secrets import reveal
from reconciler.model.settings import NameTemplate
from reconciler.model.text import closest_match
from reconciler.model.values import Reference, replace_references
from reconciler.planning.dependencies.references import references_of
from reconciler.yamlfile.document import Document

if TYPE_CHECKING:
    from reconciler.config.endpoint_files import EndpointFiles

LayersByName: TypeAlias = MutableMapping[tuple[str, str], list[Layer]]
"""The layers of each resource, by type and name."""


def sections() -> Mapping[str, Kind]:
    """Return the kinds by their sections, without endpoints."""
    return {kind.section: kind for kind in KINDS.values() if kind is not ENDPOINT}


def read_sections(
    document: Document, layers: LayersByName, in_group: set[tuple[str, str]]
) -> Iterator[Problem]:
    """Add the items of a file to `layers`. Yield their problems; within a group, names are unique."""
    for section, kind in sections().items():
        items = document.data.get(section, [])
        if not isinstance(items, list):
            hint = f"start each item with `- {kind.key}: NAME`"
            yield _problem(document, "wrong-type", f"`{section}` must be a list", hint, (section,))
            continue
        for index, item in enumerate(items):
            name = item.get(kind.key) if isinstance(item, dict) else None
            path = (section, index)
            if not isinstance(name, str) or not name:
                hint = f"write `- {kind.key}: NAME`"
                yield _problem(
                    document, "missing-key", f"this item has no `{kind.key}`, its name", hint, path
                )
            elif (kind.type, name) in in_group:
                what = f"`{name}` is declared twice in `{section}`"
                yield _problem(document, f"duplicate-{kind.key}", what, "rename or remove one of them", path)
            else:
                in_group.add((kind.type, name))
                layers.setdefault((kind.type, name), []).append(Layer(document.source, item, path))


def add_inner_items(files: EndpointFiles) -> Iterator[Problem]:
    """Add the items that endpoints declare inside to `files.others`. Yield an error for each second one.

    Several endpoints may declare the same resource in the same words.
    """
    added: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = {}
    for endpoint, own in files.items.items():
        layers = (*files.defaults, *own)
        if not any(_has_inner(layer) for layer in layers):
            continue
        for field, type_, item in ENDPOINT.inner_items(LayerStack(layers).merged()):
            key = (type_, item[KINDS[type_].key])
            if key in added and added[key][1] == item:
                continue
            if key in files.others:
                other = added.get(key, ("",))[0]
                yield _declared_twice(key, field, endpoint, other, layers)
            else:
                added[key] = endpoint, item
                files.others[key] = list(_layers(layers, field, item))


def _has_inner(layer: Layer) -> bool:
    return not ENDPOINT.inner_fields.isdisjoint(layer.data)


def _layers(layers: Iterable[Layer], field: str, item: Mapping[str, Any]) -> Iterator[Layer]:
    """Yield the layers that have a part of the item, the last one with all of it."""
    parts = [layer for layer in layers if layer.data.get(field)]
    for layer in parts[:-1]:
        yield Layer(layer.source, {}, (*layer.path, field))
    yield Layer(parts[-1].source, item, (*parts[-1].path, field))


def _declared_twice(
    key: tuple[str, str], field: str, endpoint: str, other: str, layers: Iterable[Layer]
) -> Problem:
    type_, name = key
    place = LayerStack(tuple(layers)).positions.place((field,), key=True)
    where = f"by `{field}` of `{other}` with other values" if other else f"in `{KINDS[type_].section}`"
    return Problem(
        code="duplicate-name",
        summary=f"`{name}` is declared by `{field}` of `{endpoint}`, and {where}",
        hint=f"declare it once in `{KINDS[type_].section}:`, and write `imageAuth: {name}` in place of"
        f" `{field}`",
        address=address(endpoint),
        place=place and replace(place, text=""),  # the line may hold a secret
    )


def validate_resources(
    layers: Mapping[tuple[str, str], Sequence[Layer]], resolver: Resolver, names: NameTemplate
) -> tuple[tuple[Desired, ...], tuple[Problem, ...]]:
    """Return the resources without errors, in file order, and the problems of all.

    `names` gives the names that the resources have in the account.
    """
    desired: list[Desired] = []
    problems: list[Problem] = []
    for (type_, name), stack in layers.items():
        resource, new_problems = _validate(KINDS[type_], LayerStack(tuple(stack)), resolver, names)
        problems += (_addressed(problem, KINDS[type_], names.rendered(name)) for problem in new_problems)
        if resource is not None and not any(problem.is_error for problem in new_problems):
            desired.append(resource)
    for type_ in dict.fromkeys(resource.kind for resource in desired):
        problems += KINDS[type_].conflicts([resource for resource in desired if resource.kind == type_])
    return tuple(desired), tuple(problems)


def _addressed(problem: Problem, kind: Kind, name: str) -> Problem:
    """Return the problem of a resource. A line that may hold a secret is not quoted."""
    place = problem.place
    if place is not None and any(field in place.text for field in kind.secret_fields):
        place = replace(place, text="")
    return replace(problem, address=address(name, kind.type), place=place)


def _validate(
    kind: Kind, stack: LayerStack, resolver: Resolver, names: NameTemplate
) -> tuple[Desired | None, Sequence[Problem]]:
    resolved = interpolate(stack.merged(), stack.positions, resolver, kind)
    errors = tuple(_schema_errors(kind, reveal(resolved.item)))
    if errors:
        from reconciler.config.schema_errors import schema_problems

        return None, [*resolved.problems, *schema_problems(errors, stack.positions, key=kind.key)]
    item = {
        key: names.rendered(value) if key in (kind.key, "renamedFrom") else value
        for key, value in resolved.item.items()
    }
    desired, problems = kind.from_yaml(item, None, stack.positions.place)
    unset = tuple(path for name, *_ in resolved.unset for path in kind.table.wire_paths(str(name)))
    if desired is not None and unset:
        desired = replace(desired, unset=unset)
    return desired, [*resolved.problems, *problems]


def _schema_errors(kind: Kind, item: Any) -> Iterable[Any]:
    """Return the errors of jsonschema about an item, which is imported for an invalid one only."""
    if not kind.schema_definition:
        return schema.item_errors(kind.item_schema, item)
    if schema.is_valid("endpoints", item, kind.schema_definition):
        return ()
    return schema.validation_errors("endpoints", item, kind.schema_definition)


def _problem(document: Document, code: str, summary: str, hint: str, path: tuple[str | int, ...]) -> Problem:
    return Problem(code=code, summary=summary, hint=hint, place=document.place(path))


def with_names_in_account(desired: Desired, names: NameTemplate) -> Desired:
    """Return a declaration whose references have the names that `names` gives."""
    if not (names.changes_names and any(references_of(desired))):
        return desired

    def rendered(reference: Reference) -> Reference:
        return Reference(reference.type, names.rendered(reference.name))

    return replace(desired, fields=replace_references(desired.fields, rendered))


def unneeded_addresses(
    desired: Iterable[Desired],
    declared: Collection[tuple[str, str]],
    is_selected: Callable[[str], bool],
    names: NameTemplate,
) -> set[str]:
    """Return the addresses of `declared` resources that are not selected, and that none that is refers to."""
    addresses = (address(names.rendered(name), type_) for type_, name in declared)
    unneeded = {one for one in addresses if not is_selected(one)}
    if not unneeded:
        return unneeded
    by_address = {one.address: one for one in desired}
    waiting = [one for one in by_address.values() if is_selected(key_of(one.name, one.kind))]
    while waiting:
        for _, reference in references_of(waiting.pop()):
            if reference.address in unneeded:
                unneeded.discard(reference.address)
                waiting += filter(None, [by_address.get(reference.address)])
    return unneeded


def check_links(
    desired: Sequence[Desired], declared: Collection[tuple[str, str]], names: NameTemplate
) -> Iterator[Problem]:
    """Yield the problems of references. `declared` has the type and the declared name of all resources but
    endpoints, also of those that have errors of their own.
    """
    uses = [(user, path, reference) for user in desired for path, reference in references_of(user)]
    by_type_and_name = {(one.kind, one.name): one for one in desired} if uses else {}
    for user, path, reference in uses:
        used = by_type_and_name.get((reference.type, reference.name))
        if used is not None:
            problems = KINDS[reference.type].link_problems(user, path, used)
            yield from (replace(problem, address=user.address) for problem in problems)
            continue
        reference = Reference(reference.type, names.declared(reference.name) or reference.name)
        if (reference.type, reference.name) not in declared:
            yield replace(_unknown(reference, declared), address=user.address, place=user.place_of(path))


def _unknown(reference: Reference, declared: Collection[tuple[str, str]]) -> Problem:
    kind = KINDS[reference.type]
    names = sorted(name for type_, name in declared if type_ == reference.type)
    close = closest_match(reference.name, names)
    declare = f"declare it in `{kind.section}:` with `- {kind.key}: {reference.name}`"
    return Problem(
        code="unknown-reference",
        summary=f"`{reference.name}` is not declared in `{kind.section}`",
        hint=f"did you mean `{close}`?"
        if close
        else f"declared are: {', '.join(names)}"
        if names
        else declare,
    )
