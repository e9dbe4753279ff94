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
@click.option("--yes", is_flag=True, help="Do not ask before --probe-api reads.")
@with_run
def doctor(run: Run, is_probe: bool, yes: bool) -> int:
    """Check the files, the API key, the account, the clock, limits, regions and the inventory.

    Each check that fails names a fix. Nothing is changed. The report of --probe-api has no names, IDs or
    secrets: only counts, types, and keys of Novita's answers.
    """
    if is_probe:
        return _probe(run, is_approved=yes)
    if yes:
        raise click.UsageError("--yes answers for --probe-api, and is nothing without it")
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


def _probe(run: Run, *, is_approved: bool) -> int:
    from reconciler.cli.approval import ask_for_word
    from reconciler.model.errors import NotApplied
    from reconciler.reports.terminal.table import Cell, table_text
    from reconciler.workflow.api_probe.probe import probe_api, simulator_command

    if not is_approved:
        refusal = ask_for_word(
            run.out,
            "yes",
            question="Do you want to read the API with your key?",
            effect="About 16 GET requests are sent, and nothing is changed.",
            again="reconciler doctor --probe-api --yes",
            subject="the reads",
        )
        if refusal is not None:
            raise NotApplied(refusal)
    found = probe_api(run.context, run.out.line)
    command = simulator_command(found)
    if run.out.as_json:
        findings = [
            {"question": one.question, "switch": one.switch, "value": one.value, "evidence": one.evidence}
            for one in found
        ]
        run.out.document({"findings": findings, "simulator": command})
        return ExitCode.OK
    rows = [[Cell(text) for text in (one.question, one.switch, one.value, one.evidence)] for one in found]
    run.out.result("\n" + table_text(("QUESTION", "SWITCH", "VALUE", "SEEN"), rows, run.out.screen))
    run.out.result(f"\nA simulator that behaves like this account:\n  {command}\n")
    return ExitCode.OK
