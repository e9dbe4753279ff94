"""Parts of the JSON documents: identity, fields and drift of an endpoint, with secrets masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.model.drift import Alarm, DriftItem, DriftReport, DriftState
from reconciler.model.encoding import is_json
from reconciler.model.plan import Drift, FieldChange
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import mask
from reconciler.model.values import (
    ABSENT,
    JSON_SCALARS,
    SCALAR_TYPES,
    Absent,
    Fields,
    Json,
    Reference,
    Value,
    has_reference,
    is_plain_data,
    replace_references,
    unknown_parts,
)


def identity(name: str, address: str) -> dict[str, Json]:
    """Return the keys that identify a resource in Terraform's format."""
    return {
        "address": address,
        "mode": "managed",
        "type": address.partition(".")[0],
        "name": name,
        "provider_name": "novita",
    }


def fields_document(fields: Iterable[FieldChange]) -> list[dict[str, Json]]:
    """Return `fields[]` with secrets masked."""
    return [field_document(field) for field in fields]


def field_document(field: FieldChange) -> dict[str, Json]:
    """Return one element of `fields[]`."""
    return {
        "path": list(field.path),
        "before": masked(field.before),
        "after": masked(field.after),
        "cause": field.cause.value,
        "sensitive": field.sensitive,
        "forces_replacement": field.forces_replacement,
        **({"after_unknown": unknown_parts(field.after)} if has_reference(field.after) else {}),
    }


def state_document(fields: Fields | None) -> tuple[Json, Json]:
    """Return the fields before or after a change with secrets masked, and their sensitivity tree.

    An ID that is not known yet is null.
    """
    if fields is None or is_json(fields):
        return fields, {}
    return masked(fields), _sensitive(fields)


def masked(value: Value | Absent) -> Json:
    """Return the value with secrets and fingerprints masked. An ID that is not known yet is null."""
    if value.__class__ in JSON_SCALARS:
        return value
    return None if value is ABSENT else mask(replace_references(value, _nothing))


def _nothing(_reference: Reference) -> None:
    """Return null, which stands for what is known after the apply."""


def _sensitive(value: Value) -> Json:
    """Return a tree that is true for masked values and omits all other branches."""
    if isinstance(value, dict | Mapping):
        return {
            key: inner
            for key, item in value.items()
            if item.__class__ not in SCALAR_TYPES and (inner := _sensitive(item))
        }
    return not is_plain_data(value)


def drift_document(run: RunReport) -> Iterator[dict[str, Json]]:
    """Return `resource_drift[]`."""
    if run.drift_report is not None:
        return map(_alarm, run.drift_report.alarms)
    return map(_drift, run.plan.drift if run.plan else ())


def drift_summary_document(drift_report: DriftReport) -> dict[str, Json]:
    """Return the summary of `drift`, whose exit code is 2 if and only if `drifted` is true."""
    return {
        "drifted": drift_report.has_new_drift,
        "measured_by": "declared" if drift_report.by_declaration else "applied",
        **{state.value: drift_report.count(state) for state in DriftState},
    }


def _alarm(alarm: Alarm) -> dict[str, Json]:
    """Return the drift of an endpoint, with a fingerprint and a state for each item."""
    document = _drift(alarm.drift)
    document["standing"] = DriftState.NEW.value if alarm.has_new_drift else alarm.items[0].state.value
    if alarm.drift.live is None:
        document |= _item(alarm.items[0])
    else:
        document["fields"] = [
            {**field_document(item.field), **_item(item)} for item in alarm.items if item.field
        ]
    return document


def _item(item: DriftItem) -> dict[str, Json]:
    ignored = item.ignore and {
        "until": item.ignore.until.isoformat() if item.ignore.until else None,
        "why": item.ignore.why,
    }
    return {"fingerprint": item.fingerprint, "standing": item.state.value, "ignored": ignored}


def _drift(drift: Drift) -> dict[str, Json]:
    before, before_sensitive = state_document(drift.before)
    after, after_sensitive = state_document(drift.live.fields if drift.live else None)
    return {
        **identity(drift.name, drift.address),
        "id": drift.id,
        "change": {
            "actions": ["update"] if drift.live else ["delete"],
            "before": before,
            "after": after,
            "before_sensitive": before_sensitive,
            "after_sensitive": after_sensitive,
        },
        "fields": fields_document(drift.fields),
    }
