"""The outputs of a run: the URLs of its endpoints, as text and in the JSON of `terraform output`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.model.apply_events import ApplyReport, ChangeResult, Outcome
from reconciler.model.command import Operand, command_line
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action, Change, Plan
from reconciler.model.resource import ENDPOINT
from reconciler.model.run_report import RunReport
from reconciler.model.text import quantity
from reconciler.model.values import Json
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import cell_width, pad

NO_URL: Final = "(Novita has not assigned a URL yet)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOutput:
    """The name, URL and ID of one endpoint, as the account reports them.

    `url` is "" while Novita has none yet. `replaced_id` is the ID that the endpoint had before this run
    replaced it, else "". `is_changed` is true if this run changed the endpoint.
    """

    name: str
    url: str
    id: str
    replaced_id: str = ""
    is_changed: bool = False


def outputs_of(run: RunReport) -> tuple[EndpointOutput, ...]:
    """Return the outputs of an apply, in the order of the plan; () for a run that applies nothing."""
    if run.plan is None or run.report is None:
        return ()
    return tuple(_outputs(run.plan, run.report))


def _outputs(plan: Plan, report: ApplyReport) -> Iterator[EndpointOutput]:
    results = {result.change.address: result for result in report.results}
    for change in plan.changes:
        if change.kind != ENDPOINT or change.action in (Action.DELETE, Action.FORGET):
            continue
        result = results.get(change.address)
        if result is not None and result.id:
            yield EndpointOutput(
                name=change.name,
                url=result.url,
                id=result.id,
                replaced_id=result.replaced_id,
                is_changed=True,
            )
        elif (live := getattr(change, "live", None)) is not None and not _may_be_gone(change, result):
            yield EndpointOutput(name=change.name, url=live.url, id=live.id)


def _may_be_gone(change: Change, result: ChangeResult | None) -> bool:
    """Return whether a replacement that was not completed may have deleted the endpoint."""
    is_begun = result is not None and result.outcome is not Outcome.NOT_ATTEMPTED
    return is_begun and change.action is Action.REPLACE


def outputs_text(outputs: Sequence[EndpointOutput], style: Style = PLAIN) -> str:
    """Return the URLs of the endpoints that a run changed, ending in a newline; "" if it changed none."""
    changed = [output for output in outputs if output.is_changed]
    if not changed:
        return ""
    lines = [style.bold("Outputs:"), "", *output_lines(changed, style)]
    if missing := [output.name for output in changed if not output.url]:
        names = map(Operand, missing) if len(missing) == 1 else ()
        command = command_line("reconciler", "output", *names)
        lines += ["", f"To ask for a missing URL again: {command}"]
    if others := len(outputs) - len(changed):
        count = quantity(others, "unchanged endpoint")
        lines += ["", style.dim(f"{count}: {command_line('reconciler', 'output')}")]
    return "".join(f"{line}\n" for line in lines)


def output_lines(outputs: Sequence[EndpointOutput], style: Style = PLAIN) -> Iterator[str]:
    """Yield `NAME = URL` for each endpoint, and below it the two IDs of one that was replaced."""
    width = max((cell_width(plain(output.name)) for output in outputs), default=0)
    for output in outputs:
        yield f"{pad(plain(output.name), width)} = {plain(output.url) or style.dim(NO_URL)}"
        if output.replaced_id:
            yield style.dim(f"  replaced: the ID was {plain(output.replaced_id)} and is {plain(output.id)}")


def outputs_document(outputs: Iterable[EndpointOutput]) -> dict[str, Json]:
    """Return the URLs by name, in the shape of `terraform output -json`, with the ID beside each one."""
    return {
        output.name: {"sensitive": False, "type": "string", "value": output.url or None, "id": output.id}
        for output in outputs
    }
