"""The command `reconciler preview`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from reconciler.cli import options
from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.option("--create", is_flag=True, help="Show the create request of every declared endpoint, offline.")
@click.option("--curl", is_flag=True, help="Print curl commands, which read the key from $NOVITA_API_KEY.")
@click.option("--reveal", is_flag=True, help="Print secrets in clear.")
@options.adopt
@options.allow_delete
@options.allow_storage_delete
@options.guard_options
@with_run
def preview(
    run: Run,
    create: bool,
    curl: bool,
    reveal: bool,
    adopt: bool,
    allow_delete: int | None,
    **agreed: Any,
) -> int:
    """Print the exact API requests that apply would send, in order."""
    from reconciler.model.settings import Allowances

    context = replace(run.context, allow=Allowances(adopt=adopt, deletes=allow_delete, **agreed))
    if not create:
        context = run.list_early(context, needs_files=True, with_other_kinds=True)
    from reconciler.reports.views.requests import body_text, curl_lines, request_document, request_lines
    from reconciler.workflow.preview import preview as preview_plan
    from reconciler.workflow.preview import preview_creates

    result = preview_creates(context) if create else preview_plan(context)
    rows = [(planned.address, planned.action.value, planned.request) for planned in result.requests]
    errors = [problem for problem in result.problems if problem.is_error]
    code = result.planned.blocked if result.planned else (ExitCode.ERROR if errors else None)
    if run.out.as_json:
        run.out.document(
            [
                request_document(result.base_url, at, action, request, reveal=reveal)
                for at, action, request in rows
            ]
        )
    else:
        lines = (curl_lines if curl else request_lines)(result.base_url, rows, reveal=reveal)
        run.out.result("".join(f"{line}\n" for line in lines))
        if not rows:
            run.out.result("No requests. Apply would send nothing.\n")
    if curl and not reveal and any("(sensitive value)" in body_text(r, reveal=False) for _, _, r in rows):
        run.out.line(
            "Secrets are masked above, so these commands would send the mask. Pass --reveal to run them."
        )
    # on stderr with --json too, because the document is a list of requests
    run.out.problems(result.problems)
    return code or ExitCode.OK
