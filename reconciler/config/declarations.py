"""Where endpoints are declared, for who means to edit that: their items, and what is merged beneath."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler.config.endpoint_files import declared
from reconciler.config.files.discovery import file_of, groups
from reconciler.config.overlays import Layer, Layers
from reconciler.yamlfile.reader import collector_paused

if TYPE_CHECKING:
    from reconciler.yamlfile.edits import Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of one file. `shown` is the file as the user knows it."""

    file: Path
    shown: str
    spot: Spot


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One endpoint as the YAML spells it, references included.

    merged: all of it; beneath: what is merged under the last item, which is the one to edit; items: one for
    each file that declares it, the last one winning.
    """

    merged: Mapping[str, Any]
    beneath: Mapping[str, Any]
    items: tuple[Item, ...]


def declarations(root: Path, files: Sequence[Path]) -> Mapping[str, Declaration]:
    """Every declared endpoint by its name. Reads the files; faults in them are for `load` to tell."""
    with collector_paused():
        found = declared(root, groups(root, files))
        return {
            name: Declaration(
                merged=Layers((*found.defaults, *layers)).merged(),
                beneath=Layers((*found.defaults, *layers[:-1])).merged(),
                items=tuple(_item(root, layer) for layer in layers),
            )
            for name, layers in found.items.items()
        }


def _item(root: Path, layer: Layer) -> Item:
    return Item(file=file_of(layer.source.file, root), shown=layer.source.file, spot=layer.spot)
