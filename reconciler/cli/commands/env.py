"""The commands `reconciler env list` and `env diff`."""

from __future__ import annotations

import click

from reconciler.cli.options import Group, Run, with_run
from reconciler.cli.shell_completion import complete_environments
from reconciler.model.problem import ExitCode


@click.group(cls=Group)
@with_run
def env(run: Run) -> None:
    """List and compare the environments of config.yaml. Works offline."""
    del run


@env.command("list")
@with_run
def list_(run: Run) -> int:
    """List the environments: their files, inventories and names, and the number of recorded endpoints."""
    from reconciler.reports.views.environments import environments_document, environments_text
    from reconciler.workflow.environments import list_environments

    environments = list_environments(run.context)
    if run.out.as_json:
        run.out.document(environments_document(environments))
    elif environments:
        run.out.result(environments_text(environments, run.out.screen))
    else:
        run.out.line("config.yaml declares no environments. An example: environments: {dev: {}, prod: {}}")
    return ExitCode.OK


@env.command("diff")
@click.argument("first", shell_complete=complete_environments)
@click.argument("second", shell_complete=complete_environments)
@with_run
def diff(run: Run, first: str, second: str) -> int:
    """Show what two environments declare differently. Exits with 2 if there are differences.

    Endpoints are compared by their declared names, and secrets by their references.
    """
    from reconciler.reports.views.environments import differences_document, differences_text
    from reconciler.workflow.environments import compare_environments

    differing = compare_environments(run.context, first, second)
    code = ExitCode.CHANGES if differing else ExitCode.OK
    if run.out.as_json:
        run.out.document(differences_document(first, second, differing, int(code)))
    else:
        run.out.result(differences_text(first, second, differing, run.out.style))
    return code
