"""A run as JSON: the subset of Terraform's plan JSON that policies read, with additional keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from reconciler import __version__
from reconciler.model.apply_events import ChangeResult
from reconciler.model.encoding import json_chunks
from reconciler.model.plan import Action, Adopt, Change, Create, Plan, Replace
from reconciler.model.probe import ProbeResult
from reconciler.model.problem import limit_problems
from reconciler.model.resource import ENDPOINT, Tracked
from reconciler.model.run_report import RunReport
from reconciler.model.sync.lease import Lease
from reconciler.model.values import Json, unknown_parts
from reconciler.planning.fingerprint import Facts, digest_of, plan_facts
from reconciler.reports.run.before_after import fields_before_and_after, resource_id
from reconciler.reports.run.json_parts import (
    drift_document,
    drift_summary_document,
    fields_document,
    identity,
    masked,
    state_document,
)
from reconciler.reports.run.outputs import outputs_document, outputs_of
from reconciler.reports.terminal.escape import in_json

if TYPE_CHECKING:
    from reconciler.model.review.blast_radius import BlastRadius
    from reconciler.planning.explain import Explanation

FORMAT: Final = "1.2"
TERRAFORM: Final = "1.11.0"
"""Version of Terraform whose format this is."""

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


def plan_document(run: RunReport) -> dict[str, Json]:
    """Return the document of `plan --json`, `apply --json` or `drift --json`.

    If there is no plan, `errored` is true and `problems` contains the reason.
    """
    return {
        key: list(value) if isinstance(value, Iterator) else value for key, value in plan_parts(run).items()
    }


def plan_parts(run: RunReport, facts: Mapping[str, Facts] | None = None) -> dict[str, Json]:
    """Return the same document with iterators for its long lists, to be written item by item.

    `facts` are those of the plan, if they are known already.
    """
    plan = run.plan or Plan(changes=(), complete=False)
    counts = plan.counts()
    if facts is None:
        facts = plan_facts(plan, run.keyring) if run.plan and run.keyring else {}
    document: dict[str, Json] = {
        "format_version": FORMAT,
        "terraform_version": TERRAFORM,
        "tool_version": __version__,
        "timestamp": run.timestamp,
        **({"environment": run.environment} if run.environment else {}),
        "applyable": bool(plan.pending and not plan.errors),
        "complete": plan.complete,
        "errored": run.plan is None or any(p.is_error and p.exit_code == 1 for p in run.problems),
        "resource_changes": _changes(plan, facts, explained=run.explained) if run.keyring else [],
        "resource_drift": drift_document(run),
        "unmanaged": [
            {
                "name": live.name,
                **({"type": live.kind} if live.kind != ENDPOINT else {}),
                "id": live.id,
                **({"environment": live.environment} if live.environment else {}),
            }
            for live in plan.unmanaged
        ],
        "problems": [problem.to_dict() for problem in limit_problems(run.problems)],
        "summary": {action.value.replace("-", "_"): count for action, count in counts.items()},
        "digest": digest_of(facts) if run.plan and run.keyring else "",
        "exit_code": int(run.exit_code),
    }
    if plan.preflight is not None:
        from reconciler.reports.run.preflight import preflight_document

        document["preflight"] = preflight_document(plan.preflight)
    if plan.cost is not None:
        from reconciler.reports.run.cost import cost_document

        document["cost"] = cost_document(plan.cost)
    if run.report is not None:
        document["results"] = [_result(result) for result in run.report.results]
        document["outputs"] = outputs_document(outputs_of(run))
    if run.drift_report is not None:
        document["drift"] = drift_summary_document(run.drift_report)
    return document


def json_text(run: RunReport) -> Iterator[str]:
    """Yield the document of a run as text, ending in a newline."""
    yield from map(in_json, json_chunks(plan_parts(run)))
    yield "\n"


def _changes(plan: Plan, facts: Mapping[str, Facts], *, explained: bool) -> Iterator[dict[str, Json]]:
    explanations: Mapping[str, Explanation] = {}
    if explained:
        from reconciler.planning.explain import explain

        explanations = explain(plan)
    effects: Mapping[str, BlastRadius] = {}
    if plan.pending:
        from reconciler.planning.review.disruption import effects_of

        effects = effects_of(plan)
    for change in plan.changes:
        document = _change(change, facts.get(change.key, {}), effects.get(change.key))
        if change.key in explanations:
            document["explanation"] = _explanation(explanations[change.key])
        yield document


def _change(change: Change, facts: Facts, effect: BlastRadius | None) -> dict[str, Json]:
    before_fields, after_fields = fields_before_and_after(change)
    before, before_sensitive = state_document(before_fields)
    after, after_sensitive = (
        (before, before_sensitive) if after_fields is before_fields else state_document(after_fields)
    )
    actions = ACTIONS[change.action]
    if isinstance(change, Adopt) and change.fields:
        actions = ["update"]
    elif isinstance(change, Replace) and change.create_first:
        actions = ["create", "delete"]
    detail: dict[str, Json] = {
        "actions": actions,
        "before": before,
        "after": after,
        "after_unknown": {
            **(UNKNOWN_UNTIL_CREATED if change.action in (Action.CREATE, Action.REPLACE) else {}),
            **({} if after is after_fields else unknown_parts(after_fields or {})),
        },
        "before_sensitive": before_sensitive,
        "after_sensitive": after_sensitive,
        "replace_paths": [list(field.path) for field in change.fields if field.forces_replacement],
    }
    if isinstance(change, Adopt):
        detail["importing"] = {"id": change.live.id}
    spec_name = change.desired.spec_name if isinstance(change, Create) else ""
    return {
        **identity(change.name, change.address),
        **({"spec_name": spec_name} if spec_name else {}),
        "id": resource_id(change) or None,
        "action": change.action.value,
        "action_reason": change.reason,
        "change": detail,
        "fields": fields_document(change.fields),
        **_blast_radius(effect),
        "requests": [
            {"method": method, "path": path, "body_sha256": fingerprint}
            for method, path, fingerprint in facts.get("requests", ())
        ],
    }


def _blast_radius(effect: BlastRadius | None) -> dict[str, Json]:
    if effect is None:
        return {}
    from reconciler.reports.run.effects import effect_document

    return {"blast_radius": effect_document(effect)}


def _explanation(explanation: Explanation) -> dict[str, Json]:
    """Return the explanation that `--explain` adds to a change."""
    calls = [
        {"method": call.method, "path": call.path, "purpose": call.purpose} for call in explanation.calls
    ]
    return {"why": list(explanation.why), "rule": explanation.rule, "calls": calls}


def _result(result: ChangeResult) -> dict[str, Json]:
    return {
        "address": result.change.address,
        "action": result.change.action.value,
        "outcome": result.outcome.value,
        "id": result.id,
        "replaced_id": result.replaced_id or None,
        "url": result.url or None,
        "seconds": round(result.seconds, 3),
        "problem": result.problem.to_dict() if result.problem else None,
        **({"probe": probe_document(result.probe)} if result.probe else {}),
        **({"rolled_back_to": result.rolled_back_to} if result.rolled_back_to else {}),
    }


def probe_document(probe: ProbeResult) -> dict[str, Json]:
    """Return the result of a probe as JSON."""
    return {
        "passed": probe.passed,
        "request": probe.request,
        "status": probe.status,
        "seconds": round(probe.seconds, 3),
        "expected": probe.expected,
        "got": probe.got or None,
        "reason": probe.reason or None,
    }


def record_document(record: Tracked) -> dict[str, Json]:
    """Return the document of `state show`: a record of the inventory, with fingerprints masked."""
    return {
        **identity(record.name, record.address),
        "id": record.id,
        "origin": record.origin,
        "prevent_destroy": record.prevent_destroy,
        "lease": _lease(record.lease) if record.lease else None,
        "applied": masked(record.applied),
    }


def _lease(lease: Lease) -> Json:
    return {"min": lease.min, "max": lease.max, "until": lease.until.isoformat(), "why": lease.why}
