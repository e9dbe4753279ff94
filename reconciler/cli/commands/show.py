"""The command `reconciler show`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_files
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("plan_file", metavar="PLAN", shell_complete=complete_files)
@with_run
def show(run: Run, plan_file: str) -> int:
    """Show a plan that was saved with `plan --out`.

    show needs no network and no API key. Secrets are masked, because the file does not contain them. --json
    prints the document of the plan.
    """
    from reconciler.model.errors import InvalidConfig
    from reconciler.model.problem import Problem
    from reconciler.reports.terminal.escape import plain
    from reconciler.reports.views.saved_plan import saved_plan_problems, saved_plan_text
    from reconciler.workflow.saved_plan.document import read_plan_document

    path = run.context.root / plan_file
    document = read_plan_document(path)
    try:
        text, problems = saved_plan_text(document, run.out.style), saved_plan_problems(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = Problem(code="not-a-plan", summary=f"{path} has a plan that cannot be shown: {error}")
        raise InvalidConfig(problem) from error
    if run.out.as_json:
        run.out.document(document)
        return ExitCode.OK
    run.out.result(run.out.environment_line(plain(str(document.get("environment") or ""))) + text)
    if problems:
        run.out.tell("\n")
        run.out.problems(problems)
    return ExitCode.OK
