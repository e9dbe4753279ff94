"""The parts that every JSON document is made of: who, which fields, and values without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.plan import ABSENT, Absent, FieldChange
from reconciler.model.values import WORDS, Fields, Json, Value, is_open, mask


def identity(name: str, address: str) -> dict[str, Json]:
    """The keys that say which endpoint it is about, as Terraform has them."""
    return {
        "address": address,
        "mode": "managed",
        "type": "novita_endpoint",
        "name": name,
        "provider_name": "novita",
    }


def fields_document(fields: Iterable[FieldChange]) -> list[dict[str, Json]]:
    """The shape of `fields[]`, secrets masked."""
    return [field_document(field) for field in fields]


def field_document(field: FieldChange) -> dict[str, Json]:
    """One element of `fields[]`."""
    return {
        "path": list(field.path),
        "before": plain(field.before),
        "after": plain(field.after),
        "cause": field.cause.value,
        "sensitive": field.sensitive,
        "forces_replacement": field.forces_replacement,
    }


def side_document(fields: Fields | None) -> tuple[Json, Json]:
    """One side of a change as `plain` has it, and Terraform's sensitivity tree beside it."""
    return (fields, {}) if fields is None or is_open(fields) else (plain(fields), _sensitive(fields))


def plain(value: Value | Absent) -> Json:
    """The value with secrets masked and fingerprints hidden."""
    return None if value is ABSENT else mask(value)


def _sensitive(value: Value) -> Json:
    """True at what is hidden, and only the branches that lead there."""
    if isinstance(value, dict | Mapping):
        return {
            key: inner
            for key, item in value.items()
            if item.__class__ not in WORDS and (inner := _sensitive(item))
        }
    return not is_open(value)
