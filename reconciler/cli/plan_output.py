"""How a plan is put before a user, alike by every command that makes one."""

from __future__ import annotations

from reconciler.cli.output import Output
from reconciler.model.run_report import RunReport
from reconciler.reports.run.text import plan_text
from reconciler.workflow.plan import Planned


def show(out: Output, found: RunReport) -> None:
    """The plan on stdout, and what there is to say about it: with --json inside, otherwise on stderr."""
    found = out.keep(found)
    if out.as_json:
        from reconciler.reports.run.json_plan import plan_document

        out.document(plan_document(found))
        return
    if out.stream is not None:
        if found.plan is not None:
            out.stream.planned(found.plan)
        return
    if found.verdict is not None:
        from reconciler.reports.run.drift import drift_text

        out.result(drift_text(found, out.style))
    elif found.plan is not None:
        out.result(plan_text(found.plan, out.style, explained=found.explained))
    if found.problems:
        out.tell("\n")
        out.problems(found.problems)


def show_beside(out: Output, planned: Planned) -> None:
    """The plan on stderr, for a person whose stdout is kept for a document."""
    out.tell(plan_text(planned.plan, out.error_style, explained=out.explained))
    if planned.plan.problems:
        out.tell("\n")
        out.problems(planned.plan.problems)
