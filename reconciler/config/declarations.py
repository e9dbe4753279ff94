"""The declarations of endpoints in the files, for commands that edit the files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config.endpoint_files import place_of_name, read_endpoint_files
from reconciler.config.files.discovery import file_groups, path_of_display
from reconciler.config.overlays import Layer, LayerStack
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import address, key_of
from reconciler.model.settings import NameTemplate
from reconciler.yamlfile.reader import gc_paused

if TYPE_CHECKING:
    from reconciler.model.values import DataPath


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceItem:
    """One item of one file. `path` leads to it in the data; `shown` is the file as the user knows it.

    `refusal` is the problem of an edit of an item that `matrix` has expanded, whose lines are those of all
    its endpoints.
    """

    file: Path
    shown: str
    path: DataPath
    refusal: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One resource as the YAML declares it, with references unresolved.

    merged: all fields; inherited: the fields below the last item, which is the one to edit; items: the items
    in merge order, one for each file that declares the endpoint.
    """

    merged: Mapping[str, Any]
    inherited: Mapping[str, Any]
    items: tuple[SourceItem, ...]


def read_declarations(
    root: Path,
    files: Sequence[Path],
    names: Collection[str],
    template: NameTemplate,
) -> Mapping[str, Declaration]:
    """Return the resources of these names or addresses that are declared, by them.

    `template` gives their names. Errors in the files are not reported; `load` reports them.
    """
    with gc_paused():
        content = read_endpoint_files(root, file_groups(root, files), names=template)
        found = {
            name: _declaration(root, name, content.defaults, layers)
            for name, layers in content.items.items()
            if name in names
        }
        others = {key_of(template.rendered(name), kind): own for (kind, name), own in content.others.items()}
        return found | {key: _declaration(root, key, (), own) for key, own in others.items() if key in names}


def _declaration(root: Path, name: str, defaults: Sequence[Layer], layers: Sequence[Layer]) -> Declaration:
    return Declaration(
        merged=LayerStack((*defaults, *layers)).merged(),
        inherited=LayerStack((*defaults, *layers[:-1])).merged(),
        items=tuple(_item(root, layer, name) for layer in layers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSource:
    """The item whose value of a field counts, and that value as it is written there, before `matrix`.

    The item is one of `endpoints` or the `defaults` of a file. Several endpoints may have the same source.
    """

    item: SourceItem
    text: Any
    place: Place | None


def read_field_sources(
    root: Path, files: Sequence[Path], field: str, template: NameTemplate
) -> Mapping[str, FieldSource]:
    """Return where a text field of each endpoint stands, by name; nothing for those without the field."""
    with gc_paused():
        content = read_endpoint_files(root, file_groups(root, files), names=template)
        sources: dict[str, FieldSource] = {}
        for name, layers in content.items.items():
            layer = next(
                (layer for layer in (*reversed(layers), *reversed(content.defaults)) if field in layer.data),
                None,
            )
            if layer is not None:
                path = (*layer.path, field)
                node = layer.source.node(path)
                sources[name] = FieldSource(
                    item=replace(_item(root, layer, name), refusal=None),
                    text=node.value if node is not None else None,
                    place=layer.source.place(path),
                )
        return sources


def _item(root: Path, layer: Layer, name: str) -> SourceItem:
    return SourceItem(
        file=path_of_display(layer.source.file, root),
        shown=layer.source.file,
        path=layer.path,
        refusal=_refusal(layer, name) if layer.combination else None,
    )


def _refusal(layer: Layer, name: str) -> Problem:
    declared = layer.data["endpoint"]
    return Problem(
        code="cannot-edit",
        summary=f"`{name}` is the combination {layer.combination} of a `matrix`, and has no lines to edit",
        hint=f"add it to `exclude`, or declare `- endpoint: {declared}` with the changes in a later file",
        place=place_of_name(layer),
        address=address(name),
    )
