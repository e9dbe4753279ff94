"""What an import writes: the YAML for live resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Live, Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable, its value, and the names of the endpoints that read it."""

    name: str
    value: str
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The YAML that declares live endpoints: an item for each, and the specs that had to be added."""

    live: tuple[Live, ...]
    items: tuple[Mapping[str, Any], ...]
    new_specs: tuple[Spec, ...]
    variables: tuple[Variable, ...]
