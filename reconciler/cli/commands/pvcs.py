"""The command `reconciler pvcs`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, output_option, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@output_option
@with_run
def pvcs(run: Run, output: str | None) -> int:
    """List the network storages of the account, and the endpoints that mount them.

    The column RECORDED shows whether the inventory records a storage, so that `apply` manages it, or which
    other environment does. --target and --exclude take names of storages, or their addresses.
    """
    context = run.list_early(run.context)
    from reconciler.reports.terminal.values import plain
    from reconciler.reports.views.storages import storage_document, storages_text
    from reconciler.workflow.storages import list_storages

    result = list_storages(context)
    if run.out.as_json:
        run.out.document([storage_document(storage) for storage in result.storages])
    elif output == "name":
        run.out.result("".join(f"{plain(storage.name)}\n" for storage in result.storages))
    elif result.storages:
        run.out.result(storages_text(result.storages, run.out.screen))
    elif not run.context.selection.is_everything:
        run.out.line("--exclude matches all network storages of the account.")
    else:
        run.out.line("The account has no network storages; declare them under `storages:` in endpoints.yaml.")
    run.out.problems(result.problems)
    return ExitCode.OK
