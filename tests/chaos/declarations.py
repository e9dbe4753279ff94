"""The YAML of a scenario, and its edits."""

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
class Declarations:
    """The endpoints by name, and the names of `removed`."""

    items: dict[str, Item] = field(default_factory=dict)
    removed: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        removed = [{"endpoint": name, "destroy": False} for name in self.removed]
        document = {"endpoints": list(self.items.values()), "removed": removed}
        (folder / "endpoints.yaml").write_text(json.dumps(document))


def item(rng: Random, name: str) -> Item:
    """Return a declared endpoint with a few fields that later edits may change."""
    spec = rng.choice(["small", "small", "small", "large"])
    return {
        "endpoint": name,
        "appName": rng.choice([name, f"{name}-{spec}"]),
        "specName": spec,
        "image": f"ghcr.io/acme/{name}:{rng.randrange(3)}",
        "minReplicas": 0,
        "maxReplicas": rng.randrange(1, 4),
        "env": {"A": str(rng.randrange(2)), "TOKEN": "${env:TOKEN}"},
    }


def random_declarations(rng: Random) -> Declarations:
    """Declare two to five of the names."""
    names = sorted(rng.sample(NAMES, rng.randrange(2, 6)))
    return Declarations(items={name: item(rng, name) for name in names})


def without_hints(items: dict[str, Item]) -> dict[str, Item]:
    """Return the endpoints without `renamedFrom`."""
    return {
        name: {key: value for key, value in one.items() if key != "renamedFrom"}
        for name, one in items.items()
    }


def with_changed_fields(rng: Random, before: Declarations) -> Declarations:
    """Change fields of some endpoints, or add or remove one; `renamedFrom` may stay or go."""
    items = without_hints(before.items) if rng.random() < 0.5 else dict(before.items)
    for name in sorted(items):
        if rng.random() < 0.5:
            fresh = item(rng, name)
            fields = rng.sample(["image", "maxReplicas", "env", "specName"], rng.randrange(1, 3))
            items[name] = {**items[name], **{key: fresh[key] for key in fields}}
    if len(items) > 1 and rng.random() < 0.4:
        del items[rng.choice(sorted(items))]
    absent = [name for name in NAMES if name not in items]
    if absent and rng.random() < 0.4:
        name = rng.choice(absent)
        items[name] = item(rng, name)
    return Declarations(items=items, removed=_without_declared(before.removed, items))


def renamed(before: Declarations, moves: dict[str, str]) -> Declarations:
    """Rename endpoints: `moves` maps the old name to the new one."""
    items = {name: one for name, one in without_hints(before.items).items() if name not in moves}
    for old, new in moves.items():
        kept = without_hints(before.items)[old]
        items[new] = {**kept, "endpoint": new, "renamedFrom": old}
    return Declarations(items=items, removed=_without_declared(before.removed, items))


def released(before: Declarations, names: Iterable[str], gone: Iterable[str]) -> Declarations:
    """Release `names` without deleting them; the endpoints in `gone` are no longer declared."""
    gone = set(gone)
    items = {
        name: {key: value for key, value in one.items() if key != "renamedFrom" or value not in gone}
        for name, one in before.items.items()
        if name not in gone
    }
    return Declarations(items=items, removed=(*_without_declared(before.removed, items), *names))


def _without_declared(removed: tuple[str, ...], items: dict[str, Item]) -> tuple[str, ...]:
    return tuple(name for name in removed if name not in items)
