"""How a plan is put before a user, alike by every command that makes one."""

from __future__ import annotations

from reconciler.cli.output import Output, timestamp
from reconciler.model.events import Report
from reconciler.render.json import plan_document
from reconciler.render.text import plan_text
from reconciler.workflow.planning import Planned


def show_plan(out: Output, planned: Planned, *, exit_code: int, report: Report | None = None) -> None:
    """The plan on stdout, and what there is to say about it: with --json inside, otherwise on stderr."""
    if out.as_json:
        out.document(
            plan_document(
                planned.plan,
                planned.keyring,
                timestamp=timestamp(),
                digest=planned.digest,
                exit_code=exit_code,
                report=report,
            )
        )
        return
    out.result(plan_text(planned.plan, out.style))
    if planned.plan.problems:
        out.tell("\n")
        out.problems(planned.plan.problems)
