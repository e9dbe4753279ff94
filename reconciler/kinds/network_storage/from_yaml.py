"""The mapping of a declared network storage to normal form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.kinds.base import Locate
from reconciler.kinds.lifecycle import lifecycle_of
from reconciler.kinds.network_storage.fields import TABLE
from reconciler.model import resource
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Desired, address
from reconciler.model.values import Path


def desired_storage(
    declared: Mapping[str, Any], locate: Locate
) -> tuple[Desired | None, tuple[Problem, ...]]:
    """Return the desired storage and the problems of its item; None if any problem is an error.

    A storage is protected unless `preventDestroy: false` says otherwise, because its data cannot be restored.
    """
    lifecycle, problems = lifecycle_of(
        declared, TABLE, locate, what="a network storage", prevent_destroy=True
    )
    name = declared["name"]
    addressed = tuple(replace(problem, address=address(name, resource.STORAGE)) for problem in problems)
    if addressed:
        return None, addressed

    def find_place(path: Path) -> Place | None:
        label = TABLE.label(path) if path in TABLE.by_path else path
        return locate((label,) if isinstance(label, str) else label) or locate(("name",))

    return (
        Desired(
            name=name,
            app_name="",
            fields={"name": name, "clusterId": declared["region"], "storageSize": declared["sizeGb"]},
            lifecycle=lifecycle,
            renamed_from=declared.get("renamedFrom"),
            find_place=find_place,
            kind=resource.STORAGE,
        ),
        (),
    )
