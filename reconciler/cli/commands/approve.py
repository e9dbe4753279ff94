"""The command `reconciler approve`."""

from __future__ import annotations

import sys

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("digest")
@with_run
def approve(run: Run, digest: str) -> int:
    """Approve a plan that waits in `reconciler run`, or that a program proposed, such as an assistant.

    DIGEST names the plan. A plan of `run` is shown as it waits, from any folder; `run` applies it within
    seconds. For one of `reconciler mcp`, approve plans again and shows the plan if it is the same. Both ask
    on a terminal, and no option answers for you. The approval holds for one hour, and for one apply of
    exactly this plan.
    """
    if run.out.as_json:
        raise click.UsageError("approve shows a plan to a person; it has no --json")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "approve shows a plan to a person, and asks on a terminal; stdin or stdout is none."
            " Programs apply a plan that was saved with `plan --out`."
        )
    from reconciler.cli.approval import approves_plan
    from reconciler.cli.output import timestamp
    from reconciler.controller.state import read_state
    from reconciler.model.errors import InvalidConfig
    from reconciler.model.settings import approval_word
    from reconciler.model.text import utc_text
    from reconciler.workflow.approve import is_digest, no_digest, other_plan, save_approval
    from reconciler.workflow.plan import plan
    from reconciler.workflow.runtime.author import user_of

    if not is_digest(digest):
        raise InvalidConfig(no_digest(digest))
    state = read_state(run.context)
    waiting = state.waiting if state else None
    if state and waiting:
        from reconciler.cli.run.approval import approve_waiting

        if waiting.digest == digest:
            return approve_waiting(run.out, run.context, state, waiting)
        run.out.tell(f"Another plan waits in `reconciler run` now: {waiting.digest}\n")
    context = run.list_early(run.context, needs_files=True, with_other_kinds=True)
    planned = plan(context)
    is_same = planned.digest == digest
    code = planned.blocked or (ExitCode.OK if is_same else ExitCode.STALE)
    refusals = () if is_same or planned.blocked else (other_plan(),)
    run.out.plan(planned.run_report("approve", timestamp(), exit_code=code, refusals=refusals))
    if code != ExitCode.OK:
        return code
    effect = "A program may then apply exactly these actions, once, within an hour."
    if not approves_plan(run.out, approval_word(context.environment), effect=effect):
        return ExitCode.ERROR
    approval = save_approval(context, digest, user_of(context))
    run.out.line(f"Approved until {utc_text(approval.until)}. The program may apply it now.")
    return ExitCode.OK
