"""The lock of a state, as Terraform describes it, and the facts about its holder.

A plain server returns all that the holder sent. GitLab keeps only the ID, replaces `Who` and `Created` by its
own, and repeats the other fields of the run that asks. So with GitLab the facts are a part of the ID.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from reconciler.inventory.lock_holder import LockHolder
from reconciler.model.encoding import json_bytes
from reconciler.model.lazy_dataclass import dataclass

MAX_ID: Final = 255
"""Characters of an ID that GitLab keeps."""

MAX_BODY: Final = 1 << 16
"""Bytes of a description of a lock."""

_FACTS: Final = ("ci_run_url", "command", "pid", "host", "version")
"""The facts in an ID of GitLab, the first ones first: the others are left out if there is no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock that is held. `id`: as the server knows it."""

    id: str
    holder: LockHolder


def new_lock_id(holder: LockHolder, *, is_gitlab: bool) -> str:
    """Return the ID of a new lock. With GitLab it has the facts about the holder after a space."""
    nonce = str(uuid.uuid4())
    if not is_gitlab:
        return nonce
    facts: dict[str, Any] = {}
    for name in _FACTS:
        value = getattr(holder, name)
        if value and len(_with_facts(nonce, {**facts, name: value})) <= MAX_ID:
            facts[name] = value
    return _with_facts(nonce, facts)


def short_id(lock_id: str) -> str:
    """Return the part of an ID that names the lock, for people to type."""
    return lock_id.partition(" ")[0]


def describe(lock_id: str, holder: LockHolder, label: str) -> bytes:
    """Return the body of a request for the lock, or to free it."""
    facts = {name: getattr(holder, name) for name in _FACTS}
    return json_bytes(
        {
            "ID": lock_id,
            "Operation": holder.command,
            "Info": json.dumps(facts),
            "Who": f"{holder.who}@{holder.host}",
            "Version": holder.version,
            "Created": holder.since,
            "Path": label,
        }
    )


def parse_lock(body: bytes, *, is_gitlab: bool) -> Lock | None:
    """Return the lock that an answer describes, or None if it describes none."""
    try:
        info = json.loads(body) if len(body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(info, dict) or not isinstance(lock_id := info.get("ID"), str) or not lock_id:
        return None
    facts = _object(lock_id.partition(" ")[2] if is_gitlab else _field(info, "Info"))
    who, _, host = _field(info, "Who").rpartition("@") if not is_gitlab else (_field(info, "Who"), "", "")
    pid = facts.get("pid")
    return Lock(
        id=lock_id,
        holder=LockHolder(
            who=who or _field(info, "Who") or "an unknown user",
            host=_field(facts, "host") or host or "an unknown machine",
            pid=pid if type(pid) is int else 0,
            command=_field(facts, "command") or ("" if is_gitlab else _field(info, "Operation")),
            since=_field(info, "Created"),
            ci_run_url=_field(facts, "ci_run_url"),
            version=_field(facts, "version"),
            lock_id=short_id(lock_id),
        ),
    )


def _with_facts(nonce: str, facts: Mapping[str, Any]) -> str:
    return f"{nonce} {json.dumps(facts, separators=(',', ':'))}"


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _field(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
