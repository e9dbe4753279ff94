"""Some declared fields -> their place on the wire, for a change that is about these alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.endpoint.fields import MAX, MIN, YAML_NAMES
from reconciler.model.values import Fields, Path


def changed_fields(declared: Mapping[str, Any]) -> Fields:
    """The normal form of fields by their YAML names; only for those that are sent as they are declared.

    `replicas: 0` scales to zero when idle: a most of zero would leave no worker that could ever start.
    """
    fields: dict[str, Any] = {}
    for name, value in declared.items():
        paths: tuple[Path, ...] = YAML_NAMES[name]
        if paths == (MIN, MAX) and value == 0:
            paths = (MIN,)
        for head, *rest in paths:
            if rest:
                fields.setdefault(head, {})[rest[0]] = value
            else:
                fields[head] = value
    return fields
