"""The three sides of an endpoint: desired (YAML), live (the account) and tracked (the inventory)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields, Json, Path, Reference

if TYPE_CHECKING:
    from reconciler.model.probe import Probe
    from reconciler.model.sync.lease import Lease
    from reconciler.model.sync.schedule import Schedule

Origin: TypeAlias = Literal["declared", "imperative"]

PlaceLookup: TypeAlias = Callable[[Path], Place | None]
"""Return the place of the field at a wire path, or of the endpoint's name for () and for a default."""


def no_place(_path: Path) -> None:
    """Return None, the place of an endpoint that is in no file."""


ENDPOINT: Final = "novita_endpoint"
"""The type of endpoints, and the default of resources without a type."""

STORAGE: Final = "novita_storage"
"""The type of network storages, which endpoints mount."""

REGISTRY: Final = "novita_registry"
"""The type of registry credentials, with which endpoints pull their images."""


def address(name: str, kind: str = ENDPOINT) -> str:
    """Return the address of a resource in plans, like Terraform's: `novita_endpoint.NAME`."""
    return f"{kind}.{name}"


def key_of(name: str, kind: str) -> str:
    """Return what users call a resource: the name of an endpoint, the address of any other one."""
    return name if kind == ENDPOINT else address(name, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A GPU spec from specs.yaml that is complete for Novita.

    gpu: GPUs per worker (count); rootfs_gb: rootfs disk (GB); region: Novita's cluster ID; price_per_hour:
    digits, USD for a worker with all its GPUs, "" if it is not declared. A text is a `Secret` if it comes
    from a reference that must not be shown.
    """

    name: str
    product_id: str | Secret
    region: str | Secret
    gpu: int
    rootfs_gb: int
    cuda_version: str | Secret = ""
    price_per_hour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """The `lifecycle` options of an endpoint. `ignore` has wire paths or prefixes of them."""

    prevent_destroy: bool = False
    ignore: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One declared endpoint in normal form.

    `app_name` is sent on create; it is in `fields` only if it is declared. `unset` are the paths of unset
    references, in runs that allow them: the declared value is unknown. A partial one concerns only its fields
    and its lease; others keep their live and recorded values. `origin` and `lease` are those of the record to
    be written. `spec_name` is only shown. `restores` is the version of a rollback, or 0. `defaulted` are the
    paths of defaults that follow the account's limits. `references` are those of the fields when they were
    declared, `former_ids` their old IDs. `declared_counts` says which worker counts are declared, if those in
    the fields are of a lease or of the `schedule`. `sync` has the fields of `SyncPolicy` that are declared.
    Novita is not told these, `probe`, `prewarm` and `registry`, a host. `kept` are paths that this run leaves
    as they are live and recorded, whatever is declared.
    """

    name: str
    app_name: str
    fields: Fields
    lifecycle: Lifecycle = Lifecycle()
    renamed_from: str | None = None
    find_place: PlaceLookup = field(default=no_place, compare=False, repr=False)
    spec_name: str = field(default="", compare=False)
    unset: tuple[Path, ...] = ()
    is_partial: bool = False
    origin: Origin = "declared"
    lease: Lease | None = None
    schedule: tuple[Schedule, ...] = ()
    declared_counts: str = ""
    kind: str = ENDPOINT
    restores: int = 0
    probe: Probe | None = field(default=None, compare=False)
    defaulted: tuple[Path, ...] = field(default=(), compare=False)
    registry: str = field(default="", compare=False)
    references: tuple[tuple[Path, Reference], ...] = field(default=(), compare=False)
    prewarm: bool = field(default=False, compare=False)
    former_ids: tuple[str, ...] = field(default=(), compare=False)
    sync: Mapping[str, Any] = field(default_factory=dict, compare=False)
    kept: tuple[Path, ...] = ()

    @property
    def address(self) -> str:
        return address(self.name, self.kind)

    @property
    def place(self) -> Place | None:
        """The place of the declaration. Each access looks it up, which may read a file again."""
        return self.find_place(())

    def place_of(self, path: Path) -> Place | None:
        """Return the place of the field at a wire path; that of the declaration if it is not declared."""
        return self.find_place(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """An item of `removed:`. Without `destroy` the endpoint is only forgotten and stays live."""

    name: str
    destroy: bool = True
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One endpoint of the account in normal form.

    `fields` has all fields that Novita reports, with numbers as ints. `state` is Novita's word in lower
    case. `raw` has the parts of the response that plans do not compare: workers, times.
    `unread` are the wire paths of values in an unknown form, possibly `("id",)` and `("name",)`; then the ID
    is made up. `environment` is the other environment of config.yaml whose inventory records it, or "".
    """

    id: str
    name: str
    fields: Fields
    state: str = ""
    url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    unread: tuple[Path, ...] = ()
    kind: str = ENDPOINT
    environment: str = field(default="", compare=False)

    @property
    def is_identified(self) -> bool:
        """True if the ID is known."""
        return ("id",) not in self.unread

    @property
    def is_named(self) -> bool:
        """True if the name is known."""
        return ("name",) not in self.unread

    @property
    def is_terminating(self) -> bool:
        """True if Novita is deleting the endpoint, so that it can neither be changed nor adopted."""
        return self.state in ("terminating", "deleting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One record of the inventory: the ID of a managed endpoint and the fields applied last (secrets sealed).

    `called` is the live name if it differs from `name`, as for a replaced endpoint still to be deleted.
    `renaming` is the new name in a rename whose outcome is unknown. `renamed_from` is the `renamedFrom` that
    was applied last, or the name before a temporary one. An `adopted` one was only found by its name.
    `declared_counts` are those of `Desired` at the last apply, by which a change that is only due by time is
    told from a change of the declaration.
    """

    name: str
    id: str
    applied: Fields
    origin: Origin = "declared"
    prevent_destroy: bool = False
    called: str = ""
    lease: Lease | None = None
    declared_counts: str = ""
    renamed_from: str = ""
    renaming: str = ""
    adopted: bool = False
    kind: str = ENDPOINT

    @property
    def address(self) -> str:
        return address(self.name, self.kind)

    @property
    def key(self) -> str:
        return key_of(self.name, self.kind)

    @property
    def live_name(self) -> str:
        return self.called or self.name

    def may_have_name(self, name: str) -> bool:
        """Return True if the live endpoint may have this name."""
        return name == self.live_name or (name == self.renaming and name != "")

    @property
    def is_deposed(self) -> bool:
        """True for the record of a replaced object."""
        return self.called != "" and self.name.endswith(f" (deposed {self.id})")

    def deposed(self) -> Tracked:
        """Return the record of a replaced endpoint, to be deleted when another one has its name."""
        return replace(
            self,
            name=f"{self.name} (deposed {self.id})",
            called=self.live_name,
            prevent_destroy=False,
            adopted=False,
            lease=None,
            declared_counts="",
            renamed_from="",
            renaming="",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A create that has begun. It is written before the request, and removed when the outcome is known.

    `known_ids` are the live IDs of that name before the request. A new ID with the `applied` fields is the
    endpoint that the request created.
    """

    name: str
    known_ids: tuple[str, ...]
    app_name: str
    applied: Fields
    prevent_destroy: bool = False
    origin: Origin = "declared"
    renamed_from: str = ""
    kind: str = ENDPOINT

    @property
    def key(self) -> str:
        return key_of(self.name, self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The account and the set of files that an inventory belongs to. Empty or None means unknown.

    `account` is a keyed fingerprint of the API key. `root` is the path from the inventory's folder to the
    root of the files. `files` are the arguments of `-f`, relative to the root; () means the default search.
    `environment` is the one of config.yaml that the inventory was written for.
    """

    account: str = ""
    root: str = ""
    files: tuple[str, ...] | None = None
    environment: str = ""


UNKNOWN_OWNER: Final = Owner()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Records by name, and creates whose outcome is unknown.

    `base_url` is the API URL for which the inventory was written, or "" if it is unknown. `records` and
    `intents` are those of endpoints, `others` holds those of the other kinds, by type.
    """

    records: Mapping[str, Tracked] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    base_url: str = ""
    owner: Owner = UNKNOWN_OWNER
    others: Mapping[str, Inventory] = field(default_factory=dict)

    def of(self, kind: str) -> Inventory:
        """Return the records and intents of one kind."""
        part = self if kind == ENDPOINT else self.others.get(kind)
        return part or Inventory(base_url=self.base_url, owner=self.owner)

    def with_records(self, records: Iterable[Tracked]) -> Inventory:
        """Return the inventory with these records of any kind among its own."""
        own = dict(self.records)
        parts = {kind: dict(part.records) for kind, part in self.others.items()}
        for record in records:
            (own if record.kind == ENDPOINT else parts.setdefault(record.kind, {}))[record.name] = record
        others = {kind: replace(self.of(kind), records=part) for kind, part in parts.items()}
        return replace(self, records=own, others=others)

    def every_record(self) -> Iterator[Tracked]:
        """Return the records of all kinds."""
        return (one for part in (self, *self.others.values()) for one in part.records.values())

    def every_intent(self) -> Iterator[Intent]:
        """Return the intents of all kinds."""
        return (one for part in (self, *self.others.values()) for one in part.intents.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All endpoints of the account, verified to be complete.

    `unidentified` are endpoints whose ID cannot be read. `pages` are the page numbers, empty for a single
    page, which shows one moment. An absence proves nothing unless `is_complete`.
    """

    endpoints: tuple[Live, ...]
    requests: int = 0
    unidentified: tuple[Live, ...] = ()
    pages: range = range(0)
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a listing. `total` is None if the response does not contain it."""

    endpoints: tuple[Live, ...]
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingProgress:
    """The progress of a listing (counts of endpoints); `is_done` at its end."""

    count: int
    total: int
    is_done: bool = False


Limits: TypeAlias = Mapping[str, Json]
"""The quotas of the account in the form of `endpoint/limit`."""
