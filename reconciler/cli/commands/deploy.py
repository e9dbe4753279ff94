"""The command `reconciler deploy`."""

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
from reconciler.cli.shell_completion import complete_specs


@click.command(cls=Command)
@click.argument("name")
@click.option("--image", required=True, metavar="IMAGE", help="Container image.")
@click.option(
    "--spec",
    "specName",
    required=True,
    metavar="NAME",
    shell_complete=complete_specs,
    help="GPU spec of specs.yaml.",
)
@click.option("--replicas", type=int, metavar="N", help="Number of workers, without scaling. (default: 1)")
@click.option(
    "--min", "minReplicas", type=int, metavar="N", help="Minimum number of workers; 0 allows scaling to zero."
)
@click.option("--max", "maxReplicas", type=int, metavar="N", help="Maximum number of workers.")
@click.option(
    "--task-timeout",
    "taskTimeout",
    type=int,
    metavar="SECONDS",
    help="Time after which an idle worker is stopped.",
)
@click.option(
    "--request-timeout", "requestTimeout", type=int, metavar="SECONDS", help="Time limit of a request."
)
@click.option("--port", type=int, metavar="PORT", help="Port on which the container listens. (default: 8000)")
@click.option(
    "--health-path",
    "healthPath",
    metavar="PATH",
    help="HTTP path of the health check, which must return 200. (default: /health)",
)
@click.option("--command", metavar="TEXT", help="Start command, in place of the one of the image.")
@click.option(
    "--image-auth",
    metavar="NAME",
    default="",
    help="Registry credential for a private image: the name of one in `registries:`, or an ID.",
)
@click.option(
    "--app-name",
    "appName",
    metavar="LABEL",
    help="Label in the URL, which cannot be changed later. (default: NAME)",
)
@with_environment_options
@prewarm_options
@approval()
@options.over_budget
@with_run
@with_reports
@with_events
def deploy(
    run: Run,
    name: str,
    image_auth: str,
    prewarm: bool,
    prewarm_timeout: float | None,
    env: tuple[str, ...],
    env_files: tuple[str, ...],
    approved: bool,
    message: str,
    other_account: bool,
    over_budget: bool,
    lock_timeout: float,
    wait: float | None,
    **given: Any,
) -> int:
    """Create one endpoint that is not declared in the configuration.

    deploy shows a plan and asks for approval, as apply does. Later plans list the endpoint and never delete
    it. Option values are taken literally, without ${...} references; values of environment variables are
    treated as secrets.
    """
    item = {"endpoint": name, **{field: value for field, value in given.items() if value is not None}}
    variables = environment(env, env_files, run.context)
    if variables is not None:
        item["env"] = variables
    if prewarm:
        item["prewarm"] = True
    given_context = context_of(
        run, lock_timeout, message, other_account=other_account, over_budget=over_budget
    )
    context = run.list_early(replace(given_context, prewarm_timeout=prewarm_timeout), with_limits=True)
    from reconciler.cli.apply_flow import run_apply
    from reconciler.workflow.imperative import deploy_goal

    context, goal = deploy_goal(context, item, image_auth=image_auth)
    return run_apply(run.out, context, approved=approved, goal=goal, wait=wait)
