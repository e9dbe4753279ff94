"""Resources that endpoints declare inside of their items, such as the credential of a Waverless request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.config.endpoint_files import EndpointFiles
from reconciler.config.overlays import Layer, LayerStack
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.problem import Problem
from reconciler.model.resource import address


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
