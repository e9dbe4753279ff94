"""The command `reconciler doctor`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@with_run
def doctor(run: Run) -> int:
    """Check the files, the API key, the account, the clock, limits, regions and the inventory.

    Each check that fails names a fix. Nothing is changed.
    """
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
