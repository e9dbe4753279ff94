"""A graph of resources as text, as a Mermaid diagram and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.model.values import Json
from reconciler.planning.dependencies.graph import Graph, Node
from reconciler.reports.terminal.escape import plain


def graph_text(graph: Graph) -> str:
    """Return a line for each resource, and below it one for each that refers to it."""
    return "".join(f"{line}\n" for line in _text_lines(graph))


def _text_lines(graph: Graph) -> Iterator[str]:
    if not graph.nodes:
        yield "Nothing is declared."
        return
    for node in graph.nodes:
        yield plain(node.address) + ("" if node.is_declared else "  (by its ID, not declared here)")
        for edge in graph.users_of(node):
            yield f"  used by {plain(edge.user)}  ({plain(edge.label)})"
    yield ""
    yield "Created from top to bottom, deleted from bottom to top."


def graph_mermaid(graph: Graph) -> str:
    """Return a flowchart in which each arrow leads from a resource to one that it needs."""
    numbers = {node.address: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = [
        "flowchart LR",
        *(f"  {numbers[node.address]}{_shape(node)}" for node in graph.nodes),
        *(
            f'  {numbers[edge.user]} -- "{_entity_text(edge.label)}" --> {numbers[edge.used]}'
            for edge in graph.edges
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def _shape(node: Node) -> str:
    label = _entity_text(node.address)
    return f'["{label}"]' if node.is_declared else f'(["{label}"])'


def _entity_text(text: str) -> str:
    """Return a text in which all characters but letters, digits and a few signs are entities of Mermaid."""
    return "".join(
        character if character.isalnum() or character in " ._-" else f"#{ord(character)};"
        for character in plain(text)
    )


def graph_document(graph: Graph) -> dict[str, Json]:
    """Return the document of `graph --json`."""
    return {
        "format_version": "1.0",
        "nodes": [
            {"address": node.address, "type": node.type, "name": node.name, "declared": node.is_declared}
            for node in graph.nodes
        ],
        "edges": [{"from": edge.user, "to": edge.used, "field": edge.label} for edge in graph.edges],
    }
