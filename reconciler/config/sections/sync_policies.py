"""Reads `sync` of config.yaml. Schema errors are reported elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reconciler.config import schema
from reconciler.model.problem import Place, Problem
from reconciler.model.values import Path


def read_sync(
    data: Mapping[str, Any],
    environment: str,
    locate: Callable[..., Place | None],
    problems: list[Problem],
) -> Mapping[str, Any]:
    """Return the policy of `novita`, with that of the environment of the run over it, key by key.

    environment: its name, or "". `locate` returns the place of a path in config.yaml.
    """
    policy: dict[str, Any] = {}
    for path in (("novita", "sync"), ("environments", environment, "sync")):
        section: Any = data
        for step in path:
            section = section.get(step) if isinstance(section, dict) else None
        if section and schema.is_valid("config", section, "sync"):
            from reconciler.kinds.sync_policy import sync_of

            declared, found = sync_of(section, _below(locate, path), ".".join(path))
            problems += found
            policy |= declared
    return policy


def _below(locate: Callable[..., Place | None], base: Path) -> Callable[[Path], Place | None]:
    return lambda path: locate(*base, *path)
