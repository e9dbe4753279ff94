"""The flow of `doctor --probe-api`: ask, read, ask again, write, and print one report."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from reconciler.cli.approval import ask_for_word
from reconciler.cli.options import Run
from reconciler.model import durations
from reconciler.model.errors import NotApplied
from reconciler.model.market.text import usd
from reconciler.model.problem import ExitCode
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.table import Cell, table_text
from reconciler.workflow.api_probe.probe import probe_api as read_api
from reconciler.workflow.api_probe.probe import simulator_command
from reconciler.workflow.api_probe.report import Finding

if TYPE_CHECKING:
    from reconciler.workflow.api_probe.target import Target
    from reconciler.workflow.api_probe.write_probe import WriteResult

AGAIN: Final = "reconciler doctor --probe-api --yes"
AGAIN_WITH_WRITES: Final = "reconciler doctor --probe-api --with-writes --yes"

TITLES: Final = ("QUESTION", "SWITCH", "VALUE", "SEEN")


def probe_api(run: Run, *, is_approved: bool, with_writes: bool) -> int:
    """Print the report of the reads, and of the writes too `with_writes`; return the exit code.

    Raise NotApplied if the user does not approve, and ReconcilerError if nothing could be seen.
    """
    if not is_approved:
        _ask(
            run,
            "yes",
            question="Do you want to read the API with your key?",
            effect="About 16 GET requests are sent, and nothing is changed.",
            again=AGAIN_WITH_WRITES if with_writes else AGAIN,
            subject="the reads",
        )
    found = read_api(run.context, run.out.line)
    if not with_writes:
        _report(run, found, None)
        return ExitCode.OK
    result = _write(run, found, is_approved=is_approved)
    _report(run, result.reads, result.writes)
    run.out.problems(result.problems)
    return max((problem.exit_code for problem in result.problems), default=ExitCode.OK)


def _write(run: Run, found: tuple[Finding, ...], *, is_approved: bool) -> WriteResult:
    from reconciler.cli.apply_flow import graceful_shutdown
    from reconciler.workflow.api_probe.target import choose_target, delete_command
    from reconciler.workflow.api_probe.write_probe import probe_writes

    context = replace(run.context, command="reconciler doctor --probe-api --with-writes")
    target = choose_target(context)
    run.out.line(f"\n{_announcement(target)}")
    if not is_approved:
        _ask(
            run,
            "create",
            question="Do you want to make this endpoint, and to delete it again?",
            effect="Nothing else in the account is changed.",
            again=AGAIN_WITH_WRITES,
            subject="the writes",
        )
    stop = threading.Event()
    remove = delete_command(target.name)
    run.out.line(f"If this run is killed: {remove}\n")
    with graceful_shutdown(run.out, stop, [], f"Stopped. To delete what it made: {remove}\n") as begin:
        begin()
        return probe_writes(context, target, found, run.out.line, stop=stop)


def _ask(run: Run, word: str, *, question: str, effect: str, again: str, subject: str) -> None:
    refusal = ask_for_word(run.out, word, question=question, effect=effect, again=again, subject=subject)
    if refusal is not None:
        raise NotApplied(refusal)


def _announcement(target: Target) -> str:
    """Return what the writes make, and the most that it may cost."""
    minutes = (durations.API_PROBE_TIME + durations.API_PROBE_DELETE) / 60
    price = (
        "not known"
        if target.per_hour is None
        else f"{usd(Fraction(target.per_hour), 4)} per hour of a worker"
    )
    most = "not known" if target.most is None else usd(Fraction(target.most), 4)
    fields = target.desired.fields
    config = fields["workerConfig"]
    lines = (
        ("name", target.name),
        ("GPU", f"{target.gpu}, {config['gpuNum']} per worker"),
        ("region", fields["clusterID"] or "Novita's choice"),
        ("price", price),
        ("workers", f"minReplicas {config['minNum']}, maxReplicas {config['maxNum']}"),
        ("image", fields["image"]["image"]),
        (
            "cost",
            f"nothing, as no worker starts without a request to its URL; at most {most},"
            f" for one worker during {minutes:.0f} minutes",
        ),
    )
    rows = "".join(f"  {name:<8} {plain(str(text))}\n" for name, text in lines)
    return (
        f"The writes make one small endpoint:\n\n{rows}\n"
        "It is created, updated six times, scaled to zero and deleted, also after a failure or Ctrl-C.\n"
        "After each write the account is read until the change is visible."
    )


def _report(run: Run, reads: Sequence[Finding], writes: Sequence[Finding] | None) -> None:
    command = simulator_command((*reads, *(writes or ())))
    if run.out.as_json:
        document = {"findings": _documents(reads), "simulator": command}
        run.out.document(document if writes is None else {**document, "writes": _documents(writes)})
        return
    run.out.result("\n" + _table(run, reads))
    if writes is not None:
        run.out.result("\nSeen by the writes:\n\n" + _table(run, writes))
    run.out.result(f"\nA simulator that behaves like this account:\n  {command}\n")


def _table(run: Run, found: Sequence[Finding]) -> str:
    rows = [[Cell(text) for text in (one.question, one.switch, one.value, one.evidence)] for one in found]
    return table_text(TITLES, rows, run.out.screen)


def _documents(found: Sequence[Finding]) -> list[dict[str, str]]:
    return [
        {"question": one.question, "switch": one.switch, "value": one.value, "evidence": one.evidence}
        for one in found
    ]
