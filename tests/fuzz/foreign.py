"""Damaged files of other tools, which `convert` reads. The samples are those of docs/convert/."""

from __future__ import annotations

from random import Random
from typing import Final

import yaml

from reconciler.cli.commands.convert import FORMATS
from tests.e2e.convert.pages import PAGES, page
from tests.fuzz.mutations import damage_bytes, damage_or_change
from tests.fuzz.workspace import Workspace

SAMPLES: Final = tuple((page(name).sample, page(name).sample_text.encode()) for name in PAGES)


def foreign(rng: Random, workspace: Workspace) -> list[str]:
    """Damage a file of another tool, and convert it."""
    workspace.restore("calm")
    name, data = rng.choice(SAMPLES)
    damaged = damage_bytes(rng, data) if name.endswith(".py") else damage_or_change(rng, data, yaml.safe_load)
    (workspace.root / name).write_bytes(damaged)
    chosen = ["--from", rng.choice(FORMATS)] if rng.random() < 0.2 else []
    out = ["--out", "endpoints/made.yaml"] if rng.random() < 0.4 else []
    return ["convert", name, *chosen, *out, *rng.choice(([], ["--json"], ["--literal-env", "*"]))]
