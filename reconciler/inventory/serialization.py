"""Records, intents and the owner as JSON, and their strict parsing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from sys import intern
from typing import Any, Final, cast

from reconciler.inventory import strict_json
from reconciler.inventory.strict_json import Malformed
from reconciler.kinds.registry import KINDS
from reconciler.model.encoding import json_line
from reconciler.model.resource import ENDPOINT, Intent, Origin, Owner, Tracked
from reconciler.model.secrets import Sealed, parse_seal
from reconciler.model.sync.lease import Lease
from reconciler.model.text import TIME_FORMAT, utc_text
from reconciler.model.values import Fields, Json

_RECORD_KEYS = frozenset(
    {
        *("id", "applied", "origin", "prevent_destroy", "called", "lease", "declared_counts"),
        *("renamed_from", "renaming", "adopted"),
    }
)
_LEASE_KEYS = frozenset({"min", "max", "until", "why"})
MAX_WORKERS: Final = 2**31 - 1
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")
OWNER_KEYS = frozenset({"base_url", "account", "root", "files", "environment"})


def record_to_json(tracked: Tracked) -> dict[str, Any]:
    """Return a record without its name. Default values are left out to keep the map short.

    Seals are left to the encoder, to be converted by `seal_to_json`. It raises TypeError if a secret is not
    sealed, because it must never reach the disk.
    """
    record: dict[str, Any] = {"id": tracked.id, "applied": tracked.applied}
    if tracked.origin == "imperative":
        record["origin"] = tracked.origin
    if tracked.prevent_destroy:
        record["prevent_destroy"] = True
    if tracked.adopted:
        record["adopted"] = True
    if tracked.called:
        record["called"] = tracked.called
    if tracked.renamed_from:
        record["renamed_from"] = tracked.renamed_from
    if tracked.renaming:
        record["renaming"] = tracked.renaming
    if tracked.lease:
        record["lease"] = _lease_to_json(tracked.lease)
    if tracked.declared_counts:
        record["declared_counts"] = tracked.declared_counts
    return record


def record_from_json(
    name: str, record: Json, kind: str = ENDPOINT, *, valid: Fields | None = None
) -> Tracked:
    """Return the record in a value from `loads`. Raise `Malformed` with all errors in one sentence.

    Fields that are the object `valid` need no check.
    """
    errors = [*_name_errors(name), *_record_errors(record, kind, valid)]
    if errors:
        raise Malformed("; ".join(errors))
    return Tracked(
        name=name,
        id=record["id"],
        applied=record["applied"],
        origin=cast(Origin, record.get("origin", "declared")),
        prevent_destroy=record.get("prevent_destroy", False),
        adopted=record.get("adopted", False),
        called=record.get("called", ""),
        renamed_from=record.get("renamed_from", ""),
        renaming=record.get("renaming", ""),
        lease=_lease_from_json(record["lease"]) if "lease" in record else None,
        declared_counts=record.get("declared_counts", ""),
        kind=kind,
    )


def owner_to_json(base_url: str, owner: Owner) -> dict[str, Json]:
    """Return the properties of the whole inventory. Unknown ones are left out."""
    texts = {"account": owner.account, "root": owner.root, "environment": owner.environment}
    known: dict[str, Json] = {key: text for key, text in texts.items() if text}
    files = {} if owner.files is None else {"files": list(owner.files)}
    return {"base_url": base_url, **known, **files}


def owner_from_json(facts: Mapping[str, Any]) -> tuple[str, Owner]:
    """Return the base URL and the owner. Raise `Malformed` with all errors in one sentence."""
    errors = list(_owner_errors(facts))
    if errors:
        raise Malformed("; ".join(errors))
    files = facts.get("files")
    return facts["base_url"], Owner(
        account=facts.get("account", ""),
        root=facts.get("root", ""),
        files=None if files is None else tuple(files),
        environment=facts.get("environment", ""),
    )


def _owner_errors(facts: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(facts.get("base_url"), str):
        yield '"base_url" must be a string'
    account = facts.get("account", "0" * 12)
    if not (isinstance(account, str) and _FINGERPRINT.fullmatch(account)):
        yield '"account" must be 12 hex digits'
    if not isinstance(facts.get("root", ""), str):
        yield '"root" must be a path, a string'
    if not isinstance(facts.get("environment", ""), str):
        yield '"environment" must be a name, a string'
    files = facts.get("files", [])
    if not (isinstance(files, list) and all(isinstance(file, str) for file in files)):
        yield '"files" must be a list of paths'


def _name_errors(name: str) -> Iterator[str]:
    if not name:
        yield "its name is empty"


def _record_errors(record: Json, kind: str, valid: Fields | None) -> Iterator[str]:
    if not isinstance(record, dict):
        yield f"a record must be an object, not {_type_name(record)}"
        return
    if not isinstance(record.get("id"), str) or not record["id"] or not record["id"].isprintable():
        yield '"id" must be the endpoint ID, a string'
    if valid is None or record.get("applied") is not valid:
        yield from _field_errors(record.get("applied"), kind)
    if record.keys() <= {"id", "applied"}:
        return  # as most records, and faster than to look for each of the other keys
    for key in sorted(record.keys() - _RECORD_KEYS):
        yield f"unknown key {json.dumps(key)}"
    if record.get("origin", "declared") not in ("declared", "imperative"):
        yield '"origin" must be "declared" or "imperative"'
    for flag in ("prevent_destroy", "adopted"):
        if not isinstance(record.get(flag, False), bool):
            yield f'"{flag}" must be true or false'
    for key in ("called", "renamed_from", "renaming"):
        if not isinstance(record.get(key, ""), str):
            yield f'"{key}" must be a name, a string'
    if not isinstance(record.get("declared_counts", ""), str):
        yield '"declared_counts" must be a string'
    if "lease" in record and _lease_from_json(record["lease"]) is None:
        yield '"lease" must have "min", "max", "until" such as 2026-01-31T12:00:00Z, and "why"'


def _field_errors(applied: Json, kind: str) -> Iterator[str]:
    if not isinstance(applied, dict):
        yield '"applied" must be an object'
        return
    if kind not in KINDS:
        yield f"there is no kind {json.dumps(kind)}"
        return
    yield from KINDS[kind].misfits(applied, "applied")


def _lease_to_json(lease: Lease) -> dict[str, Json]:
    until = utc_text(lease.until.astimezone(UTC))
    return {"min": lease.min, "max": lease.max, "until": until, "why": lease.why}


def _lease_from_json(value: Json) -> Lease | None:
    """Return the lease, or None if the value is not one."""
    match value:
        case {"min": int(low), "max": int(high), "until": str(until), "why": str(why)} if (
            value.keys() == _LEASE_KEYS and type(low) is type(high) is int and 0 <= low <= high <= MAX_WORKERS
        ):
            try:
                ending = datetime.strptime(until, TIME_FORMAT).replace(tzinfo=UTC)
            except ValueError:
                return None
            return Lease(min=low, max=high, until=ending, why=why)
        case _:
            return None


def intent_to_json(intent: Intent) -> dict[str, Json]:
    """Return an intent. Seals are left to the encoder, as in a record."""
    value: dict[str, Json] = {
        "name": intent.name,
        "known_ids": list(intent.known_ids),
        "app_name": intent.app_name,
        "applied": intent.applied,
        "prevent_destroy": intent.prevent_destroy,
    }
    if intent.origin != "declared":
        value["origin"] = intent.origin
    if intent.renamed_from:
        value["renamed_from"] = intent.renamed_from
    if intent.kind != ENDPOINT:
        value["kind"] = intent.kind
    return value


def intent_from_json(value: Json) -> Intent:
    """Return the intent in a value from `loads`. Raise `Malformed` if it is not one."""
    match value:
        case {
            "name": str(name),
            "known_ids": [*ids],
            "app_name": str(app_name),
            "applied": dict(applied),
            "prevent_destroy": bool(prevent_destroy),
        } if (
            name
            and all(isinstance(item, str) for item in ids)
            and type(prevent_destroy) is bool
            and not any(_field_errors(applied, str(value.get("kind", ENDPOINT))))
        ):
            return Intent(
                name=name,
                known_ids=tuple(ids),
                app_name=app_name,
                applied=applied,
                prevent_destroy=prevent_destroy,
                origin="imperative" if value.get("origin") == "imperative" else "declared",
                renamed_from=str(value.get("renamed_from", "")),
                kind=str(value.get("kind", ENDPOINT)),
            )
        case _:
            raise Malformed("an intent must have name, known_ids, app_name, applied and prevent_destroy")


def loads(text: str | bytes) -> Json:
    """Parse JSON of the inventory, with fingerprints as `Sealed`. Raise ValueError, mostly `Malformed`."""
    return strict_json.loads(text.decode() if isinstance(text, bytes) else text, _object)


def _object(pairs: list[tuple[str, Any]]) -> Sealed | dict[str, Any]:
    built = {key: intern(value) if value.__class__ is str else value for key, value in pairs}
    if len(built) != len(pairs):
        (key, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise Malformed(f"{json_line(key)} appears twice")
    return parse_seal(built) if "hmac-sha256" in built else built


def _type_name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case Sealed():
            return "a fingerprint"
        case _:
            return "a list"
