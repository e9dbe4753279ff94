"""A second kind, as small as one can be: credentials with a name, a user and a password.

Novita has something of the sort for image registries. It can be created, listed and deleted, and not updated.
`Console` puts its routes before those of the simulator, so that both kinds live in one account.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import count
from typing import Any, ClassVar

from reconciler.kinds.base import Kind, Locate
from reconciler.kinds.draft import Draft, Variable
from reconciler.kinds.fields import Field, FieldTable
from reconciler.model.problem import Place, Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Live, Page, Spec
from reconciler.model.values import Fields, Json, Path, Reference
from reconciler.simulator.api import Request as Received
from reconciler.simulator.api import Response, answer, error
from reconciler.simulator.world import World

TYPE = "novita_credential"


class Credential(Kind):
    """The toy kind."""

    type = TYPE
    section = "credentials"
    key = "credential"
    table = FieldTable(
        Field(path=("name",), topic="credential", is_ignorable=False, is_public=True),
        Field(path=("username",), names=("username",)),
        Field(path=("password",), names=("password",), is_secret=True),
    )
    can_update = False
    not_found_reasons = ("CREDENTIAL_NOT_FOUND",)
    in_use_reasons = ("CREDENTIAL_IN_USE",)
    item_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {key: {"type": "string"} for key in ("credential", "username", "password")},
        "required": ["credential", "username", "password"],
        "additionalProperties": False,
    }

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        name = declared[self.key]
        fields = {"name": name, "username": declared["username"], "password": declared["password"]}

        def find(path: Path) -> Place | None:
            return locate(path) or locate((self.key,))

        return Desired(name=name, app_name="", fields=fields, find_place=find, kind=TYPE), ()

    def importable(
        self, live: Sequence[Live], taken: Iterable[str]
    ) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
        used = set(taken)
        return tuple(credential for credential in live if credential.name not in used), ()

    def draft(
        self,
        live: Sequence[Live],
        specs: Sequence[Spec],
        *,
        spec_names: Iterable[str],
        app_names: Iterable[str],
        in_use: Mapping[str, str | None],
    ) -> Draft:
        names = {one.name: f"{one.name.upper()}_PASSWORD" for one in live}
        return Draft(
            live=tuple(live),
            items=tuple(
                {
                    "credential": one.name,
                    "username": one.fields["username"],
                    "password": f"${{env:{names[one.name]}}}",
                }
                for one in live
            ),
            new_specs=(),
            variables=tuple(
                Variable(name=names[one.name], value=one.fields["password"], endpoints=(one.name,))
                for one in live
            ),
        )

    def list_request(self, page: int, size: int) -> Request:
        query = {"pageNum": str(page), "pageSize": str(size)}
        return Request(method="GET", path=f"{API_ROOT}/credentials", query=query)

    def get_request(self, object_id: str) -> Request:
        return Request(method="GET", path=f"{API_ROOT}/credential", query={"id": object_id})

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body = dict(desired.fields if fields is None else fields)
        return Request(method="POST", path=f"{API_ROOT}/credential/create", body=body, is_idempotent=False)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        return (Request(method="POST", path=f"{API_ROOT}/credential/delete", body={"id": object_id}),)

    def parse_page(self, answer: Json) -> Page:
        if not isinstance(answer, dict) or "credentials" not in answer:
            raise ValueError("no `credentials` in the answer")
        return Page(endpoints=tuple(map(self.parse_one, answer["credentials"])), total=answer["total"])

    def parse_one(self, answer: Json) -> Live:
        if not isinstance(answer, dict) or "username" not in answer:
            raise ValueError("no credential")
        fields = {key: answer[key] for key in ("name", "username", "password")}
        return Live(id=answer["id"], name=answer["name"], fields=fields, kind=TYPE)

    def parse_created(self, answer: Json) -> str | None:
        return answer.get("id") if isinstance(answer, dict) else None


CREDENTIAL = Credential()

ROBOT_TYPE = "novita_robot"


class Robot(Kind):
    """A kind with updates, whose objects use a credential."""

    type = ROBOT_TYPE
    section = "robots"
    key = "robot"
    table = FieldTable(
        Field(path=("name",), topic="robot", is_ignorable=False, is_public=True),
        Field(path=("credentialId",), names=("credential",), is_public=True),
        Field(path=("task",), names=("task",)),
    )
    needs = (TYPE,)
    item_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {key: {"type": "string"} for key in ("robot", "credential", "task")},
        "required": ["robot", "credential"],
        "additionalProperties": False,
    }

    def from_yaml(
        self, declared: Mapping[str, Any], spec: Spec | None, locate: Locate, doubtful: Set[str] = frozenset()
    ) -> tuple[Desired | None, tuple[Problem, ...]]:
        name = declared[self.key]
        fields = {
            "name": name,
            "credentialId": Reference(TYPE, declared["credential"]),
            "task": declared.get("task", "wave"),
        }

        def find(path: Path) -> Place | None:
            return locate(("credential",)) if path == ("credentialId",) else locate((self.key,))

        return Desired(name=name, app_name="", fields=fields, find_place=find, kind=ROBOT_TYPE), ()

    def links(self, fields: Fields) -> Iterator[tuple[Path, str]]:
        yield ("credentialId",), TYPE

    def list_request(self, page: int, size: int) -> Request:
        query = {"pageNum": str(page), "pageSize": str(size)}
        return Request(method="GET", path=f"{API_ROOT}/robots", query=query)

    def get_request(self, object_id: str) -> Request:
        return Request(method="GET", path=f"{API_ROOT}/robot", query={"id": object_id})

    def create_request(self, desired: Desired, fields: Fields | None = None) -> Request:
        body = dict(desired.fields if fields is None else fields)
        return Request(method="POST", path=f"{API_ROOT}/robot/create", body=body, is_idempotent=False)

    def update_request(self, live: Live, fields: Fields) -> Request:
        body = {**live.fields, **fields, "id": live.id}
        return Request(method="POST", path=f"{API_ROOT}/robot/update", body=body)

    def delete_requests(self, object_id: str) -> tuple[Request, ...]:
        return (Request(method="POST", path=f"{API_ROOT}/robot/delete", body={"id": object_id}),)

    def parse_page(self, answer: Json) -> Page:
        return Page(endpoints=tuple(map(self.parse_one, answer["robots"])), total=answer["total"])

    def parse_one(self, answer: Json) -> Live:
        fields = {key: answer[key] for key in ("name", "credentialId", "task")}
        return Live(id=answer["id"], name=answer["name"], fields=fields, kind=ROBOT_TYPE)

    def parse_created(self, answer: Json) -> str | None:
        return answer.get("id") if isinstance(answer, dict) else None


ROBOT = Robot()


class Console:
    """The toy's side of an account: routes before those of a simulated world."""

    def __init__(self, world: World) -> None:
        self._handle = world.handle
        self._ids = count(1)
        self.robots: dict[str, dict[str, str]] = {}
        self.refused: set[str] = set()
        self.dies_after_updates = False
        self.credentials: dict[str, dict[str, str]] = {}
        self.is_in_use = False

    def add(self, **fields: str) -> str:
        """Make a credential and return its ID."""
        object_id = f"cred-{next(self._ids)}"
        self.credentials[object_id] = {"id": object_id, **fields}
        return object_id

    def by_name(self, name: str) -> dict[str, str]:
        """Return the one credential of that name."""
        (found,) = [one for one in self.credentials.values() if one["name"] == name]
        return found

    def _users(self, credential_id: str) -> list[str]:
        return [robot["name"] for robot in self.robots.values() if robot["credentialId"] == credential_id]

    def _robots(self, path: str, request: Received) -> Response:
        body = json.loads(request.body) if request.body else {}
        object_id = body.get("id") or request.query.get("id", "")
        match path:
            case "/robots":
                return answer({"robots": list(self.robots.values()), "total": len(self.robots)})
            case "/robot/create":
                if body["credentialId"] not in self.credentials:
                    return error(400, "VALIDATOR_PARAM", f"no credential {body['credentialId']}")
                object_id = f"robot-{next(self._ids)}"
                self.robots[object_id] = {"id": object_id, **body}
                return answer({"id": object_id})
            case _ if object_id not in self.robots:
                return error(404, "ENDPOINT_NOT_FOUND", "no such robot")
            case "/robot/update":
                if body["credentialId"] not in self.credentials:
                    return error(400, "VALIDATOR_PARAM", f"no credential {body['credentialId']}")
                self.robots[object_id] = body
                if self.dies_after_updates:
                    self.refused.add("/robot/update")
                return answer({})
            case "/robot/delete":
                self.robots.pop(object_id)
                return answer({})
            case _:
                return answer(self.robots[object_id])

    def handle(self, request: Received) -> Response:
        """Answer a request about credentials; the world answers all others."""
        path = request.path.removeprefix(API_ROOT)
        if path in self.refused:
            return error(400, "REFUSED", "not today")
        if path.startswith("/robot"):
            return self._robots(path, request)
        match path:
            case "/credentials":
                return answer(
                    {"credentials": list(self.credentials.values()), "total": len(self.credentials)}
                )
            case "/credential" if request.query["id"] in self.credentials:
                return answer(self.credentials[request.query["id"]])
            case "/credential/create":
                return answer({"id": self.add(**json.loads(request.body))})
            case "/credential/delete" if self.is_in_use:
                return error(409, "CREDENTIAL_IN_USE", "an endpoint pulls its image with it")
            case "/credential/delete" if self._users(json.loads(request.body)["id"]):
                return error(400, "CREDENTIAL_IN_USE", "a robot uses it")
            case "/credential/delete":
                self.credentials.pop(json.loads(request.body)["id"])
                return answer({})
            case "/credential":
                return error(404, "CREDENTIAL_NOT_FOUND", "no such credential")
            case _:
                return self._handle(request)
