"""The parts that every JSON document is made of: who, which fields, and values without secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reconciler.model.drift import Alarm, DriftItem, DriftReport, DriftState
from reconciler.model.plan import Drift, FieldChange
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import mask
from reconciler.model.values import ABSENT, SCALAR_TYPES, Absent, Fields, Json, Value, is_plain_data


def identity(name: str, address: str) -> dict[str, Json]:
    """The keys that say which endpoint it is about, as Terraform has them."""
    return {
        "address": address,
        "mode": "managed",
        "type": address.partition(".")[0],
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


def state_document(fields: Fields | None) -> tuple[Json, Json]:
    """One side of a change as `plain` has it, and Terraform's sensitivity tree beside it."""
    return (fields, {}) if fields is None or is_plain_data(fields) else (plain(fields), _sensitive(fields))


def plain(value: Value | Absent) -> Json:
    """The value with secrets masked and fingerprints hidden."""
    return None if value is ABSENT else mask(value)


def _sensitive(value: Value) -> Json:
    """True at what is hidden, and only the branches that lead there."""
    if isinstance(value, dict | Mapping):
        return {
            key: inner
            for key, item in value.items()
            if item.__class__ not in SCALAR_TYPES and (inner := _sensitive(item))
        }
    return not is_plain_data(value)


def drift_document(found: RunReport) -> list[dict[str, Json]]:
    """`resource_drift[]`."""
    if found.drift_report is not None:
        return [_alarm(alarm) for alarm in found.drift_report.alarms]
    return [_drift(drift) for drift in found.plan.drift] if found.plan else []


def drift_summary_document(drift_report: DriftReport) -> dict[str, Json]:
    """The answer of `drift` in a few words; exit code 2 exactly when `drifted` is true."""
    return {
        "drifted": drift_report.has_new_drift,
        "measured_by": "declared" if drift_report.by_declaration else "applied",
        **{standing.value: drift_report.count(standing) for standing in DriftState},
    }


def _alarm(alarm: Alarm) -> dict[str, Json]:
    """A drifted endpoint with a fingerprint and a standing for each thing that moved about it."""
    document = _drift(alarm.drift)
    document["standing"] = DriftState.NEW.value if alarm.has_new_drift else alarm.items[0].state.value
    if alarm.drift.live is None:
        document |= _moved(alarm.items[0])
    else:
        document["fields"] = [
            {**field_document(one.field), **_moved(one)} for one in alarm.items if one.field
        ]
    return document


def _moved(one: DriftItem) -> dict[str, Json]:
    ignored = one.ignore and {
        "until": one.ignore.until.isoformat() if one.ignore.until else None,
        "why": one.ignore.why,
    }
    return {"fingerprint": one.fingerprint, "standing": one.state.value, "ignored": ignored}


def _drift(drift: Drift) -> dict[str, Json]:
    before, before_hidden = state_document(drift.before)
    after, after_hidden = state_document(drift.live.fields if drift.live else None)
    return {
        **identity(drift.name, drift.address),
        "id": drift.id,
        "change": {
            "actions": ["update"] if drift.live else ["delete"],
            "before": before,
            "after": after,
            "before_sensitive": before_hidden,
            "after_sensitive": after_hidden,
        },
        "fields": fields_document(drift.fields),
    }
