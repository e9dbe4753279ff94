"""What moved, for people: each field with who moved it, what rings and what is silenced, and what to type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.model.command import Operand, command_line
from reconciler.model.drift import Alarm, DriftItem, DriftReport, DriftState
from reconciler.model.plan import Action, Cause, Change, FieldChange, Plan
from reconciler.model.run_report import RunReport
from reconciler.model.values import value_at
from reconciler.reports.run.text import (
    DRIFT_HEADING,
    explanation_texts,
    field_lines,
    object_line,
    unmanaged_lines,
)
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.values import plain, shown

SHOWN_NAMES: Final = 3


def drift_text(found: RunReport, style: Style = PLAIN) -> str:
    """The drift report and its base, ending in a newline."""
    assert found.plan is not None
    assert found.drift_report is not None
    explanations = explanation_texts(found.plan, style) if found.explained else {}
    return "\n".join(_lines(found.plan, found.drift_report, explanations, style)) + "\n"


def _lines(
    plan: Plan, drift_report: DriftReport, explanations: Mapping[str, Sequence[str]], style: Style
) -> Iterator[str]:
    if drift_report.alarms:
        yield style.bold(DRIFT_HEADING)
        yield ""
    changes = {change.key: change for change in plan.pending}
    for alarm in drift_report.alarms:
        yield from _alarm(alarm, drift_report, changes.get(alarm.drift.key), style)
        if lines := explanations.get(alarm.drift.key):
            yield style.dim("      apply would change it:")
            yield from lines
        yield ""
    yield style.bold(drift_line(drift_report))
    if drift_report.by_declaration:
        yield "  There is no inventory. The account was compared with the configuration."
    yield from _silenced(drift_report)
    yield from _pending(plan, drift_report)
    yield from unmanaged_lines(plan.unmanaged, style)
    if drift_report.has_new_drift:
        yield from _ways_out(drift_report)


def drift_line(drift_report: DriftReport) -> str:
    """The drift report in one line; what is known or ignored is not counted."""
    ringing = [alarm for alarm in drift_report.alarms if alarm.has_new_drift]
    gone = sum(alarm.drift.live is None for alarm in ringing)
    if ringing:
        missing = "missing" if drift_report.by_declaration else "deleted"
        return f"Drift: {len(ringing) - gone} changed, {gone} {missing}."
    if drift_report.alarms:
        return "No new drift."
    if drift_report.by_declaration:
        return "No drift. The account matches the configuration."
    return "No drift. The account matches the last apply."


def _alarm(alarm: Alarm, drift_report: DriftReport, change: Change | None, style: Style) -> Iterator[str]:
    drift = alarm.drift
    if drift.live is None:
        what = "does not exist" if drift_report.by_declaration else "has been deleted"
        yield style.bold(f"  # {plain(drift.address)} {what}")
        yield object_line("-", drift.name, drift.id, style) + _remark(_standing(alarm.items[0]), style)
        return
    yield style.bold(f"  # {plain(drift.address)} has changed")
    yield object_line("~", drift.name, drift.id, style)
    moved = {one.field.path: one for one in alarm.items if one.field}
    ours = [field for field in change.fields if field.cause is Cause.CONFIG] if change else []

    def remarks(field: FieldChange) -> list[str]:
        one = moved.get(field.path)
        return [_cause(alarm, one), *_standing(one)] if one else ["config; not drift, but not yet applied"]

    yield from field_lines([*(one.field for one in moved.values() if one.field), *ours], style, remarks)


def _cause(alarm: Alarm, one: DriftItem) -> str:
    field, declared = one.field, alarm.drift.declared
    assert field is not None
    if field.cause is Cause.BOTH and declared is not None:
        return f"both; declared as {shown(value_at(declared, field.path))}"
    if field.cause is Cause.UNKNOWN:
        return "unknown; last applied with another key"
    return field.cause.value


def drift_state_text(one: DriftItem) -> str:
    """What the alarm makes of it, and of what is ignored for how long and why."""
    if one.state is not DriftState.IGNORED or one.ignore is None:
        return one.state.value
    until = f" until {one.ignore.until:%Y-%m-%d %H:%M}Z" if one.ignore.until else ""
    return f"ignored{until}" + (f": {plain(one.ignore.why)}" if one.ignore.why else "")


def _standing(one: DriftItem) -> list[str]:
    return [] if one.state is DriftState.NEW else [drift_state_text(one)]


def _remark(remarks: Sequence[str], style: Style) -> str:
    return style.dim(f"  # {', '.join(remarks)}") if remarks else ""


def _silenced(drift_report: DriftReport) -> Iterator[str]:
    counts = [
        f"{count} {'change is' if count == 1 else 'changes are'} {standing.value}"
        for standing in (DriftState.KNOWN, DriftState.IGNORED)
        if (count := drift_report.count(standing))
    ]
    if counts:
        yield f"  {', '.join(counts)} and not reported."


def _pending(plan: Plan, drift_report: DriftReport) -> Iterator[str]:
    """The endpoints that differ for what the YAML says alone: an apply's business, and no drift."""
    if drift_report.by_declaration:
        return
    moved = {alarm.drift.name for alarm in drift_report.alarms}
    names = [
        change.name
        for change in plan.pending
        if change.name not in moved and change.action is not Action.FORGET
    ]
    if names:
        listed = ", ".join(map(plain, names[:SHOWN_NAMES])) + (", ..." if len(names) > SHOWN_NAMES else "")
        count = "1 endpoint has" if len(names) == 1 else f"{len(names)} endpoints have"
        yield f"  {count} changes in the YAML that are not yet applied, which is not drift: {listed}."


def _ways_out(drift_report: DriftReport) -> Iterator[str]:
    names = [alarm.drift.name for alarm in drift_report.alarms if alarm.has_new_drift]
    listed = [Operand(name) for name in names] if len(names) <= SHOWN_NAMES else ["NAME..."]
    yield ""
    yield "To write the live values into the YAML:"
    yield f"  {command_line('reconciler', 'drift', 'accept', *listed)}"
    yield "To restore the declared values:"
    yield f"  {command_line('reconciler', 'drift', 'revert', *listed)}"
