"""How a plan is put before a user, alike by every command that makes one."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.cli.output import Output, timestamp
from reconciler.model.events import Report
from reconciler.model.problem import Problem
from reconciler.render.json import plan_document
from reconciler.render.text import plan_text
from reconciler.workflow.planning import Planned


def show_plan(
    out: Output,
    planned: Planned,
    *,
    exit_code: int,
    report: Report | None = None,
    refusals: Sequence[Problem] = (),
) -> None:
    """The plan on stdout, and what there is to say about it: with --json inside, otherwise on stderr.

    `refusals` are what a plan without problems of its own was not performed for.
    """
    problems = (*planned.plan.problems, *refusals)
    if out.as_json:
        out.document(
            plan_document(
                planned.plan,
                planned.keyring,
                timestamp=timestamp(),
                digest=planned.digest,
                exit_code=exit_code,
                report=report,
                problems=problems,
            )
        )
        return
    out.result(plan_text(planned.plan, out.style))
    if problems:
        out.tell("\n")
        out.problems(problems)


def show_beside(out: Output, planned: Planned) -> None:
    """The plan on stderr, for a person whose stdout is kept for a document."""
    out.tell(plan_text(planned.plan, out.error_style))
    if planned.plan.problems:
        out.tell("\n")
        out.problems(planned.plan.problems)
