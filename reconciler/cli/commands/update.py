"""`reconciler update`"""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.imperative_options import approval, context_of, environment, with_environment
from reconciler.cli.options import Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import an_endpoint


@click.command()
@click.argument("name", shell_complete=an_endpoint)
@click.option("--image", metavar="IMAGE", help="The container image.")
@click.option("--replicas", type=int, metavar="N", help="Number of workers; 0 scales to zero when idle.")
@click.option(
    "--task-timeout", "taskTimeout", type=int, metavar="SECONDS", help="How long a worker may idle."
)
@with_environment
@click.option("--no-env", is_flag=True, help="No variables at all.")
@approval()
@with_run
@with_reports
@with_events
def update(
    run: Run,
    name: str,
    env: tuple[str, ...],
    env_files: tuple[str, ...],
    no_env: bool,
    approved: bool,
    other_account: bool,
    lock_timeout: float,
    wait: float | None,
    **given: Any,
) -> int:
    """Change the image, the workers, the env or the timeout of one endpoint; all else stays.

    The variables given replace all that it has. Where the YAML says otherwise, that is told: the next apply
    sets it back.
    """
    from reconciler.cli.apply_flow import perform
    from reconciler.workflow.imperative import update_goal

    changes = {field: value for field, value in given.items() if value is not None}
    variables = environment(env, env_files, run.context)
    if no_env and variables is not None:
        raise click.UsageError("--no-env goes without --env and --env-file")
    if no_env or variables is not None:
        changes["env"] = variables or {}
    if not changes:
        raise click.UsageError("say what to change: --image, --replicas, --task-timeout, --env or --env-file")
    context, goal = update_goal(context_of(run, lock_timeout, other_account=other_account), name, changes)
    return perform(run.out, context, approved=approved, goal=goal, wait=wait)
