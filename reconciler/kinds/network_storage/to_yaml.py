"""The YAML of live network storages: items of an import, and the edits of `drift accept`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.kinds.fields import value_of
from reconciler.kinds.item_edits import item_edits, split_importable
from reconciler.kinds.network_storage.fields import LONGEST_NAME, MIN_SIZE, NAME, REGION, SIZE, TABLE
from reconciler.model import resource
from reconciler.model.problem import Problem
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Path
from reconciler.yamlfile.edits import Edit


def item_of(live: Live) -> dict[str, Any]:
    """Return the item that declares a live storage which is `importable`."""
    return {"name": live.name, "region": value_of(live.fields, REGION), "sizeGb": value_of(live.fields, SIZE)}


def importable(
    storages: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the storages that YAML can declare, a warning for each that is left out)."""
    advice = "change it in the console, or record it alone"
    return split_importable(storages, taken, _obstacle, noun="storage", advice=advice)


def edits_for(
    declared: Mapping[str, Any], paths: Iterable[Path], live: Fields
) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
    """Return the edits of an item that make it say what is live. A value with a reference is kept."""
    return item_edits(declared, paths, live, TABLE, resource.STORAGE, {})


def _obstacle(live: Live) -> str:
    """Return why no YAML can declare the storage, as a clause; "" if YAML can."""
    if not NAME.match(live.name) or len(live.name) > LONGEST_NAME:
        return f"its name is not one of 1 to {LONGEST_NAME} letters, digits and hyphens"
    if (size := value_of(live.fields, SIZE)) is None or value_of(live.fields, REGION) is None:
        return "Novita does not report its size and its region"
    return f"it has {size} GB, and {MIN_SIZE} is the least" if size < MIN_SIZE else ""
