"""The command `reconciler recover`."""

from __future__ import annotations

from dataclasses import replace

import click

from reconciler.cli import options
from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode, limit_problems


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@click.option(
    "--id", "object_id", metavar="ID", help="State that the create of NAME made the endpoint with this ID."
)
@click.option("--none", "nothing", is_flag=True, help="State that the create of NAME made no endpoint.")
@options.other_account
@with_run
def recover(run: Run, name: str | None, object_id: str | None, nothing: bool, other_account: bool) -> int:
    """Resolve creates whose response was lost.

    Without arguments, recover looks for the resources in the account. With NAME, which is an endpoint or the
    address of another resource, you state the result of one create yourself. The account is only read.
    """
    from reconciler.model.settings import Allowances
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.recover import StatedOutcome
    from reconciler.workflow.recover import recover as resolve_creates

    if (object_id is not None) + nothing != (name is not None):
        raise click.UsageError("specify NAME together with --id or --none, or none of the three")
    context = replace(run.context, allow=Allowances(other_account=other_account))
    result = resolve_creates(context, StatedOutcome(name=name, id=object_id) if name is not None else None)
    code = ExitCode.UNRESOLVED if result.unresolved else ExitCode.OK
    if run.out.as_json:
        run.out.document(
            {
                "made": [{"name": record.key, "id": record.id} for record in result.made],
                "nothing": [intent.key for intent in result.nothing],
                "problems": [problem.to_dict() for problem in limit_problems(result.unresolved)],
                "exit_code": int(code),
            }
        )
        return code
    for record in result.made:
        run.out.result(f"{plain(record.key)} was created as {plain(record.id)} and is now recorded.\n")
    for intent in result.nothing:
        run.out.result(
            f"{plain(intent.key)} was not created. If it is still declared, the next apply creates it.\n"
        )
    run.out.problems(result.unresolved)
    if not (result.made or result.nothing or result.unresolved):
        run.out.result("Nothing to recover.\n")
    return code
