"""A plan for programs: the subset of Terraform's plan JSON that policies read, and our own keys beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.model.apply_events import ChangeResult
from reconciler.model.encoding import json_indented
from reconciler.model.plan import Action, Adopt, Change, Plan, Replace
from reconciler.model.problem import limit_problems
from reconciler.model.resource import Lease, Tracked
from reconciler.model.run_report import RunReport
from reconciler.model.values import Json
from reconciler.planning.fingerprint import Facts, digest_of, plan_facts
from reconciler.reports.run.json_parts import (
    drift_document,
    drift_summary_document,
    fields_document,
    identity,
    plain,
    state_document,
)
from reconciler.reports.run.sides import id_of, sides
from reconciler.reports.terminal.escape import in_json

if TYPE_CHECKING:
    from reconciler.planning.explain import Explanation

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


def plan_document(found: RunReport) -> dict[str, Json]:
    """The document of `plan --json`, with a report that of `apply`, with a drift report that of `drift`.

    Without a plan it says why there is none: `errored` is true and `problems` tell.
    """
    plan = found.plan or Plan(changes=(), complete=False)
    counts = plan.counts()
    facts = plan_facts(plan, found.keyring) if found.plan and found.keyring else {}
    document: dict[str, Json] = {
        "format_version": FORMAT,
        "terraform_version": TERRAFORM,
        "tool_version": __version__,
        "timestamp": found.timestamp,
        "applyable": bool(plan.pending and not plan.errors),
        "complete": plan.complete,
        "errored": found.plan is None or any(p.is_error and p.exit_code == 1 for p in found.problems),
        "resource_changes": _changes(plan, facts, explained=found.explained) if found.keyring else [],
        "resource_drift": drift_document(found),
        "unmanaged": [{"name": live.name, "id": live.id} for live in plan.unmanaged],
        "problems": [problem.to_dict() for problem in limit_problems(found.problems)],
        "summary": {action.value.replace("-", "_"): count for action, count in counts.items()},
        "digest": digest_of(facts) if found.plan and found.keyring else "",
        "exit_code": int(found.exit_code),
    }
    if found.report is not None:
        document["results"] = [_result(result) for result in found.report.results]
    if found.drift_report is not None:
        document["drift"] = drift_summary_document(found.drift_report)
    return document


def json_text(found: RunReport) -> str:
    """The same document as text, ending in a newline."""
    return in_json(json_indented(plan_document(found))) + "\n"


def _changes(plan: Plan, facts: Mapping[str, Facts], *, explained: bool) -> list[dict[str, Json]]:
    changes = [_change(change, facts.get(change.key, {})) for change in plan.changes]
    if explained:
        from reconciler.planning.explain import explain

        explanations = explain(plan)
        for change, document in zip(plan.changes, changes, strict=True):
            if change.key in explanations:
                document["explanation"] = _explanation(explanations[change.key])
    return changes


def _change(change: Change, facts: Facts) -> dict[str, Json]:
    left, right = sides(change)
    before, before_hidden = state_document(left)
    after, after_hidden = (before, before_hidden) if right is left else state_document(right)
    actions = ACTIONS[change.action]
    if isinstance(change, Adopt) and change.fields:
        actions = ["update"]
    elif isinstance(change, Replace) and change.create_first:
        actions = ["create", "delete"]
    detail: dict[str, Json] = {
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": UNKNOWN_UNTIL_CREATED if change.action in (Action.CREATE, Action.REPLACE) else {},
        "before_sensitive": before_hidden,
        "after_sensitive": after_hidden,
        "replace_paths": [list(field.path) for field in change.fields if field.forces_replacement],
    }
    if isinstance(change, Adopt):
        detail["importing"] = {"id": change.live.id}
    return {
        **identity(change.name, change.address),
        "id": id_of(change) or None,
        "action": change.action.value,
        "action_reason": change.reason,
        "change": detail,
        "fields": fields_document(change.fields),
        "requests": [
            {"method": method, "path": path, "body_sha256": fingerprint}
            for method, path, fingerprint in facts.get("requests", ())
        ],
    }


def _explanation(found: Explanation) -> dict[str, Json]:
    """What `--explain` adds to a change."""
    calls = [{"method": call.method, "path": call.path, "purpose": call.purpose} for call in found.calls]
    return {"why": list(found.why), "rule": found.rule, "calls": calls}


def _result(result: ChangeResult) -> dict[str, Json]:
    return {
        "address": result.change.address,
        "action": result.change.action.value,
        "outcome": result.outcome.value,
        "id": result.id,
        "seconds": round(result.seconds, 3),
        "problem": result.problem.to_dict() if result.problem else None,
    }


def record_document(record: Tracked) -> dict[str, Json]:
    """The document of `state show`: a record of the inventory, fingerprints hidden."""
    return {
        **identity(record.name, record.address),
        "id": record.id,
        "origin": record.origin,
        "prevent_destroy": record.prevent_destroy,
        "lease": _lease(record.lease) if record.lease else None,
        "applied": plain(record.applied),
    }


def _lease(lease: Lease) -> Json:
    return {"min": lease.min, "max": lease.max, "until": lease.until.isoformat(), "why": lease.why}
