"""`reconciler deploy`"""

from __future__ import annotations

from typing import Any

import click

from reconciler.cli.imperative_options import approval, context_of, environment, with_environment
from reconciler.cli.options import Run, with_run
from reconciler.cli.report_options import with_events, with_reports
from reconciler.cli.shell_completion import a_spec


@click.command()
@click.argument("name")
@click.option("--image", required=True, metavar="IMAGE", help="The container image.")
@click.option(
    "--spec",
    "specName",
    required=True,
    metavar="NAME",
    shell_complete=a_spec,
    help="A GPU shape of specs.yaml.",
)
@click.option("--replicas", type=int, metavar="N", help="Fixed number of workers.  [default: 1]")
@click.option(
    "--min", "minReplicas", type=int, metavar="N", help="Least number of workers; 0 scales to zero."
)
@click.option("--max", "maxReplicas", type=int, metavar="N", help="Largest number of workers.")
@click.option(
    "--task-timeout", "taskTimeout", type=int, metavar="SECONDS", help="How long a worker may idle."
)
@click.option(
    "--request-timeout", "requestTimeout", type=int, metavar="SECONDS", help="How long a request may take."
)
@click.option("--port", type=int, metavar="PORT", help="Where the container listens.  [default: 8000]")
@click.option("--health-path", "healthPath", metavar="PATH", help="What answers 200.  [default: /health]")
@click.option("--command", metavar="TEXT", help="Replaces the start command of the image.")
@click.option("--image-auth", "imageAuthId", metavar="ID", help="Credentials of a private registry.")
@click.option("--app-name", "appName", metavar="LABEL", help="In the URL, fixed for life.  [default: NAME]")
@with_environment
@approval()
@with_run
@with_reports
@with_events
def deploy(
    run: Run,
    name: str,
    env: tuple[str, ...],
    env_files: tuple[str, ...],
    approved: bool,
    other_account: bool,
    lock_timeout: float,
    wait: float | None,
    **given: Any,
) -> int:
    """Make one endpoint, without the YAML.

    It is planned, shown and asked about like an apply. Plans list it and never delete it. Values are literal,
    and those of variables are kept secret.
    """
    from reconciler.cli.apply_flow import perform
    from reconciler.workflow.imperative import deploy_goal

    item = {"endpoint": name, **{field: value for field, value in given.items() if value is not None}}
    variables = environment(env, env_files, run.context)
    if variables is not None:
        item["env"] = variables
    context, goal = deploy_goal(context_of(run, lock_timeout, other_account=other_account), item)
    return perform(run.out, context, approved=approved, goal=goal, wait=wait)
