"""The graph of declared resources: which of them refers to which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field

from reconciler.kinds.registry import KINDS, in_order_of_needs
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Desired, address
from reconciler.model.secrets import mask
from reconciler.model.values import Reference, value_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A resource. One that is named by its ID is not declared here; its name is the ID."""

    address: str
    type: str
    name: str
    is_declared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """`user` needs `used`; both are addresses. `label` is the YAML name of the field that says so."""

    user: str
    used: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Resources in the order in which they are created, and what each of them refers to."""

    nodes: Sequence[Node] = field(default_factory=tuple)
    edges: Sequence[Edge] = field(default_factory=tuple)

    def users_of(self, used: Node) -> Sequence[Edge]:
        """Return the edges to a resource."""
        return [edge for edge in self.edges if edge.used == used.address]


def graph_of(desired: Iterable[Desired]) -> Graph:
    """Return the graph of these resources."""
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for one in desired:
        nodes[one.address] = Node(address=one.address, type=one.kind, name=one.name)
        kind = KINDS[one.kind]
        for path, used_type in kind.links(one.fields):
            value = value_at(one.fields, path)
            is_declared = isinstance(value, Reference)
            name = value.name if isinstance(value, Reference) else str(mask(value))
            used = Node(address=address(name, used_type), type=used_type, name=name, is_declared=is_declared)
            nodes.setdefault(used.address, used)
            edges.append(Edge(user=one.address, used=used.address, label=kind.table.label(path)))
    types = in_order_of_needs({node.type for node in nodes.values()})
    return Graph(
        nodes=sorted(nodes.values(), key=lambda node: (types.index(node.type), node.name)),
        edges=sorted(edges, key=lambda edge: (edge.used, edge.user)),
    )
