"""`reconciler approve` for the plan of `reconciler run` that waits: it is shown, and a person is asked."""

from __future__ import annotations

from contextlib import suppress

from reconciler.cli.approval import approves_plan
from reconciler.cli.output import Output
from reconciler.controller.approval import approve, find_approval, require_genuine
from reconciler.controller.state import SyncState, WaitingPlan
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode
from reconciler.model.settings import approval_word
from reconciler.model.sync.durations import APPROVAL_POLL
from reconciler.model.text import utc_text
from reconciler.reports.terminal.escape import plain, plain_lines
from reconciler.workflow.runtime.author import user_of
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.stores.lock import leader_of


def approve_waiting(out: Output, context: Context, state: SyncState, waiting: WaitingPlan) -> int:
    """Show a waiting plan, ask on the terminal, and write the approval. Return the exit code.

    The plan is that of the store; no file is read, so it may be approved from any folder. Raise
    ReconcilerError.
    """
    environment = state.environment if context.environment is None else None
    require_genuine(context, waiting, environment=environment)
    of = f" of the environment {plain(state.environment)}" if state.environment else ""
    out.line(plain_lines(waiting.text.strip("\n")))
    out.line(
        f"\n`reconciler run`{of} waits with this plan since {utc_text(waiting.since)},"
        f" for revision {plain(waiting.revision[:12])}."
    )
    with suppress(InvalidConfig):  # one that does not hold is replaced
        if (found := find_approval(context, waiting)) is not None:
            out.line(f"It is approved already, by {plain(found.who)}, until {utc_text(found.until)}.")
            return ExitCode.OK
    effect = "`reconciler run` then applies exactly these actions, once, or nothing if they have changed."
    if not approves_plan(out, environment or approval_word(context.environment), effect=effect):
        return ExitCode.ERROR
    approval = approve(context, waiting, user_of(context), environment=environment)
    leader = leader_of(context.store)
    who = f"{leader.who}@{leader.host} applies it within {APPROVAL_POLL:.0f} s" if leader else (
        "no `reconciler run` leads the inventory now; the next one that does applies it"
    )  # fmt: skip
    out.line(f"Approved until {utc_text(approval.until)}: {plain(who)}.")
    return ExitCode.OK
