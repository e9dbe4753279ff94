"""`reconciler completion`: names for shell completion, from the files only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path


def endpoint_names(
    root: Path, files: Sequence[Path], state: Path | None, environment: str, environ: Mapping[str, str]
) -> Iterator[str]:
    """Yield the names of declared and recorded endpoints, and of open creates, with duplicates.

    Raise InventoryError after the declared names if the inventory cannot be read.
    """
    from reconciler.config.endpoint_files import read_endpoint_files
    from reconciler.config.files.discovery import file_groups
    from reconciler.inventory.session import load
    from reconciler.workflow.runtime.context import STATE, Context
    from reconciler.workflow.runtime.environment import VARIABLE, in_environment

    given = {name for name, value in (("files", files), ("state", state)) if value}
    context = Context(
        root=root,
        environ=environ,
        files=tuple(files),
        state=state or STATE,
        explicit_options=frozenset(given),
        chosen_environment=environment or environ.get(VARIABLE, ""),
    )
    context = in_environment(context, is_needed=False)
    yield from read_endpoint_files(root, file_groups(root, context.files)).items
    if isinstance(context.state, str):
        return  # a key press must not wait for a server
    inventory = load(context.store)
    yield from inventory.records
    yield from inventory.intents


def spec_names(root: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of the specs."""
    from reconciler.config.loader import load_specs
    from reconciler.config.settings import load_settings

    settings, _ = load_settings(root, environ=environ, lenient=True)
    yield from load_specs(root, settings).entries
