"""The endpoint as a `kinds.base.Kind`.

What only some commands need is imported by the method that needs it, so that `plan` starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from reconciler.kinds.answer_reader import is_id, items_of, number
from reconciler.kinds.base import Kind, Locate
from reconciler.kinds.endpoint import codec, fields
from reconciler.kinds.endpoint.fields import AUTH, TABLE
from reconciler.model import resource
from reconciler.model.problem import Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Limits, Live, Page, Spec
from reconciler.model.values import ABSENT, Fields, Json, Path

if TYPE_CHECKING:
    from reconciler.kinds.draft import Draft
    from reconciler.model.market.cost import Usage
    from reconciler.model.plan import Change
    from reconciler.model.prewarm import PulledImage
    from reconciler.model.review.blast_radius import BlastRadius
    from reconciler.model.status import EndpointInfo, Managed, Readiness, Rollout, Worker
    from reconciler.yamlfile.edits import Edit


class Endpoint(Kind):
    """Novita's serverless endpoint over the v1 API."""

    type = resource.ENDPOINT
    noun = "endpoint"
    section = "endpoints"
    key = "endpoint"
    table = TABLE
    schema_definition = "fields"
    longest_name = fields.LONGEST_NAME
    shared_codes = frozenset({fields.IMAGE_WITHOUT_VERSION})
    uncompared = codec.UNCOMPARED
    needs = (resource.STORAGE, resource.REGISTRY)

    name_fields = frozenset({"endpoint", "appName", "renamedFrom", "specName", "imageAuth"})

    inner_fields = frozenset({fields.CREDENTIAL})

    @property
    def replica_range(self) -> tuple[Path, Path]:
        return fields.MIN, fields.MAX

    partial_fields = staticmethod(fields.partial_fields)

    unsendable = staticmethod(codec.unsendable)
    parse_one = staticmethod(codec.parse_one)

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        return _desired_endpoint()(declared, spec, locate, doubtful)

    def inner_items(self, item: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        from reconciler.kinds.endpoint.waverless_credential import credential_item

        if (credential := credential_item(item)) is not None:
            yield fields.CREDENTIAL, resource.REGISTRY, credential

    def value_problems(self, declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
        from reconciler.kinds.endpoint.images import image_problems

        return image_problems(declared, locate)

    @property
    def secret_fields(self) -> frozenset[str]:
        return super().secret_fields | {"probe"}

    def conflicts(self, desired: Iterable[Desired]) -> Iterator[Problem]:
        from reconciler.kinds.endpoint.from_yaml import shared_app_names

        return shared_app_names(desired)

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
        from reconciler.kinds.endpoint.yaml_edits import edits_for

        return edits_for(declared, paths, live, beneath=beneath, specs=specs, from_history=from_history)

    def list_request(self, page: int, size: int) -> Request:
        return Request(
            method="GET", path=f"{API_ROOT}/endpoints", query={"pageSize": str(size), "pageNum": str(page)}
        )

    def get_request(self, object_id: str) -> Request:
        return Request(method="GET", path=f"{API_ROOT}/endpoint", query={"id": object_id})

    def created_fields(self, desired: Desired, fields: Fields | None = None) -> Fields:
        return {"appName": desired.app_name, **(desired.fields if fields is None else fields)}

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body = codec.create_body(desired.fields if fields is None else fields, desired.app_name)
        return Request(method="POST", path=f"{API_ROOT}/endpoint/create", body=body, is_idempotent=False)

    def update_request(self, live: Live, fields: Fields) -> Request:
        return Request(
            method="POST", path=f"{API_ROOT}/endpoint/update", body=codec.update_body(live, fields)
        )

    def drain_request(self, worker_id: str) -> Request:
        """Return a request that no document describes and that one public client sends."""
        body = {"workerID": worker_id, "drain": True}
        return Request(method="POST", path=f"{API_ROOT}/endpoint/worker/drain", body=body)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        """Return the request with both keys first: the documentation says `name`, live users send `id`."""
        bodies = ({"id": object_id, "name": object_id}, {"id": object_id}, {"name": object_id})
        return tuple(Request(method="POST", path=f"{API_ROOT}/endpoint/delete", body=body) for body in bodies)

    def parse_page(self, answer: Json) -> Page:
        items = items_of(answer, "endpoints")
        if items and not any(map(codec.is_endpoint, items)):
            raise ValueError("`endpoints` holds none")
        return Page(endpoints=codec.parse_all(items), total=number(answer.get("total")))

    def parse_created(self, answer: Json) -> str | None:
        if not isinstance(answer, Mapping):
            return None
        inner = answer.get("endpoint")
        object_id = answer.get("id") or (inner.get("id") if isinstance(inner, Mapping) else None)
        return object_id if is_id(object_id) else None

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        from reconciler.kinds.endpoint.import_draft import importable

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
        from reconciler.kinds.endpoint.import_draft import draft

        return draft(live, specs, spec_names=spec_names, app_names=app_names, in_use=in_use)

    def named_item(self, name: str) -> dict[str, Any]:
        from reconciler.kinds.endpoint.to_yaml import named

        return named(name)

    def ordered_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        from reconciler.kinds.endpoint.to_yaml import ordered

        return ordered(item)

    def links(self, fields: Fields) -> Iterator[tuple[Path, str]]:
        for path, mount in fields.get("volumeMounts", {}).items():
            if mount.get("type") == "network" and mount.get("id"):
                yield ("volumeMounts", path, "id"), resource.STORAGE
        if fields.get("image", {}).get("authId"):
            yield AUTH, resource.REGISTRY

    def image_to_pull(self, fields: Fields) -> PulledImage | None:
        from reconciler.model.prewarm import PulledImage

        image, region = fields.get("image", {}), fields.get("clusterID")
        if not (image.get("image") and region):
            return None
        return PulledImage(image=image["image"], region=region, auth=image.get("authId", ""))

    def needs_limits(self, changes: Sequence[Change]) -> bool:
        from reconciler.kinds.endpoint.quotas import needs_limits

        return needs_limits(changes)

    def check_limits(self, changes: Sequence[Change], limits: Limits | None) -> Iterator[Problem]:
        from reconciler.kinds.endpoint.quotas import check_limits

        return check_limits(changes, limits)

    def fit_defaults(self, desired: Desired, limits: Limits | None, applied: Fields | None) -> Desired:
        if not desired.defaulted:
            return desired
        from reconciler.kinds.endpoint.quotas import fit_defaults

        return fit_defaults(desired, limits, applied)

    def change_notes(self, changes: Sequence[Change]) -> Iterator[Problem]:
        for change in changes:
            keys = [
                field.path[1]
                for field in change.fields
                if field.after is ABSENT and field.path[0] == "envs" and len(field.path) == 2
            ]
            if keys:
                from reconciler.kinds.endpoint.waverless_env import waverless_notes

                yield from waverless_notes(change, keys)

    def usage(self, fields: Fields) -> Usage:
        from reconciler.kinds.endpoint.usage import usage

        return usage(fields)

    def billed_workers(self, live: Live) -> tuple[Worker, ...]:
        from reconciler.kinds.endpoint.workers import billed_workers

        return billed_workers(live)

    def readiness(self, live: Live) -> Readiness:
        from reconciler.kinds.endpoint.status import readiness

        return readiness(live)

    def worker_ids(self, live: Live) -> tuple[str, ...]:
        from reconciler.kinds.endpoint.workers import worker_ids

        return worker_ids(live)

    def rollout(self, live: Live, former: Collection[str], paths: Collection[Path]) -> Rollout:
        from reconciler.kinds.endpoint.workers import rollout

        return rollout(live, former, paths)

    def blast_radius(self, change: Change) -> BlastRadius | None:
        from reconciler.kinds.endpoint.blast_radius import blast_radius

        return blast_radius(change)

    def endpoint_info(self, live: Live, managed: Managed | None = None) -> EndpointInfo:
        from reconciler.kinds.endpoint.status import endpoint_info

        return endpoint_info(live, managed)

    def surplus(self, live: Live, most: int) -> tuple[str, ...]:
        from reconciler.kinds.endpoint.workers import surplus

        return surplus(live, most)


@cache
def _desired_endpoint() -> Callable[..., tuple[Desired | None, tuple[Problem, ...]]]:
    """Return the mapping from YAML, imported once: an import statement takes 2 µs for each endpoint."""
    from reconciler.kinds.endpoint.from_yaml import desired_endpoint

    return desired_endpoint


ENDPOINT: Final = Endpoint()
