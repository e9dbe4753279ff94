"""A plan for programs: the subset of Terraform's plan JSON that policies read, and our own keys beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler import __version__
from reconciler.model.events import Result
from reconciler.model.findings import Findings
from reconciler.model.plan import (
    ABSENT,
    Absent,
    Action,
    Adopt,
    Change,
    Create,
    Delete,
    Drift,
    FieldChange,
    Forget,
    NoOp,
    Plan,
    Replace,
)
from reconciler.model.resource import Tracked, address
from reconciler.model.values import MASK, Fields, Json, Keyring, Sealed, Secret, Value, mask
from reconciler.model.verdict import Alarm, Moved, Standing, Verdict
from reconciler.planning.digest import plan_digest
from reconciler.planning.requests import requests_of

FORMAT: Final = "1.2"
TERRAFORM: Final = "1.11.0"
"""Whose shape this is."""

ACTIONS: Final[Mapping[Action, list[str]]] = {
    Action.CREATE: ["create"],
    Action.UPDATE: ["update"],
    Action.SCALE: ["update"],
    Action.REPLACE: ["delete", "create"],
    Action.DELETE: ["delete"],
    Action.ADOPT: ["no-op"],
    Action.FORGET: ["forget"],
    Action.NO_OP: ["no-op"],
}

UNKNOWN_UNTIL_CREATED: Final = {"id": True, "url": True}


def plan_document(found: Findings) -> dict[str, Json]:
    """The document of `plan --json`, with a report that of `apply`, with a verdict that of `drift`.

    Without a plan it says why there is none: `errored` is true and `problems` tell.
    """
    plan = found.plan or Plan(changes=(), complete=False)
    keyring, counts = found.keyring, plan.counts()
    document: dict[str, Json] = {
        "format_version": FORMAT,
        "terraform_version": TERRAFORM,
        "tool_version": __version__,
        "timestamp": found.timestamp,
        "applyable": bool(plan.pending and not plan.errors),
        "complete": plan.complete,
        "errored": found.plan is None or any(p.is_error and p.exit_code == 1 for p in found.problems),
        "resource_changes": [_change(change, keyring) for change in plan.changes] if keyring else [],
        "resource_drift": _drift_document(found),
        "unmanaged": [{"name": live.name, "id": live.id} for live in plan.unmanaged],
        "problems": [problem.to_dict() for problem in found.problems],
        "summary": {action.value.replace("-", "_"): count for action, count in counts.items()},
        "digest": plan_digest(found.plan, keyring) if found.plan and keyring else "",
        "exit_code": int(found.exit_code),
    }
    if found.report is not None:
        document["results"] = [_result(result) for result in found.report.results]
    if found.verdict is not None:
        document["drift"] = _verdict(found.verdict)
    return document


def document_text(found: Findings) -> str:
    """The same document as text, ending in a newline."""
    return json.dumps(plan_document(found), indent=2, ensure_ascii=False) + "\n"


def _drift_document(found: Findings) -> list[dict[str, Json]]:
    if found.verdict is not None:
        return [_alarm(alarm) for alarm in found.verdict.alarms]
    return [_drift(drift) for drift in found.plan.drift] if found.plan else []


def _verdict(verdict: Verdict) -> dict[str, Json]:
    """The answer of `drift` in a few words; exit code 2 exactly when `drifted` is true."""
    return {
        "drifted": verdict.rings,
        "measured_by": "declared" if verdict.by_declaration else "applied",
        **{standing.value: verdict.having(standing) for standing in Standing},
    }


def _alarm(alarm: Alarm) -> dict[str, Json]:
    """A drifted endpoint with a fingerprint and a standing for each thing that moved about it."""
    document = _drift(alarm.drift)
    document["standing"] = Standing.NEW.value if alarm.rings else alarm.moved[0].standing.value
    if alarm.drift.live is None:
        document |= _moved(alarm.moved[0])
    else:
        document["fields"] = [{**_field(one.field), **_moved(one)} for one in alarm.moved if one.field]
    return document


def _moved(one: Moved) -> dict[str, Json]:
    ignored = one.ignore and {
        "until": one.ignore.until.isoformat() if one.ignore.until else None,
        "why": one.ignore.why,
    }
    return {"fingerprint": one.fingerprint, "standing": one.standing.value, "ignored": ignored}


def _change(change: Change, keyring: Keyring) -> dict[str, Json]:
    before, after = _sides(change)
    live = getattr(change, "live", None)
    tracked = getattr(change, "tracked", None)
    actions = ACTIONS[change.action]
    if isinstance(change, Adopt) and change.fields:
        actions = ["update"]
    elif isinstance(change, Replace) and change.create_first:
        actions = ["create", "delete"]
    detail: dict[str, Json] = {
        "actions": actions,
        "before": _plain(before),
        "after": _plain(after),
        "after_unknown": UNKNOWN_UNTIL_CREATED if change.action in (Action.CREATE, Action.REPLACE) else {},
        "before_sensitive": _sensitive(before),
        "after_sensitive": _sensitive(after),
        "replace_paths": [list(field.path) for field in change.fields if field.forces_replacement],
    }
    if isinstance(change, Adopt):
        detail["importing"] = {"id": change.live.id}
    return {
        **_identity(change.name, change.address),
        "id": live.id if live else tracked.id if tracked else None,
        "action": change.action.value,
        "action_reason": change.reason,
        "change": detail,
        "fields": fields_document(change.fields),
        "requests": [
            {"method": r.method, "path": r.path, "body_sha256": r.fingerprint(keyring)}
            for r in requests_of(change)
        ],
    }


def _drift(drift: Drift) -> dict[str, Json]:
    after = drift.live.fields if drift.live else None
    return {
        **_identity(drift.name, drift.address),
        "id": drift.id,
        "change": {
            "actions": ["update"] if drift.live else ["delete"],
            "before": _plain(drift.before),
            "after": _plain(after),
            "before_sensitive": _sensitive(drift.before),
            "after_sensitive": _sensitive(after),
        },
        "fields": fields_document(drift.fields),
    }


def _identity(name: str, address: str) -> dict[str, Json]:
    return {
        "address": address,
        "mode": "managed",
        "type": "novita_endpoint",
        "name": name,
        "provider_name": "novita",
    }


def _sides(change: Change) -> tuple[Fields | None, Fields | None]:
    match change:
        case Create():
            return None, {"appName": change.desired.app_name, **change.desired.fields}
        case Delete():
            return change.live.fields, None
        case Forget():
            return change.tracked.applied, None
        case NoOp():
            return change.live.fields, change.live.fields
        case Replace():
            return change.live.fields, {"appName": change.desired.app_name, **change.target}
        case _:
            return change.live.fields, _carried(change.live.fields, change.target)


def _carried(live: Fields, target: Fields) -> Fields:
    """What an update leaves: the target, and below it what is live and not ours."""
    merged = {**live, **target}
    for key in ("workerConfig", "image", "healthy", "policy"):
        if isinstance(live.get(key), Mapping) and isinstance(target.get(key), Mapping):
            merged[key] = {**live[key], **target[key]}
    return merged


def fields_document(fields: Iterable[FieldChange]) -> list[dict[str, Json]]:
    """The shape of `fields[]`, secrets masked."""
    return [_field(field) for field in fields]


def _field(field: FieldChange) -> dict[str, Json]:
    return {
        "path": list(field.path),
        "before": _plain(field.before),
        "after": _plain(field.after),
        "cause": field.cause.value,
        "sensitive": field.sensitive,
        "forces_replacement": field.forces_replacement,
    }


def _result(result: Result) -> dict[str, Json]:
    return {
        "address": result.change.address,
        "action": result.change.action.value,
        "outcome": result.outcome.value,
        "id": result.id,
        "seconds": round(result.seconds, 3),
        "problem": result.problem.to_dict() if result.problem else None,
    }


def _plain(value: Value | Absent) -> Json:
    """The value with secrets masked and fingerprints hidden."""
    if value is ABSENT:
        return None
    if isinstance(value, Sealed):
        return MASK
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return mask(value)


def _sensitive(value: Value) -> Any:
    """Terraform's sensitivity tree: true at what is hidden, and only the branches that lead there."""
    if isinstance(value, Secret | Sealed):
        return True
    if isinstance(value, Mapping):
        return {key: inner for key, item in value.items() if (inner := _sensitive(item))}
    return {} if value is None else False


def record_document(record: Tracked) -> dict[str, Json]:
    """The document of `state show`: a record of the inventory, fingerprints hidden."""
    return {
        **_identity(record.name, address(record.name)),
        "id": record.id,
        "origin": record.origin,
        "prevent_destroy": record.prevent_destroy,
        "applied": _plain(record.applied),
    }
