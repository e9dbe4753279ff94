"""What the YAML of a story declares, and how a person edits it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

Item: TypeAlias = dict[str, Any]

NAMES: Final = tuple(f"ep-{number}" for number in range(6))

PRODUCTS: Final = {"small": ("SL-serverless-3", 1), "large": ("SL-serverless-4", 2)}
"""Product and number of GPUs of each spec."""

SPEC_OF: Final = {product: spec for spec, (product, _) in PRODUCTS.items()}

SPECS: Final = {
    "specs": [
        {
            "name": name,
            "resources": {"gpu": str(gpus), "ephemeralStorage": "100"},
            "platforms": {"novita": {"productId": product, "region": "us-dallas-nas-2"}},
        }
        for name, (product, gpus) in PRODUCTS.items()
    ]
}


@dataclass(kw_only=True)
class Declared:
    """The endpoints by name, and the names that are let go of."""

    items: dict[str, Item] = field(default_factory=dict)
    removed: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        removed = [{"endpoint": name, "destroy": False} for name in self.removed]
        document = {"endpoints": list(self.items.values()), "removed": removed}
        (folder / "endpoints.yaml").write_text(json.dumps(document))


def item(dice: Random, name: str) -> Item:
    """A declared endpoint with a few fields that a later edit may change."""
    spec = dice.choice(["small", "small", "small", "large"])
    return {
        "endpoint": name,
        "appName": dice.choice([name, f"{name}-{spec}"]),
        "specName": spec,
        "image": f"ghcr.io/acme/{name}:{dice.randrange(3)}",
        "minReplicas": 0,
        "maxReplicas": dice.randrange(1, 4),
        "env": {"A": str(dice.randrange(2)), "TOKEN": "${env:TOKEN}"},
    }


def world(dice: Random) -> Declared:
    """Two to five of the names."""
    names = sorted(dice.sample(NAMES, dice.randrange(2, 6)))
    return Declared(items={name: item(dice, name) for name in names})


def without_hints(items: dict[str, Item]) -> dict[str, Item]:
    """The same endpoints, their `renamedFrom` left out."""
    return {
        name: {key: value for key, value in one.items() if key != "renamedFrom"}
        for name, one in items.items()
    }


def tweaked(dice: Random, before: Declared) -> Declared:
    """Fields of some endpoints are changed, or one is added or dropped; hints may stay or go."""
    items = without_hints(before.items) if dice.random() < 0.5 else dict(before.items)
    for name in sorted(items):
        if dice.random() < 0.5:
            fresh = item(dice, name)
            fields = dice.sample(["image", "maxReplicas", "env", "specName"], dice.randrange(1, 3))
            items[name] = {**items[name], **{key: fresh[key] for key in fields}}
    if len(items) > 1 and dice.random() < 0.4:
        del items[dice.choice(sorted(items))]
    absent = [name for name in NAMES if name not in items]
    if absent and dice.random() < 0.4:
        name = dice.choice(absent)
        items[name] = item(dice, name)
    return Declared(items=items, removed=_still(before.removed, items))


def renamed(before: Declared, moves: dict[str, str]) -> Declared:
    """Endpoints under new names: `moves` leads from the old name to the new one."""
    items = {name: one for name, one in without_hints(before.items).items() if name not in moves}
    for old, new in moves.items():
        kept = without_hints(before.items)[old]
        items[new] = {**kept, "endpoint": new, "renamedFrom": old}
    return Declared(items=items, removed=_still(before.removed, items))


def released(before: Declared, names: Iterable[str], gone: Iterable[str]) -> Declared:
    """`names` are let go of without being deleted; what is `gone` is declared no more."""
    gone = set(gone)
    items = {
        name: {key: value for key, value in one.items() if key != "renamedFrom" or value not in gone}
        for name, one in before.items.items()
        if name not in gone
    }
    return Declared(items=items, removed=(*_still(before.removed, items), *names))


def _still(removed: tuple[str, ...], items: dict[str, Item]) -> tuple[str, ...]:
    return tuple(name for name in removed if name not in items)
