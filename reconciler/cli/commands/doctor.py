"""The command `reconciler doctor`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.option(
    "--probe-api",
    "is_probe",
    is_flag=True,
    help="Read what answers the open questions about Novita's API, and print a report for an issue.",
)
@click.option(
    "--with-writes",
    is_flag=True,
    help="After the reads of --probe-api, make one small endpoint, change it and delete it.",
)
@click.option(
    "--yes", is_flag=True, help="Do not ask before --probe-api reads, and writes if --with-writes is given."
)
@with_run
def doctor(run: Run, is_probe: bool, with_writes: bool, yes: bool) -> int:
    """Check the files, the API key, the account, the clock, limits, regions and the inventory.

    Each check that fails names a fix. Nothing is changed, except by --with-writes. The report of --probe-api
    has no names, IDs or secrets: only counts, types, and keys of Novita's answers.
    """
    if is_probe:
        from reconciler.cli.api_probe.flow import probe_api

        return probe_api(run, is_approved=yes, with_writes=with_writes)
    if yes or with_writes:
        name = "--yes" if yes else "--with-writes"
        raise click.UsageError(f"{name} belongs to --probe-api, and is nothing without it")
    from reconciler.model.run_report import Check, CheckStatus
    from reconciler.reports.views.checks import check_text, summary_text
    from reconciler.reports.views.documents import doctor_document
    from reconciler.workflow.doctor.checks import run_checks

    made: list[Check] = []
    for check in run_checks(run.context):
        made.append(check)
        run.out.result(check_text(check, run.out.style))
    code = ExitCode.ERROR if any(check.status is CheckStatus.FAIL for check in made) else ExitCode.OK
    if run.out.as_json:
        run.out.document(doctor_document(made, code))
    run.out.result("\n" + summary_text(made, run.out.style))
    return code
