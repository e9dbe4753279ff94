"""The contract of a resource kind: all that the other packages know about one.

A kind is pure. It returns requests as values and parses answers; only `novita.http.client` sends anything.
Values are in the kind's normal form, see `model.values.Fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from reconciler.model.problem import Place, Problem
from reconciler.model.request import Request
from reconciler.model.resource import Desired, Limits, Live, Page, Spec
from reconciler.model.values import Fields, Json, Path, Value

if TYPE_CHECKING:
    from reconciler.model.plan import Change
    from reconciler.model.status import EndpointInfo, Managed, Readiness
    from reconciler.yamlfile.edits import Edit

Locate: TypeAlias = Callable[[Path], Place | None]
"""Return the source position of a path of an item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable, its value, and the names of the endpoints that read it."""

    name: str
    value: str
    endpoints: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The YAML that declares live endpoints: an item for each, and the specs that had to be added."""

    endpoints: tuple[Live, ...]
    items: tuple[Mapping[str, Any], ...]
    new_specs: tuple[Spec, ...]
    variables: tuple[Variable, ...]


class Kind(Protocol):
    """One resource kind. `kinds.registry` holds those that exist.

    type: the resource type, with which addresses begin (`novita_endpoint`).
    section: the key of the list in the YAML. key: the key that holds the name of an item.
    needs: the types that must exist before it, and be deleted after it.
    keyed: fields that are maps in normal form; the declared map is the whole map.
    objects: fields that are objects; an update leaves what it does not mention of them.
    scaling: the fields whose change is a scale if no other field changes.
    replica_range: the paths of the minimum and the maximum of replicas.
    longest_name: characters of a name.
    uncompared: parts of an answer that are kept as they came and are never compared.
    referable: fields whose texts the YAML may give by references, so that a live value may be a secret.
    secret_heads: fields whose live values are hidden unless the YAML spells them out.
    doubtful: the same for fields of objects; here the values spelled out at the last apply count too.
    """

    type: str
    section: str
    key: str
    keyed: Collection[str]
    objects: Collection[str]
    scaling: frozenset[Path]
    replica_range: tuple[Path, Path]
    longest_name: int
    uncompared: Collection[str]
    referable: Collection[str]
    secret_heads: Collection[str]
    needs: Collection[str] = ()
    doubtful: Collection[Path]

    # Fields

    def rank(self, path: Path) -> tuple[int, Path]:
        """Return the sort key of a path: the order in which users see fields."""
        ...

    def replaces(self, path: Path) -> bool:
        """Return True if a change of that field takes a new object."""
        ...

    def is_blank(self, path: Path, value: Value) -> bool:
        """Return True if the value of that field means the same as no value."""
        ...

    def is_secret(self, path: Path) -> bool:
        """Return True if the live value of that field must not be shown."""
        ...

    def secrets_of(self, live: Live) -> Iterator[Value]:
        """Return the live values that must not be shown."""
        ...

    def wire_paths(self, name: str) -> tuple[Path, ...]:
        """Return the paths that a YAML name or a dotted path stands for; none if it is unknown."""
        ...

    def known_names(self) -> tuple[str, ...]:
        """Return all names that `wire_paths` knows."""
        ...

    def misfits(self, fields: Fields, where: str, is_single: Callable[[Any], bool] = ...) -> Iterator[str]:
        """Return a sentence for each stored field that does not have the normal form."""
        ...

    # Mapping from YAML and back

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        """Return what a merged and resolved item declares, and the problems found in it."""
        ...

    def conflicts(self, desired: Iterable[Desired]) -> Iterator[Problem]:
        """Return an error for each two declared objects that cannot exist together."""
        ...

    def partial_fields(self, declared: Mapping[str, Any]) -> Fields:
        """Return the normal form of some fields by their YAML names."""
        ...

    def yaml_edits(
        self,
        declared: Mapping[str, Any],
        paths: Iterable[Path],
        live: Fields,
        *,
        beneath: Mapping[str, Any] | None = None,
        specs: Sequence[Spec] = (),
    ) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
        """Return the edits that make the YAML say what is live, and why fields were left out."""
        ...

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        """Return (the objects that YAML can declare, a warning for each name that is left out).

        `taken` are the names in use.
        """
        ...

    def draft(
        self,
        live: Sequence[Live],
        specs: Sequence[Spec],
        *,
        spec_names: Iterable[str],
        app_names: Iterable[str],
        in_use: Mapping[str, str | None],
    ) -> Draft:
        """Return the YAML for objects that are `importable`.

        specs: the usable specs. spec_names: the names of all specs. app_names: those of declared endpoints.
        in_use: the variables that are referred to already, with their values.
        """
        ...

    # Comparison

    def sides(
        self,
        desired: Fields,
        applied: Fields | None,
        live: Fields,
        ignore: Iterable[Path],
        unread: Iterable[Path] = (),
    ) -> tuple[Fields, Fields]:
        """Return (want, have): two trees of the owned paths, equal if nothing has to be done."""
        ...

    def is_to_the_letter(self, want: Fields, live: Fields) -> bool:
        """Return True if every wanted field is live verbatim, so that no diff is needed."""
        ...

    def owned(self, desired: Fields, applied: Fields | None) -> dict[str, Any]:
        """Return the desired fields, with an empty value for those dropped since the last apply."""
        ...

    def reported(self, live: Fields, want: Fields) -> dict[str, Any]:
        """Return the live side of `want`: the same paths."""
        ...

    def emitted(self, fields: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the fields without the ignored ones, as a record keeps them."""
        ...

    def replacement(self, want: Fields, live: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the fields of the object that takes the place of `live`."""
        ...

    def laid_over(self, below: Fields, above: Fields) -> dict[str, Any]:
        """Return `below` with `above` merged over it."""
        ...

    # Requests and answers

    def list_request(self, page: int, size: int) -> Request: ...

    def get_request(self, object_id: str) -> Request: ...

    def created_fields(self, desired: Desired, fields: Fields | None = None) -> Fields:
        """Return the fields that a create sends, from `fields` if given, as in `create_request`."""
        ...

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        """Return the create; `fields` replaces the desired fields if a replacement keeps live values."""
        ...

    def update_request(self, live: Live, fields: Fields) -> Request:
        """Return the update to `fields`. It carries the live value of all that `fields` leaves out."""
        ...

    def unsendable(self, live: Live, fields: Fields) -> tuple[Path, ...]:
        """Return the paths that an update must send back and that could not be read."""
        ...

    def drain_request(self, worker_id: str) -> Request:
        """Return the request that gives a worker no new work."""
        ...

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        """Return the preferred request, then alternatives for a server that refuses its keys."""
        ...

    def parse_page(self, answer: Json) -> Page:
        """Return one page of a listing. Raise ValueError if the answer is no listing."""
        ...

    def parse_one(self, answer: Json) -> Live:
        """Return one object. Raise ValueError if the answer is not one."""
        ...

    def parse_created(self, answer: Json) -> str | None:
        """Return the new ID, or None if the answer does not hold one."""
        ...

    # Quotas

    def needs_limits(self, changes: Sequence[Change]) -> bool:
        """Return True if a change could exceed a quota of the account."""
        ...

    def check_limits(self, changes: Sequence[Change], limits: Limits | None) -> Iterator[Problem]:
        """Return a warning for each value beyond a quota, or a note if `limits` could not be read."""
        ...

    # Status

    def readiness(self, live: Live) -> Readiness:
        """Return whether the object serves, is on its way or has failed."""
        ...

    def app_of(self, live: Live, managed: Managed | None = None) -> EndpointInfo:
        """Return the object as status commands show it."""
        ...

    def surplus(self, live: Live, most: int) -> tuple[str, ...]:
        """Return the IDs of the workers beyond `most`, the most dispensable first."""
        ...
