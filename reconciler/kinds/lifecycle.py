"""The `lifecycle` options of a declared item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.kinds.base import Locate
from reconciler.kinds.fields import FieldTable
from reconciler.model.problem import Problem
from reconciler.model.resource import Lifecycle
from reconciler.model.text import closest_match
from reconciler.model.values import Path

_DEFAULTS: Final = {protected: Lifecycle(prevent_destroy=protected) for protected in (False, True)}
"""The options of an item without `lifecycle`, by the default of `preventDestroy`."""


def lifecycle_of(
    declared: Mapping[str, Any],
    table: FieldTable,
    locate: Locate,
    *,
    what: str,
    prevent_destroy: bool = False,
) -> tuple[Lifecycle, list[Problem]]:
    """Return the options, and a problem for each ignored name that is no field.

    what: the noun of the item with its article. prevent_destroy: the default of `preventDestroy`.
    """
    options = declared.get("lifecycle")
    if not options:
        return _DEFAULTS[prevent_destroy], []
    paths: list[Path] = []
    problems: list[Problem] = []
    for index, text in enumerate(options.get("ignoreChanges", ())):
        if text is None:
            continue
        if named := table.wire_paths(text):
            paths += named
        else:
            problems.append(
                Problem(
                    code="unknown-ignore",
                    summary=f"`{text}` in ignoreChanges names no field of {what}",
                    hint=_did_you_mean(text, table),
                    place=locate(("lifecycle", "ignoreChanges", str(index))),
                )
            )
    lifecycle = Lifecycle(
        prevent_destroy=options.get("preventDestroy", prevent_destroy), ignore=tuple(dict.fromkeys(paths))
    )
    return lifecycle, problems


def _did_you_mean(text: str, table: FieldTable) -> str:
    close = closest_match(text, table.known_names())
    if close:
        return f"did you mean `{close}`?"
    has_keys = "`replicas`, `env.KEY`" if table.keyed else "`" + "`, `".join(table.names) + "`"
    return f"use a YAML name ({has_keys}) or a wire path"
