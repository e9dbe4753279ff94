"""The names at hand, for a shell that completes them: read from the files, asked of nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def endpoint_names(root: Path, files: Sequence[Path], state: Path) -> Iterator[str]:
    """Declared, recorded, and being created; a name may come more than once.

    Raises InventoryError when the inventory cannot be read, after what is declared.
    """
    from reconciler.config.endpoint_files import declared
    from reconciler.config.files.discovery import groups
    from reconciler.inventory.session import load

    yield from declared(root, groups(root, files)).items
    inventory = load(root / state)
    yield from inventory.records
    yield from inventory.intents


def spec_names(root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The specs that an endpoint may name."""
    from reconciler.config.loader import load_settings, load_specs

    settings, _ = load_settings(root, environ=environ, lenient=True)
    specs = load_specs(root, settings).entries
    yield from specs
