"""An endpoint seen from three sides: desired (YAML), live (the account), tracked (the inventory)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from reconciler.model.owner import UNKNOWN, Owner
from reconciler.model.problem import Place
from reconciler.model.values import Fields, Json, Path, Secret

Origin: TypeAlias = Literal["declared", "imperative"]

PlaceLookup: TypeAlias = Callable[[], Place | None]


def nowhere() -> None:
    """Where what stands in no file is."""


ENDPOINT: Final = "novita_endpoint"
"""The type of endpoints, and of everything that names no type."""


def address(name: str, kind: str = ENDPOINT) -> str:
    """Return the address of a resource as plans show it, after Terraform's: `novita_endpoint.NAME`."""
    return f"{kind}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A GPU shape from specs.yaml that has all that Novita needs.

    gpu: GPUs per worker (count); rootfs_gb: rootfs disk (GB); region: Novita's cluster ID. Text is a `Secret`
    where a reference says it and may not be shown.
    """

    name: str
    product_id: str | Secret
    region: str | Secret
    gpu: int
    rootfs_gb: int
    cuda_version: str | Secret = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifecycle:
    """What the user said about an endpoint's fate. `ignore` holds wire paths or prefixes of them."""

    prevent_destroy: bool = False
    ignore: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Other worker counts than the YAML's, for a time. `until` is the moment from which on it is over."""

    min: int
    max: int
    until: datetime
    why: str

    def is_over(self, now: datetime) -> bool:
        return now >= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """One declared endpoint in normal form.

    `fields` holds what the mapping emits; `app_name` is sent on create even when it was not declared, and is
    among `fields` only when it was. `unset` are the paths of references that are unset, in runs that may do
    without: nobody can say there what is declared. A `partial` one is about its fields and its lease alone:
    all others stay as they are, live and recorded. `origin` is how its record will call it, `lease` the one
    that its record will hold.
    """

    name: str
    app_name: str
    fields: Fields
    lifecycle: Lifecycle = Lifecycle()
    renamed_from: str | None = None
    where: PlaceLookup = field(default=nowhere, compare=False, repr=False)
    unset: tuple[Path, ...] = ()
    partial: bool = False
    origin: Origin = "declared"
    lease: Lease | None = None

    @property
    def place(self) -> Place | None:
        """Where it is declared. Looked up each time: finding it may mean to read a file once more."""
        return self.where()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """An endpoint that the YAML says is declared no more; without `destroy` it is forgotten and lives on."""

    name: str
    destroy: bool = True
    place: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """One endpoint of the account in normal form.

    `fields` holds all that Novita reports of it, numbers as ints. `state` is Novita's word (`serving`, ...),
    `raw` those parts of the answer that plans do not compare: workers, times. `unread` are the wire paths of
    what has a form that cannot be read, `("id",)` and `("name",)` among them; such an ID is made up.
    """

    id: str
    name: str
    fields: Fields
    state: str = ""
    url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    unread: tuple[Path, ...] = ()

    @property
    def is_identified(self) -> bool:
        """Whether its ID is known."""
        return ("id",) not in self.unread

    @property
    def is_named(self) -> bool:
        """Whether its name is known."""
        return ("name",) not in self.unread

    @property
    def is_terminating(self) -> bool:
        """On its way out: it can neither be changed nor adopted."""
        return self.state in ("terminating", "deleting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """One record of the inventory: this ID is ours, and this is what we applied last (secrets sealed).

    `called` is the live name where that is not the record's: of an endpoint that was replaced and is still to
    be deleted. `renaming` is the name that a rename gives it whose outcome is not known yet, `renamed_from`
    the declared `renamedFrom` that was carried out last, or the name that one had which is set aside.
    One that is `adopted` was found by its name and never written by us: it may be somebody else's.
    """

    name: str
    id: str
    applied: Fields
    origin: Origin = "declared"
    prevent_destroy: bool = False
    called: str = ""
    lease: Lease | None = None
    renamed_from: str = ""
    renaming: str = ""
    adopted: bool = False

    @property
    def live_name(self) -> str:
        return self.called or self.name

    def may_have_name(self, name: str) -> bool:
        """Whether its endpoint goes by that name, as far as is known."""
        return name == self.live_name or (name == self.renaming and name != "")

    def deposed(self) -> Tracked:
        """The record of the same endpoint once another has taken its name; to be deleted."""
        return replace(
            self,
            name=f"{self.name} (deposed {self.id})",
            called=self.live_name,
            prevent_destroy=False,
            adopted=False,
            lease=None,
            renamed_from="",
            renaming="",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A create that was begun: written before the request leaves, closed after its outcome is known.

    `known_ids` are the live IDs of that name before the request; a new one that reads as `applied` is ours.
    """

    name: str
    known_ids: tuple[str, ...]
    app_name: str
    applied: Fields
    prevent_destroy: bool = False
    origin: Origin = "declared"
    renamed_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Name -> record, and the creates whose outcome is not known yet.

    `base_url` is the root of the URLs of the account that it was written for; "" where that is not known.
    """

    records: Mapping[str, Tracked] = field(default_factory=dict)
    intents: Mapping[str, Intent] = field(default_factory=dict)
    base_url: str = ""
    owner: Owner = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """All endpoints of the account, proven complete.

    `unidentified` are those whose ID cannot be read: they count, and nothing can be done about them.
    `pages` are the numbers of the pages that it came in. They are none where it came in a single page, and so
    shows the account at one moment.
    """

    endpoints: tuple[Live, ...]
    requests: int = 0
    unidentified: tuple[Live, ...] = ()
    pages: range = range(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer to a listing call. `total` is None when the answer did not say."""

    endpoints: tuple[Live, ...]
    total: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingProgress:
    """How far the listing of an account has come (counts of endpoints); `is_over` when it has ended."""

    count: int
    total: int
    is_over: bool = False


Limits: TypeAlias = Mapping[str, Json]
"""The account's quotas as `endpoint/limit` gives them."""
