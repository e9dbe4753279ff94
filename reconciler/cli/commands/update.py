"""The command `reconciler update`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.imperative_options import (
    approval,
    context_of,
    environment,
    prewarm_options,
    with_environment_options,
)
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import complete_endpoints


@click.command(cls=Command)
@click.argument("name", shell_complete=complete_endpoints)
@click.option("--image", metavar="IMAGE", help="Container image.")
@click.option("--replicas", type=int, metavar="N", help="Number of workers; 0 allows scaling to zero.")
@click.option(
    "--task-timeout",
    "taskTimeout",
    type=int,
    metavar="SECONDS",
    help="Time after which an idle worker is stopped.",
)
@with_environment_options
@click.option("--no-env", is_flag=True, help="Remove all environment variables.")
@prewarm_options
@approval()
@options.over_budget
@with_run
@with_reports
@with_events
def update(
    run: Run,
    name: str,
    prewarm: bool,
    prewarm_timeout: float | None,
    env: tuple[str, ...],
    env_files: tuple[str, ...],
    no_env: bool,
    approved: bool,
    message: str,
    other_account: bool,
    over_budget: bool,
    lock_timeout: float,
    wait: float | None,
    **given: Any,
) -> int:
    """Change the image, workers, environment variables or idle timeout of one endpoint.

    The given variables replace all variables of the endpoint. If the configuration declares other values,
    update prints a note: the next apply restores the declared values.
    """
    changes = {field: value for field, value in given.items() if value is not None}
    variables = environment(env, env_files, run.context)
    if no_env and variables is not None:
        raise click.UsageError("--no-env cannot be combined with --env or --env-file")
    if no_env or variables is not None:
        changes["env"] = variables or {}
    if not changes:
        raise click.UsageError(
            "specify at least one of --image, --replicas, --task-timeout, --env, --env-file and --no-env"
        )
    given_context = context_of(
        run, lock_timeout, message, other_account=other_account, over_budget=over_budget
    )
    context = run.list_early(replace(given_context, prewarm_timeout=prewarm_timeout), with_limits=True)
    from reconciler.cli.apply_flow import run_apply
    from reconciler.workflow.imperative import update_goal

    context, goal = update_goal(context, name, changes, prewarm=prewarm)
    return run_apply(run.out, context, approved=approved, goal=goal, wait=wait)
