"""The plan, its apply, and the runs so far."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from reconciler.model.plan import FieldChange
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Secret
from reconciler.model.settings import name_to_type
from reconciler.model.values import ABSENT
from reconciler.reports.html.page import content_html
from reconciler.reports.run.summary import headline, tone
from reconciler.server.pages.pages import Form, Pages
from reconciler.server.pages.rendering import render
from reconciler.server.pages.runs import Run, timestamp
from reconciler.server.pages.sessions import Session
from reconciler.workflow.approve import is_digest
from reconciler.workflow.plan import plan

_HIDDEN: Final = Secret(value="hidden", source="env")
"""Stands for any value of `env`."""


async def show_plan(pages: Pages, _request: Request, session: Session) -> Response:
    """Answer with the plan as it is now, and with the form that applies exactly this plan."""
    context = pages.service.context_for(session.caller)
    async with pages.planning:
        planned = await asyncio.to_thread(plan, context)
    code = planned.blocked or (ExitCode.CHANGES if planned.plan.pending else ExitCode.OK)
    run = planned.run_report("plan", timestamp(context), exit_code=code)
    report, digest = await asyncio.to_thread(lambda: (_report(session, run), planned.digest))
    return render(
        "plan.html",
        session=session,
        place="/plan",
        headline=headline(run),
        tone=tone(run).value,
        report=report,
        count=len(planned.plan.pending),
        is_blocked=planned.blocked is not None,
        digest=digest,
        name_to_type=name_to_type(context.environment),
    )


async def apply_plan(pages: Pages, _request: Request, session: Session, form: Form) -> Response:
    """Begin to apply the plan that was shown, and answer with the page of the run."""
    digest = form.get("digest", "")
    if not is_digest(digest):
        return pages.refusal(session, 400, _no_digest())
    name = name_to_type(pages.service.context_for(session.caller).environment)
    if form.get("environment", "").strip() != name:
        return pages.refusal(session, 400, _not_named(name))
    run = pages.runs.start(session.caller, digest)
    return RedirectResponse(f"/runs/{run.number}", status_code=303)


async def show_runs(pages: Pages, _request: Request, session: Session) -> Response:
    """Answer with the runs of this server and the last applied versions of all endpoints."""
    versions = await asyncio.to_thread(pages.tables.last_versions)
    return render(
        "runs.html",
        session=session,
        place="/runs",
        content=pages.runs.number,
        runs=[(run, *_result(run)) for run in pages.runs.all],
        versions=versions,
    )


async def show_run(pages: Pages, request: Request, session: Session) -> Response:
    """Answer with the progress or the result of one run."""
    run = pages.runs.find(request.path_params["number"])
    if run is None:
        return pages.refusal(session, 404, _no_run())
    words, run_tone = _result(run)
    return render(
        "run.html",
        session=session,
        place="",
        content=pages.runs.number,
        run=run,
        headline=words,
        tone=run_tone,
        report=await asyncio.to_thread(_report, session, run.report) if run.report else "",
    )


async def stop_run(pages: Pages, request: Request, session: Session, _form: Form) -> Response:
    """Let a run finish the changes in flight and start no other."""
    run = pages.runs.find(request.path_params["number"])
    if run is None:
        return pages.refusal(session, 404, _no_run())
    run.stop.set()
    return RedirectResponse(f"/runs/{run.number}", status_code=303)


def _report(session: Session, run: RunReport) -> str:
    return content_html(_seen_by(session, run), is_embedded=True)


def _seen_by(session: Session, run: RunReport) -> RunReport:
    """Return the report as a caller may see it: values of `env` only with the right to write.

    Without them the report has no digest, which they would change.
    """
    if session.caller.may_write or run.plan is None:
        return run

    def masked(fields: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
        return tuple(_masked(field) if field.path[0] == "envs" else field for field in fields)

    plan = replace(
        run.plan,
        changes=tuple(replace(change, fields=masked(change.fields)) for change in run.plan.changes),
        drift=tuple(replace(drift, fields=masked(drift.fields)) for drift in run.plan.drift),
    )
    return replace(run, plan=plan, keyring=None)


def _masked(field: FieldChange) -> FieldChange:
    before, after = (value if value is ABSENT else _HIDDEN for value in (field.before, field.after))
    return replace(field, before=before, after=after)


def _result(run: Run) -> tuple[str, str]:
    """Return the result of a run in one line, and its tone."""
    if run.report is not None:
        return _headline(run.report), tone(run.report).value
    if run.crash:
        return f"Failed: internal error ({run.crash})", "bad"
    if run.stop.is_set():
        return "Stopping after the changes in flight", "news"
    return (f"Applying, {run.done} of {run.total} changes done" if run.total else "Planning"), "news"


def _headline(report: RunReport) -> str:
    stale = next((problem for problem in report.problems if problem.code == "plan-changed"), None)
    return "Not applied: the plan has changed." if stale else headline(report)


def _not_named(name: str) -> Problem:
    return Problem(
        code="not-approved",
        summary="nothing was changed: the name of the environment was not typed",
        hint=f"open the plan, and type {name} to approve it",
    )


def _no_digest() -> Problem:
    return Problem(
        code="no-digest",
        summary="nothing was changed: the form names no plan",
        hint="open the plan and approve it there",
    )


def _no_run() -> Problem:
    return Problem(
        code="not-found",
        summary="this server has no such run",
        detail="Runs are kept until the server stops; what they changed is in the history.",
        hint="`reconciler history` shows the applied versions",
    )
