"""`reconciler recover`"""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.options import Run, with_run
from reconciler.cli.shell_completion import an_endpoint
from reconciler.model.problem import ExitCode, limit_problems


@click.command()
@click.argument("name", required=False, shell_complete=an_endpoint)
@click.option("--id", "object_id", metavar="ID", help="This endpoint is what the create of NAME made.")
@click.option("--none", "nothing", is_flag=True, help="The create of NAME made nothing.")
@options.other_account
@with_run
def recover(run: Run, name: str | None, object_id: str | None, nothing: bool, other_account: bool) -> int:
    """Settle creates whose answer was lost, by looking, or by your word on one of them.

    Sends nothing. Does nothing when nothing is open.
    """
    from reconciler.model.settings import Allowances
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.recover import Word
    from reconciler.workflow.recover import recover as settle

    if (object_id is not None) + nothing != (name is not None):
        raise click.UsageError("give NAME with one of --id and --none, or none of the three")
    context = replace(run.context, allow=Allowances(other_account=other_account))
    found = settle(context, Word(name=name, id=object_id) if name is not None else None)
    code = ExitCode.UNRESOLVED if found.unresolved else ExitCode.OK
    if run.out.as_json:
        run.out.document(
            {
                "made": [{"name": one.name, "id": one.id} for one in found.made],
                "nothing": list(found.nothing),
                "problems": [problem.to_dict() for problem in limit_problems(found.unresolved)],
                "exit_code": int(code),
            }
        )
        return code
    for one in found.made:
        run.out.result(f"{plain(one.name)} was made as {plain(one.id)}; it is recorded.\n")
    for lost in found.nothing:
        run.out.result(f"{plain(lost)} was not made; if it is still declared, the next apply creates it.\n")
    run.out.problems(found.unresolved)
    if not (found.made or found.nothing or found.unresolved):
        run.out.result("Nothing to recover.\n")
    return code
