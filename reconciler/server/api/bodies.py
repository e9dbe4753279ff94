"""Request bodies: JSON objects whose fields are those of the original service."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from starlette.requests import Request

from reconciler.sdk.requests import (
    CREDENTIAL_ADVICE,
    NO_CREDENTIAL,
    DeployRequest,
    UpdateDeploymentRequest,
    camel_case,
)
from reconciler.server.guard import BodyTooLarge, read_body
from reconciler.server.settings import MAX_BODY_SIZE


class BadBody(Exception):
    """A body that is no request. `field` is the field that is wrong, or ""."""

    def __init__(self, summary: str, hint: str, *, field: str = "", status: int = 400) -> None:
        super().__init__(summary)
        self.summary, self.hint, self.field, self.status = summary, hint, field, status


_DEPLOY_FIELDS: Final = frozenset(camel_case(field.name) for field in dataclasses.fields(DeployRequest))
_UPDATE_FIELDS: Final = frozenset(
    camel_case(field.name) for field in dataclasses.fields(UpdateDeploymentRequest)
) - {"endpoint"}
_NOT_SENT: Final = frozenset({"gpuCount", "imagePrefix", "labels", "validateImage"})
"""Fields that are accepted and checked, and that Novita does not have."""

_REQUIRED: Final = ("endpoint", "specName", "image")
_DEPLOY_HINT: Final = 'send {"endpoint": "NAME", "specName": "SPEC", "image": "IMAGE", "replicas": 1}'


async def json_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a body, of any content type. Raise BadBody."""
    try:
        content = await read_body(request)
    except BodyTooLarge:
        raise BadBody(f"the body has more than {MAX_BODY_SIZE} bytes", "send less", status=413) from None
    except TimeoutError:
        raise BadBody("the body did not arrive in time", "send it again", status=408) from None
    if not content.strip():
        raise BadBody("EOF: the body is empty", "send a JSON object")
    try:
        value = json.loads(content.decode(), parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # refuses halves of surrogate pairs
    except UnicodeError:
        raise BadBody("the body is not valid UTF-8 text", "encode it as UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BadBody(f"the body is not JSON: {error.msg} at {where}", "send a JSON object") from None
    except (ValueError, RecursionError):
        raise BadBody("the body is not JSON that can be read", "send a JSON object") from None
    if not isinstance(value, dict):
        raise BadBody("the body is not a JSON object", "send a JSON object, such as {}")
    return value


def deploy_item(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the endpoint of a deploy request in the form of the YAML, and its ignored fields.

    Fields that are null count as absent. Raise BadBody.
    """
    for name in _REQUIRED:
        if body.get(name) in (None, ""):
            raise BadBody(f"`{name}` is required", _DEPLOY_HINT, field=name)
        if not isinstance(body[name], str):
            raise BadBody(f"`{name}` must be text", _DEPLOY_HINT, field=name)
    if body.get("registryCredential"):
        raise BadBody(NO_CREDENTIAL, CREDENTIAL_ADVICE, field="registryCredential")
    return _known(body, _DEPLOY_FIELDS)


def update_fields(body: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields of an update request, and its ignored fields. An empty image counts as absent."""
    fields, ignored = _known(body, _UPDATE_FIELDS)
    if fields.get("image") == "":
        del fields["image"]
    return fields, ignored


def replicas_of(body: Mapping[str, Any]) -> int:
    """Return the number of workers of a scale request. Raise BadBody."""
    replicas = body.get("replicas")
    if type(replicas) is not int or replicas < 0:
        raise BadBody(
            "`replicas` must be a number from 0 on", 'send {"replicas": 3}, for example', field="replicas"
        )
    return replicas


def _known(body: Mapping[str, Any], names: frozenset[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    given = {name: value for name, value in body.items() if value is not None}
    known = {name: value for name, value in given.items() if name in names}
    return known, tuple(sorted(given.keys() - (names - _NOT_SENT) - {"endpoint"}))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
