"""`reconciler graph`: the declared resources and their references. Works offline."""

from __future__ import annotations

from reconciler.model.problem import Problem
from reconciler.planning.dependencies.graph import Graph, graph_of
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context


def declared_graph(context: Context) -> tuple[Graph, tuple[Problem, ...]]:
    """Return the graph of what is declared, and warnings. Raise InvalidConfig for invalid files."""
    loaded = load_config(context, lenient=True, is_offline=True)
    return graph_of((*loaded.desired, *loaded.others)), loaded.problems
