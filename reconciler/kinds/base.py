"""The contract of a resource kind: all that the other packages know about one.

A kind is pure. It returns requests as values and parses answers; only `novita.http.client` sends anything.
Values are in the kind's normal form, see `model.values.Fields`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from reconciler.kinds.change_rules import ChangeRules
from reconciler.kinds.comparison import Comparison
from reconciler.kinds.fields import FieldTable, Shape
from reconciler.kinds.yaml_items import YamlItems
from reconciler.model.problem import Place, Problem
from reconciler.model.request import Request
from reconciler.model.resource import Desired, Limits, Live, Page, Spec
from reconciler.model.secrets import is_single
from reconciler.model.values import Fields, Json, Path

if TYPE_CHECKING:
    from decimal import Decimal

    from reconciler.model.market.cost import Usage
    from reconciler.model.plan import Change
    from reconciler.model.status import EndpointInfo, Managed, Readiness, Rollout, Worker
    from reconciler.yamlfile.edits import Edit

Locate: TypeAlias = Callable[[Path], Place | None]
"""Return the source position of a path of an item."""


class Kind(ChangeRules, YamlItems, ABC):
    """One resource kind. `kinds.registry` holds those that exist.

    What is abstract differs from kind to kind. All else follows from the table of fields, or says that the
    kind does not offer something: no workers, no quotas, no import.

    type: the resource type, with which addresses begin (`novita_endpoint`). noun: what messages call one.
    section: the key of the list in the YAML. key: the key that holds the name of an item.
    table: its fields. longest_name: characters of a name.
    needs: the types that must exist before it, and be deleted after it.
    can_update: if not, every change of a field takes a new object.
    creates_first: a new object is made and its users follow before the old one is deleted.
    is_paged: if not, one answer is the whole listing.
    may_omit_id: the answer to a create may lack the ID, which is then looked for in the listing.
    inner_fields: the YAML names that declare resources of other kinds, see `inner_items`.
    identifying: the paths by which an object of its name is told from others, if names are not unique.
    shared_codes: codes of problems about a value, not an object; each is reported once.
    uncompared: parts of an answer that are kept as they came and are never compared.
    not_found_reasons: Novita's words for an object that does not exist, beside those for endpoints.
    in_use_reasons: its words for an object that cannot be deleted because others use it.
    schema_definition: the definition of a merged item in the published schema; "" if it has none.
    item_schema: JSON schema of an item that the published schema does not describe.
    """

    type: str
    noun: str = "resource"
    section: str
    key: str
    table: FieldTable
    longest_name: int = 255
    needs: Collection[str] = ()
    can_update: bool = True
    creates_first: bool = False
    is_paged: bool = True
    may_omit_id: bool = False
    identifying: Collection[Path] = ()
    inner_fields: frozenset[str] = frozenset()
    not_found_reasons: Collection[str] = ()
    in_use_reasons: Collection[str] = ()
    schema_definition: str = ""
    item_schema: ClassVar[Mapping[str, Any]] = {}
    shared_codes: Collection[str] = ()
    uncompared: Collection[str] = ()

    @cached_property
    def _comparison(self) -> Comparison:
        return Comparison(self.table)

    # Fields

    @property
    def replica_range(self) -> tuple[Path, Path] | None:
        """The paths of the minimum and the maximum of replicas; None for a kind without replicas."""
        return None

    def replaces(self, path: Path) -> bool:
        """Return True if a change of that field takes a new object."""
        return not self.can_update or self.table.replaces(path)

    def misfits(
        self, fields: Fields, where: str, is_single: Callable[[Any], bool] = is_single
    ) -> Iterator[str]:
        """Return a sentence for each stored field that does not have the normal form."""
        from reconciler.kinds.normal_form import misfits

        return misfits(self.table, fields, where, is_single)

    # Mapping from YAML and back

    @property
    def name_fields(self) -> frozenset[str]:
        """The YAML names without references: names must be the same in every environment."""
        return frozenset({self.key})

    def inner_items(self, item: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield (the YAML name, the type, the item) of each resource that a merged item declares inside."""
        yield from ()

    @cached_property
    def secret_fields(self) -> frozenset[str]:
        """The YAML names whose references give secrets."""
        return frozenset(
            name for row in self.table.rows if row.is_secret or row.is_doubtful for name in row.names
        )

    @cached_property
    def maskable_fields(self) -> frozenset[str]:
        """The YAML names of texts in which a mask can replace a value."""
        texts = (row for row in self.table.rows if row.shape is Shape.TEXT and not row.is_public)
        return frozenset(name for row in texts for name in row.names) - self.secret_fields - self.name_fields

    @abstractmethod
    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        """Return what a merged and resolved item declares, and the problems found in it."""

    def value_problems(self, declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
        """Return the problems of valid values that need no other field of their item."""
        yield from ()

    def conflicts(self, desired: Iterable[Desired]) -> Iterator[Problem]:
        """Return an error for each two declared objects that cannot exist together."""
        yield from ()

    def partial_fields(self, declared: Mapping[str, Any]) -> Fields:
        """Return the normal form of some fields by their YAML names."""
        return self.table.nested(
            {path: value for name, value in declared.items() for path in self.table.names[name]}
        )

    def yaml_edits(
        self,
        declared: Mapping[str, Any],
        paths: Iterable[Path],
        live: Fields,
        *,
        beneath: Mapping[str, Any] | None = None,
        specs: Sequence[Spec] = (),
        from_history: bool = False,
    ) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
        """Return the edits that make the YAML say what is live, and why fields were left out.

        from_history: `live` is a version of the history: secrets have their references, and all other values
        were literals.
        """
        return (), ()

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
        return self._comparison.sides(desired, applied, live, ignore, unread)

    def is_verbatim(self, want: Fields, live: Fields) -> bool:
        """Return True if every wanted field is live verbatim: then `sides` are equal, and no diff is needed.

        An optional field that was dropped from the YAML is not live either, or its object would differ.
        """
        return want.items() <= live.items()

    def owned(self, desired: Fields, applied: Fields | None) -> dict[str, Any]:
        """Return the desired fields, with an empty value for those dropped since the last apply."""
        return self._comparison.owned(desired, applied)

    def reported(self, live: Fields, want: Fields) -> dict[str, Any]:
        """Return the live side of `want`: the same paths."""
        return self._comparison.reported(live, want)

    def emitted(self, fields: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the fields without the ignored ones, as a record keeps them."""
        return self._comparison.emitted(fields, ignore)

    def replacement(self, want: Fields, live: Fields, ignore: Iterable[Path]) -> Fields:
        """Return the fields of the object that takes the place of `live`."""
        return self._comparison.replacement(want, live, ignore)

    def merge_fields(self, below: Fields, above: Fields) -> dict[str, Any]:
        """Return `below` with `above` merged over it."""
        return self._comparison.merge_fields(below, above)

    # Requests and answers

    @abstractmethod
    def list_request(self, page: int, size: int) -> Request: ...

    @abstractmethod
    def get_request(self, object_id: str) -> Request: ...

    def created_fields(self, desired: Desired, fields: Fields | None = None) -> Fields:
        """Return the fields that a create sends, from `fields` if given, as in `create_request`."""
        return desired.fields if fields is None else fields

    @abstractmethod
    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        """Return the create; `fields` replaces the desired fields if a replacement keeps live values."""

    def update_request(self, live: Live, fields: Fields) -> Request:
        """Return the update to `fields`. It carries the live value of all that `fields` leaves out."""
        raise NotImplementedError(f"{self.type} cannot be updated")

    def unsendable(self, live: Live, fields: Fields) -> tuple[Path, ...]:
        """Return the paths that an update must send back and that could not be read."""
        return ()

    def drain_request(self, worker_id: str) -> Request:
        """Return the request that gives a worker no new work."""
        raise NotImplementedError(f"{self.type} has no workers")

    @abstractmethod
    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        """Return the preferred request, then alternatives for a server that refuses its keys."""

    @abstractmethod
    def parse_page(self, answer: Json) -> Page:
        """Return one page of a listing. Raise ValueError if the answer is no listing."""

    @abstractmethod
    def parse_one(self, answer: Json) -> Live:
        """Return one object. Raise ValueError if the answer is not one."""

    def find_one(self, answer: Json, object_id: str) -> Live | None:
        """Return the object with that ID from the answer to `get_request`; None if it does not exist.

        Raise ValueError if the answer does not say. A kind that can only be listed looks for the ID.
        """
        return self.parse_one(answer)

    @abstractmethod
    def parse_created(self, answer: Json) -> str | None:
        """Return the new ID, or None if the answer does not hold one."""

    # References

    def links(self, fields: Fields) -> Iterator[tuple[Path, str]]:
        """Yield each path that holds the ID of an object of another kind, and the type of that object."""
        yield from ()

    def link_problems(self, user: Desired, path: Path, used: Desired) -> Iterator[Problem]:
        """Yield the problems of a declared object that refers at `path` to `used`, which is of this kind."""
        yield from ()

    # Quotas

    def needs_limits(self, changes: Sequence[Change]) -> bool:
        """Return True if a change could exceed a quota of the account."""
        return False

    def check_limits(self, changes: Sequence[Change], limits: Limits | None) -> Iterator[Problem]:
        """Return a warning for each value beyond a quota, or a note if `limits` could not be read."""
        yield from ()

    def fit_defaults(self, desired: Desired, limits: Limits | None, applied: Fields | None) -> Desired:
        """Return the object with its default values within the limits of the account.

        If the limits could not be read, a default keeps the value that was applied last.
        """
        return desired

    # Cost

    def usage(self, fields: Fields) -> Usage | None:
        """Return what a resource with these fields uses; None for a kind that costs nothing."""
        return None

    def price_per_gb_day(self, live: Live) -> Decimal | None:
        """Return the price in USD that Novita tells of a live storage; None for any other kind."""
        return None

    def billed_workers(self, live: Live) -> tuple[Worker, ...]:
        """Return the workers that are billed at this moment."""
        return ()

    # Status

    def readiness(self, live: Live) -> Readiness:
        """Return whether the object serves, is on its way or has failed."""
        from reconciler.model.status import Phase, Readiness

        return Readiness(phase=Phase.READY)

    def worker_ids(self, live: Live) -> tuple[str, ...]:
        """Return the IDs of the workers."""
        return ()

    def rollout(self, live: Live, former: Collection[str], paths: Collection[Path]) -> Rollout:
        """Return how far workers were replaced after a change of these wire paths; none are all.

        `former` are the IDs of the workers from before the change.
        """
        from reconciler.model.status import Rollout

        return Rollout()

    def endpoint_info(self, live: Live, managed: Managed | None = None) -> EndpointInfo:
        """Return the object as status commands show it."""
        raise NotImplementedError(f"{self.type} has no status")

    def surplus(self, live: Live, most: int) -> tuple[str, ...]:
        """Return the IDs of the workers beyond `most`, the most dispensable first."""
        return ()
