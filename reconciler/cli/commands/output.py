"""The command `reconciler output`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_endpoints
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False, shell_complete=complete_endpoints)
@click.option(
    "--env",
    "as_env",
    is_flag=True,
    help="Write lines NAME_URL=... for a .env file or for $GITHUB_ENV: chat-7b becomes CHAT_7B_URL.",
)
@with_run
def output(run: Run, name: str | None, as_env: bool) -> int:
    """Print the URLs of the endpoints.

    With the name or the ID of an endpoint, output prints only its URL. Without NAME, it prints all endpoints
    that are declared or recorded. --json has the shape of `terraform output -json`.
    """
    if as_env and run.out.as_json:
        raise click.UsageError("--env and --json both write to stdout; use one of them")
    if name is not None and not run.context.selection.is_everything:
        raise click.UsageError("use either NAME or --target and --exclude")
    context = run.context if name is not None else run.list_early(run.context)
    from reconciler.model.errors import InvalidConfig
    from reconciler.reports.run.outputs import output_lines, outputs_document
    from reconciler.reports.terminal.escape import plain
    from reconciler.reports.views.outputs import env_errors, env_lines
    from reconciler.workflow.output import Outputs, all_outputs, one_output

    result = Outputs(outputs=(one_output(context, name),)) if name is not None else all_outputs(context)
    if as_env:
        if errors := tuple(env_errors(result.outputs)):
            raise InvalidConfig(*errors)
        run.out.result(env_lines(result.outputs))
    elif run.out.as_json:
        documents = outputs_document(result.outputs)
        run.out.document(result.outputs[0].url if name is not None else documents)
    elif name is not None:
        run.out.result(f"{plain(result.outputs[0].url)}\n")
    elif result.outputs:
        run.out.result("".join(f"{line}\n" for line in output_lines(result.outputs, run.out.style)))
    else:
        run.out.line("There are no endpoints yet.")
    run.out.problems(result.problems)
    return ExitCode.OK
