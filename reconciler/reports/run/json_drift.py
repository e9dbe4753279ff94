"""What moved, for programs: `resource_drift[]`, and with a verdict a standing for each thing that moved."""

from __future__ import annotations

from reconciler.model.drift import Alarm, DriftReport, DriftState, Moved
from reconciler.model.plan import Drift
from reconciler.model.run_report import RunReport
from reconciler.model.values import Json
from reconciler.reports.run.json_parts import field_document, fields_document, identity, side_document


def drift_document(found: RunReport) -> list[dict[str, Json]]:
    """`resource_drift[]`."""
    if found.verdict is not None:
        return [_alarm(alarm) for alarm in found.verdict.alarms]
    return [_drift(drift) for drift in found.plan.drift] if found.plan else []


def verdict_document(verdict: DriftReport) -> dict[str, Json]:
    """The answer of `drift` in a few words; exit code 2 exactly when `drifted` is true."""
    return {
        "drifted": verdict.rings,
        "measured_by": "declared" if verdict.by_declaration else "applied",
        **{standing.value: verdict.having(standing) for standing in DriftState},
    }


def _alarm(alarm: Alarm) -> dict[str, Json]:
    """A drifted endpoint with a fingerprint and a standing for each thing that moved about it."""
    document = _drift(alarm.drift)
    document["standing"] = DriftState.NEW.value if alarm.rings else alarm.moved[0].standing.value
    if alarm.drift.live is None:
        document |= _moved(alarm.moved[0])
    else:
        document["fields"] = [
            {**field_document(one.field), **_moved(one)} for one in alarm.moved if one.field
        ]
    return document


def _moved(one: Moved) -> dict[str, Json]:
    ignored = one.ignore and {
        "until": one.ignore.until.isoformat() if one.ignore.until else None,
        "why": one.ignore.why,
    }
    return {"fingerprint": one.fingerprint, "standing": one.standing.value, "ignored": ignored}


def _drift(drift: Drift) -> dict[str, Json]:
    before, before_hidden = side_document(drift.before)
    after, after_hidden = side_document(drift.live.fields if drift.live else None)
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
