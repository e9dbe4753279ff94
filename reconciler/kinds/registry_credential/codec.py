"""Conversion of Novita's answers about registry credentials to normal form.

The listing has the passwords in clear text. Each one is a `Secret` from here on, which has no JSON form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.answer_reader import AnswerReader, is_id, items_of, text
from reconciler.kinds.registry_credential.fields import PASSWORD, USERNAME
from reconciler.model import resource
from reconciler.model.resource import Live, Page
from reconciler.model.secrets import Secret
from reconciler.model.values import Json


def parse_page(answer: Json) -> Page:
    """Return the listing, which is one answer. Raise ValueError if the answer is no listing."""
    items = items_of(answer, "data")
    credentials = tuple(_parse(item, place) for place, item in enumerate(items))
    if items and not any(credential.is_identified for credential in credentials):
        raise ValueError("`data` holds no registry credential")
    return Page(endpoints=credentials, total=len(credentials))


def parse_one(answer: Json) -> Live:
    """Return one credential. Raise ValueError if the answer is not one."""
    if not isinstance(answer, Mapping) or "username" not in answer:
        raise ValueError("no registry credential")
    return _parse(answer, 0)


def find_one(answer: Json, object_id: str) -> Live | None:
    """Return the credential of that ID from the listing; None if it does not exist."""
    return next((live for live in parse_page(answer).endpoints if live.id == object_id), None)


def parse_created(answer: Json) -> str | None:
    """Return the ID, which only some sources find in the answer; None without one."""
    object_id = answer.get("id") if isinstance(answer, Mapping) else None
    return object_id if is_id(object_id) else None


def _parse(answer: Json, place: int) -> Live:
    """Return one item of a listing. `place` is its number, for an item without a readable ID."""
    holder = answer if isinstance(answer, Mapping) else {}
    reader = AnswerReader()
    fields: dict[str, Any] = {}
    if name := reader.name(holder.get("name")):
        fields["name"] = name
    fields["username"] = reader.text(holder.get("username"), USERNAME)
    password = text(holder.get("password", ""))
    if password is None:
        reader.unread.append(PASSWORD)
    else:
        fields["password"] = Secret(value=password, source="live")
    object_id = holder.get("id")
    if not is_id(object_id):
        object_id = f"unreadable {place}"
        reader.unread.append(("id",))
    return Live(id=object_id, name=name, fields=fields, unread=tuple(reader.unread), kind=resource.REGISTRY)
