"""The command `reconciler scale`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.imperative_options import approval, context_of, lease_duration
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import FORMATS, with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints

if TYPE_CHECKING:
    from reconciler.workflow.plan import Goal
    from reconciler.workflow.runtime.context import Context


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@click.argument("replicas", metavar="[N]", type=click.IntRange(min=0), required=False)
@click.option("--min", "low", type=click.IntRange(min=0), metavar="N", help="Minimum number of workers.")
@click.option("--max", "high", type=click.IntRange(min=1), metavar="N", help="Maximum number of workers.")
@click.option(
    "--for",
    "lasting",
    type=lease_duration,
    metavar="DURATION",
    help="Apply the worker counts for this long, as a lease, such as 90m, 6h or 2d.",
)
@click.option("--why", metavar="TEXT", help="Reason for the lease. Required with --for.")
@click.option("--end-lease", is_flag=True, help="End the lease now and restore the declared worker counts.")
@click.option(
    "--write", is_flag=True, help="Write the worker counts into the YAML files instead of the account."
)
@click.option("--drain", is_flag=True, help="Drain surplus workers before they are stopped.")
@approval()
@options.over_budget
@with_run
@with_reports
@with_events
def scale(
    run: Run,
    name: str,
    replicas: int | None,
    low: int | None,
    high: int | None,
    lasting: timedelta | None,
    why: str | None,
    end_lease: bool,
    write: bool,
    drain: bool,
    approved: bool,
    message: str,
    other_account: bool,
    over_budget: bool,
    lock_timeout: float,
    wait: float | None,
) -> int:
    """Set the number of workers of one endpoint, permanently or for a limited time.

    N sets both the minimum and the maximum. 0 sets only the minimum, so that the endpoint scales to zero when
    it is idle. With --for, plan and drift accept the worker counts until the lease ends, and the first apply
    after that restores the declared counts.
    """
    _check(replicas, low, high, lasting, why, end_lease=end_lease)
    if write:
        others = ("lasting", "end_lease", "drain", "wait", "explain", "events")
        reports = (f"{format_}_into" for format_ in FORMATS)
        if any(click.get_current_context().params.get(option) for option in (*others, *reports)):
            raise click.UsageError(
                "--write changes only the YAML files: it can be combined with N, --min and --max only"
            )
        return _write(run, name, low if replicas is None else replicas, replicas or high)
    context = run.list_early(
        context_of(
            run, lock_timeout, message, drain=drain, other_account=other_account, over_budget=over_budget
        ),
        with_limits=True,
    )
    from reconciler.cli.apply_flow import run_apply

    context, goal = _goal(context, name, replicas, low, high, lasting, why or "", end_lease=end_lease)
    return run_apply(run.out, context, approved=approved, goal=goal, wait=wait)


def _write(run: Run, name: str, low: int | None, high: int | None) -> int:
    from reconciler.model.command import command_line
    from reconciler.model.problem import ExitCode
    from reconciler.reports.terminal.style import PLAIN
    from reconciler.reports.views.file_diff import diff_text
    from reconciler.workflow.scale_yaml import write_worker_counts

    edit = write_worker_counts(context_of(run, 0.0), name, low, high)
    style = PLAIN if run.out.as_json else run.out.style
    diff = diff_text(edit.shown, edit.before, edit.after, style)
    if run.out.as_json:
        run.out.document({"file": edit.shown, "diff": diff, "exit_code": 0})
    elif diff:
        run.out.result(diff)
        send = command_line("reconciler", "apply", "--target", name)
        run.out.line(f"\nWrote {edit.shown}. To apply the change: {send}")
    else:
        run.out.line(f"{edit.shown} already declares these worker counts.")
    return ExitCode.OK


def _goal(
    context: Context,
    name: str,
    replicas: int | None,
    low: int | None,
    high: int | None,
    lasting: timedelta | None,
    why: str,
    *,
    end_lease: bool,
) -> tuple[Context, Goal]:
    from reconciler.model.sync.lease import Lease
    from reconciler.workflow.imperative import update_goal
    from reconciler.workflow.lease import end_lease_goal, lease_goal

    if end_lease:
        return end_lease_goal(context, name)
    if lasting is None:
        counts = {"replicas": replicas, "minReplicas": low, "maxReplicas": high}
        return update_goal(context, name, {key: count for key, count in counts.items() if count is not None})
    low, high = (low, high) if replicas is None else (replicas, replicas)
    assert low is not None
    assert high is not None
    until = (context.now() + lasting).replace(microsecond=0)
    return lease_goal(context, name, Lease(min=low, max=high, until=until, why=why))


def _check(
    replicas: int | None,
    low: int | None,
    high: int | None,
    lasting: timedelta | None,
    why: str | None,
    *,
    end_lease: bool,
) -> None:
    given = [replicas is not None, low is not None or high is not None, end_lease]
    if sum(given) != 1:
        raise click.UsageError("specify one of: N, --min and --max, or --end-lease")
    if low is not None and high is not None and low > high:
        raise click.UsageError(f"--min {low} is greater than --max {high}")
    if lasting is None and why is not None:
        raise click.UsageError("--why requires --for DURATION")
    if lasting is not None and replicas == 0:
        raise click.UsageError("--for with 0 workers leaves none that could start: specify --min 0 --max N")
    if lasting is not None and ((replicas is None and None in (low, high)) or not (why or "").strip()):
        raise click.UsageError("--for requires N, or --min and --max, and --why TEXT")
    if why is not None and not why.isprintable():
        raise click.UsageError("--why must be one line of text")
