"""An apply as a stream of messages in the format of Terraform's machine-readable UI.

https://developer.hashicorp.com/terraform/internals/machine-readable-ui
Additions: the type `log` for notes and for endpoints that serve, and the key `waiting` in progress messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, assert_never

from reconciler import __version__
from reconciler.model.apply_events import (
    ApplyEvent,
    ApplyReport,
    ApplyStarted,
    ChangeEnded,
    ChangeProbed,
    ChangeServing,
    ChangeStarted,
    ChangeWaiting,
    ImageWarming,
    Outcome,
    WaitStarted,
)
from reconciler.model.plan import Action, Adopt, Change, Drift, Plan
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.run_report import RunReport
from reconciler.model.values import Json
from reconciler.reports.run.before_after import resource_id
from reconciler.reports.run.json_plan import TERRAFORM, probe_document
from reconciler.reports.run.outputs import outputs_document, outputs_of
from reconciler.reports.run.summary import all_problems
from reconciler.reports.run.text import plan_counts, plan_line
from reconciler.reports.terminal.problems import capitalized
from reconciler.reports.terminal.progress import (
    STARTED_TEXT,
    duration_text,
    event_line,
    report_counts,
    report_line,
)

UI: Final = "1.2"
"""Version of the message format."""

Message: TypeAlias = dict[str, Json]

ACTIONS: Final[Mapping[Action, str]] = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.SCALE: "update",
    Action.REPLACE: "replace",
    Action.DELETE: "delete",
    Action.ADOPT: "import",
    Action.FORGET: "remove",
    Action.NO_OP: "noop",
}

LEVELS: Final[Mapping[Severity, str]] = {Severity.ERROR: "error", Severity.WARNING: "warn"}


def version_message() -> Message:
    """Return the first message, with the versions."""
    versions = {"terraform": TERRAFORM, "reconciler": __version__, "ui": UI}
    return _message("version", f"reconciler {__version__}", **versions)


def plan_messages(plan: Plan) -> Iterator[Message]:
    """Yield the messages of a plan: drift, changes and their number."""
    for drift in plan.drift:
        action = "update" if drift.live else "delete"
        document = {"resource": _resource(drift), "action": action}
        yield _message("resource_drift", f"{drift.address}: Drift detected ({action})", change=document)
    for change in plan.pending:
        text = f"{change.address}: Plan to {action_of(change)}"
        document = {"resource": _resource(change), "action": action_of(change), "reason": change.reason}
        if isinstance(change, Adopt):
            document["importing"] = {"id": change.live.id}
        yield _message("planned_change", text, change=document)
    yield _summary(plan_line(plan), plan_counts(plan), "plan")


def event_message(event: ApplyEvent, elapsed: float) -> Message | None:
    """Return the message for an event, `elapsed` seconds after its change began; None if it has none."""
    match event:
        case ApplyStarted() | WaitStarted():
            return None
        case ChangeStarted(change=change):
            return _hook("apply_start", event, change, **_id(resource_id(change)))
        case ChangeWaiting(change=change, why=why):
            return _hook("apply_progress", event, change, elapsed_seconds=_rounded(elapsed), waiting=why)
        case ChangeServing(change=change, seconds=seconds):
            return _hook("log", event, change, elapsed_seconds=_rounded(seconds))
        case ChangeProbed(change=change, probe=probe):
            return _hook("log", event, change, probe=probe_document(probe))
        case ImageWarming():
            return _message("log", event_line(event) or "")
        case ChangeEnded(result=result):
            seconds = _rounded(result.seconds)
            if result.outcome is Outcome.DONE:
                known = _id(result.id or "")
                return _hook("apply_complete", event, result.change, **known, elapsed_seconds=seconds)
            if result.outcome is Outcome.NOT_ATTEMPTED:
                return None
            return _hook("apply_errored", event, result.change, elapsed_seconds=seconds)
        case _:
            assert_never(event)


def progress_message(change: Change, elapsed: float) -> Message:
    """Return the message for a change that is still in progress."""
    text = f"{change.address}: Still {STARTED_TEXT[change.action].lower()} [{duration_text(elapsed)} elapsed]"
    hook = {"resource": _resource(change), "action": action_of(change)}
    return _message("apply_progress", text, hook={**hook, "elapsed_seconds": _rounded(elapsed)})


def final_messages(run: RunReport, report: ApplyReport) -> Iterator[Message]:
    """Yield the problems, the number of completed changes, and the URLs, also after a failure."""
    yield from map(_diagnostic, all_problems(run))
    is_told = bool(report.results) or run.exit_code == ExitCode.OK
    text = report_line(report, is_destroy=run.is_destroy) if is_told else "No change was completed."
    yield _summary(text, report_counts(report), "destroy" if run.is_destroy else "apply")
    if outputs := outputs_of(run):
        yield _message("outputs", f"Outputs: {len(outputs)}", outputs=outputs_document(outputs))


def action_of(change: Change) -> str:
    """Return Terraform's name of an action; an adoption that overwrites fields is an update."""
    return "update" if isinstance(change, Adopt) and change.fields else ACTIONS[change.action]


def _diagnostic(problem: Problem) -> Message:
    text = f"{problem.severity.value.capitalize()}: {problem.summary}"
    if problem.severity is Severity.NOTE:
        return _message("log", text)
    detail = "\n".join(filter(None, (capitalized(problem.detail), capitalized(problem.hint))))
    diagnostic: Message = {
        "severity": problem.severity.value,
        "summary": problem.summary,
        "detail": detail,
        "code": problem.code,
    }
    if problem.address:
        diagnostic["address"] = problem.address
    if place := problem.place:
        start = {"line": place.line, "column": place.column}
        end = {"line": place.line, "column": place.column + max(1, place.width)}
        diagnostic["range"] = {"filename": place.file, "start": start, "end": end}
    return _message("diagnostic", text, LEVELS[problem.severity], diagnostic=diagnostic)


def _summary(text: str, counts: tuple[int, int, int, int], operation: str) -> Message:
    imported, added, changed, destroyed = counts
    return _message(
        "change_summary",
        text,
        changes={
            "add": added,
            "change": changed,
            "import": imported,
            "remove": destroyed,
            "operation": operation,
        },
    )


def _hook(kind: str, event: ApplyEvent, change: Change, **more: Json) -> Message:
    hook = {"resource": _resource(change), "action": action_of(change), **more}
    return _message(kind, event_line(event) or "", hook=hook)


def _message(kind: str, text: str, level: str = "info", **more: Json) -> Message:
    return {"@level": level, "@message": text, "type": kind, **more}


def _resource(resource: Change | Drift) -> Message:
    return {
        "addr": resource.address,
        "module": "",
        "resource": resource.address,
        "implied_provider": "novita",
        "resource_type": resource.kind,
        "resource_name": resource.name,
        "resource_key": None,
    }


def _id(object_id: str) -> dict[str, str]:
    return {"id_key": "id", "id_value": object_id} if object_id else {}


def _rounded(seconds: float) -> float:
    return round(seconds, 3)
