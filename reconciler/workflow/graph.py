"""`reconciler graph`: the declared resources and their references. Works offline."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.planning.dependencies.graph import Graph, graph_of
from reconciler.planning.dependencies.references import with_dependencies
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context


def declared_graph(context: Context) -> tuple[Graph, tuple[Problem, ...]]:
    """Return the graph of what is declared and selected, with all that it refers to, and warnings.

    Raise InvalidConfig for invalid files, and for a target that matches nothing.
    """
    loaded = load_config(context, lenient=True, is_offline=True)
    declared = (*loaded.desired, *loaded.others)
    selection = replace(context.selection, others=tuple(one.address for one in loaded.others))
    if unmatched := selection.unmatched(one.name for one in loaded.desired):
        raise InvalidConfig(*unmatched)
    selection = with_dependencies(selection, declared)
    return graph_of(one for one in declared if selection.of(one.kind).has(one.name)), loaded.problems
