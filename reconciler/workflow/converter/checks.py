"""The checks that each converted value must pass: those of `validate`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.overlays import InlineLayer
from reconciler.kinds.registry import KINDS
from reconciler.model.problem import Problem
from reconciler.model.resource import ENDPOINT, REGISTRY, STORAGE

_DEFINITIONS: Final = {ENDPOINT: "endpoint", REGISTRY: "registry", STORAGE: "storage"}


def why_invalid(kind: str, item: Mapping[str, Any]) -> str:
    """Return why an item, or a part of one, is not valid as a clause; "" if it is.

    `kind` is the type of a resource, or "spec" for an item of specs.yaml.
    """
    name, definition = ("specs", "spec") if kind == "spec" else ("endpoints", _DEFINITIONS[kind])
    problems: list[Problem] = []
    locator = InlineLayer(data=item).positions
    if not schema.is_valid(name, item, definition):
        from reconciler.config.schema_errors import schema_problems

        problems += schema_problems(schema.validation_errors(name, item, definition), locator)
    elif kind in KINDS and "${" not in str(item.get("image")):
        problems += KINDS[kind].value_problems(item, locator.place)
    return next((problem.summary for problem in problems if problem.is_error), "")
