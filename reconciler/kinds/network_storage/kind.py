"""The network storage as a `kinds.base.Kind`.

What only some commands need is imported by the method that needs it, so that `plan` starts fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Final

from reconciler.kinds.base import Kind, Locate
from reconciler.kinds.fields import value_of
from reconciler.kinds.network_storage.fields import LONGEST_NAME, REGION, SIZE, TABLE, UNCOMPARED
from reconciler.model import resource
from reconciler.model.problem import Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Live, Page, Spec, Tracked
from reconciler.model.values import Fields, Json, Path

if TYPE_CHECKING:
    from decimal import Decimal

    from reconciler.kinds.draft import Draft
    from reconciler.model.market.cost import StorageUsage
    from reconciler.model.plan import Change, Create
    from reconciler.yamlfile.edits import Edit


class NetworkStorage(Kind):
    """Novita's network storage over the v1 API. It grows and is renamed in place, and keeps its region."""

    type = resource.STORAGE
    noun = "network storage"
    section = "storages"
    key = "name"
    table = TABLE
    longest_name = LONGEST_NAME
    schema_definition = "mergedStorage"
    uncompared = UNCOMPARED
    refusal_codes = ("storage-region", "storage-shrink")
    not_found_reasons = ("NETWORK_STORAGE_NOT_FOUND",)
    in_use_reasons = ("NETWORK_STORAGE_IN_USE",)
    name_fields = frozenset({"name", "renamedFrom"})

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        from reconciler.kinds.network_storage.from_yaml import desired_storage

        return desired_storage(declared, locate)

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
        from reconciler.kinds.network_storage.to_yaml import edits_for

        return edits_for(declared, paths, live)

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        from reconciler.kinds.network_storage.to_yaml import importable

        return importable(live, taken)

    def draft(
        self,
        live: Sequence[Live],
        specs: Sequence[Spec],
        *,
        spec_names: Iterable[str],
        app_names: Iterable[str],
        in_use: Mapping[str, str | None],
    ) -> Draft:
        from reconciler.kinds.draft import Draft
        from reconciler.kinds.network_storage.to_yaml import item_of

        return Draft(
            live=tuple(live), items=tuple(item_of(storage) for storage in live), new_specs=(), variables=()
        )

    def list_request(self, page: int, size: int) -> Request:
        """Return the request for a page. Novita counts the pages of this listing from 1, `page` from 0."""
        query = {"pageNo": str(page + 1), "pageSize": str(size)}
        return Request(method="GET", path=f"{API_ROOT}/networkstorages/list", query=query)

    def get_request(self, object_id: str) -> Request:
        """Return a listing with one ID: there is no other way to read a single storage."""
        query = {"pageNo": "1", "pageSize": "100", "storageId": object_id}
        return Request(method="GET", path=f"{API_ROOT}/networkstorages/list", query=query)

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body = _body(desired.fields if fields is None else fields)
        return Request(
            method="POST", path=f"{API_ROOT}/networkstorage/create", body=body, is_idempotent=False
        )

    def update_request(self, live: Live, fields: Fields) -> Request:
        """Return the one call that renames and grows a storage. It always carries both."""
        body = _body({**live.fields, **fields})
        body.pop("clusterId", None)
        return Request(
            method="POST", path=f"{API_ROOT}/networkstorage/update", body={"storageId": live.id, **body}
        )

    def unsendable(self, live: Live, fields: Fields) -> tuple[Path, ...]:
        return tuple(path for path in live.unread if path in TABLE.by_path and path[0] not in fields)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        path = f"{API_ROOT}/networkstorage/delete"
        return (Request(method="POST", path=path, body={"storageId": object_id}),)

    def parse_page(self, answer: Json) -> Page:
        from reconciler.kinds.network_storage.codec import parse_page

        return parse_page(answer)

    def parse_one(self, answer: Json) -> Live:
        from reconciler.kinds.network_storage.codec import parse_one

        return parse_one(answer)

    def find_one(self, answer: Json, object_id: str) -> Live | None:
        from reconciler.kinds.network_storage.codec import find_one

        return find_one(answer, object_id)

    def parse_created(self, answer: Json) -> str | None:
        from reconciler.kinds.network_storage.codec import parse_created

        return parse_created(answer)

    def usage(self, fields: Fields) -> StorageUsage:
        from reconciler.kinds.network_storage.usage import usage

        return usage(fields)

    def price_per_gb_day(self, live: Live) -> Decimal | None:
        from reconciler.kinds.network_storage.usage import price_per_gb_day

        return price_per_gb_day(live)

    def link_problems(self, user: Desired, path: Path, used: Desired) -> Iterator[Problem]:
        from reconciler.kinds.network_storage.refusals import region_problems

        return region_problems(user, path, used)

    def lost_with(self, live: Live) -> str:
        size, region = value_of(live.fields, SIZE), value_of(live.fields, REGION)
        return f"{size or 'an unknown number of'} GB in {region or 'an unknown region'}"

    def refusal(self, change: Change) -> Problem | None:
        from reconciler.kinds.network_storage.refusals import refusal

        return refusal(change)

    def gone_warning(self, change: Create, gone: Tracked, users: str) -> Problem | None:
        from reconciler.kinds.network_storage.refusals import gone_warning

        return gone_warning(change, gone, users)


def _body(fields: Fields) -> dict[str, Json]:
    """Return the normal form as Novita spells it."""
    names = {"name": "storageName"}
    keys = [row.path[0] for row in TABLE.rows]
    return {names.get(key, key): fields[key] for key in keys if key in fields}


STORAGE: Final = NetworkStorage()
