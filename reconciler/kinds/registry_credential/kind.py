"""The registry credential as a `kinds.base.Kind`.

What only some commands need is imported by the method that needs it, so that `plan` starts fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, Final

from reconciler.kinds.base import Kind, Locate
from reconciler.kinds.registry_credential.fields import LONGEST_NAME, TABLE, USERNAME
from reconciler.model import resource
from reconciler.model.problem import Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Live, Page, Spec
from reconciler.model.values import Fields, Json, Path

if TYPE_CHECKING:
    from reconciler.kinds.draft import Draft
    from reconciler.yamlfile.edits import Edit


class RegistryCredential(Kind):
    """Novita's credential of a container registry over the v1 API. It can be saved, listed and deleted.

    A change is a rotation: a new credential is saved, its users get the new ID, and the old one is deleted.
    """

    type = resource.REGISTRY
    noun = "registry credential"
    section = "registries"
    key = "name"
    table = TABLE
    longest_name = LONGEST_NAME
    schema_definition = "mergedRegistry"
    can_update = False
    creates_first = True
    is_paged = False
    may_omit_id = True
    identifying = (USERNAME,)
    not_found_reasons = ("RESOURCE_NOT_FOUND",)
    in_use_reasons = ("IMAGE_AUTH_IN_USE",)
    name_fields = frozenset({"name", "registry"})

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        from reconciler.kinds.registry_credential.from_yaml import desired_credential

        return desired_credential(declared, locate)

    def link_problems(self, user: Desired, path: Path, used: Desired) -> Iterator[Problem]:
        from reconciler.kinds.registry_credential.from_yaml import other_registry

        return other_registry(user, path, used)

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
        from reconciler.kinds.registry_credential.to_yaml import edits_for

        return edits_for(declared, paths, live)

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        from reconciler.kinds.registry_credential.to_yaml import importable

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
        from reconciler.kinds.registry_credential.to_yaml import draft

        return draft(live, in_use)

    def list_request(self, page: int, size: int) -> Request:
        """Return the only read that Novita offers: one answer with all credentials and their passwords."""
        return Request(method="GET", path=f"{API_ROOT}/repository/auths", is_confidential=True)

    def get_request(self, object_id: str) -> Request:
        return self.list_request(0, 0)

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body: Json = dict(desired.fields if fields is None else fields)
        return Request(method="POST", path=f"{API_ROOT}/repository/auth/save", body=body, is_idempotent=False)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        path = f"{API_ROOT}/repository/auth/delete"
        return (Request(method="POST", path=path, body={"id": object_id}),)

    def parse_page(self, answer: Json) -> Page:
        from reconciler.kinds.registry_credential.codec import parse_page

        return parse_page(answer)

    def parse_one(self, answer: Json) -> Live:
        from reconciler.kinds.registry_credential.codec import parse_one

        return parse_one(answer)

    def find_one(self, answer: Json, object_id: str) -> Live | None:
        from reconciler.kinds.registry_credential.codec import find_one

        return find_one(answer, object_id)

    def parse_created(self, answer: Json) -> str | None:
        from reconciler.kinds.registry_credential.codec import parse_created

        return parse_created(answer)


REGISTRY: Final = RegistryCredential()
