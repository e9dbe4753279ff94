"""Drift as text: each changed field with its cause and state, and commands to accept or revert it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reconciler.kinds.registry import KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.drift import Alarm, DriftItem, DriftReport, DriftState
from reconciler.model.plan import Action, Cause, Change, FieldChange, Plan
from reconciler.model.run_report import RunReport
from reconciler.model.text import quantity
from reconciler.model.values import value_at
from reconciler.reports.run.text import (
    DRIFT_HEADING,
    explanation_texts,
    field_lines,
    object_line,
    unmanaged_lines,
)
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.values import in_reading_order, plain, shown

SHOWN_NAMES: Final = 3


def drift_text(run: RunReport, style: Style = PLAIN, *, lists_unmanaged: bool = False) -> str:
    """Return the drift report, ending in a newline. Unmanaged endpoints are named if `lists_unmanaged`."""
    assert run.plan is not None
    assert run.drift_report is not None
    explanations = explanation_texts(run.plan, style) if run.explained else {}
    lines = _lines(run.plan, run.drift_report, explanations, style, lists_unmanaged)
    return "\n".join(lines) + "\n"


def _lines(
    plan: Plan,
    drift_report: DriftReport,
    explanations: Mapping[str, Sequence[str]],
    style: Style,
    lists_unmanaged: bool,
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
    yield from _unreported(drift_report)
    yield from _pending(plan, drift_report)
    yield from unmanaged_lines(plan.unmanaged, style, named=lists_unmanaged)
    if drift_report.has_new_drift:
        yield from _next_steps(drift_report)


def drift_line(drift_report: DriftReport) -> str:
    """Return the drift report in one line, without known and ignored drift."""
    new = [alarm for alarm in drift_report.alarms if alarm.has_new_drift]
    deleted = sum(alarm.drift.live is None for alarm in new)
    if new:
        word = "missing" if drift_report.by_declaration else "deleted"
        return f"Drift: {len(new) - deleted} changed, {deleted} {word}."
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
        yield object_line("-", drift.name, drift.id, style) + _remark(_state_remark(alarm.items[0]), style)
        return
    yield style.bold(f"  # {plain(drift.address)} has changed")
    yield object_line("~", drift.name, drift.id, style)
    items = {item.field.path: item for item in alarm.items if item.field}
    unapplied = [field for field in change.fields if field.cause is Cause.CONFIG] if change else []

    def remarks(field: FieldChange) -> list[str]:
        item = items.get(field.path)
        return (
            [_cause(alarm, item), *_state_remark(item)]
            if item
            else ["config; not drift, but not yet applied"]
        )

    yield from field_lines(
        [
            *in_reading_order(item.field for item in items.values() if item.field),
            *in_reading_order(unapplied),
        ],
        style,
        remarks,
    )


def _cause(alarm: Alarm, item: DriftItem) -> str:
    field, declared = item.field, alarm.drift.declared
    assert field is not None
    if field.cause is Cause.BOTH and declared is not None:
        declared_value = KINDS[field.kind].table.value_shown(field.path, value_at(declared, field.path))
        return f"both; declared as {shown(declared_value)}"
    if field.cause is Cause.UNKNOWN:
        return "unknown; last applied with another key"
    return field.cause.value


def drift_state_text(item: DriftItem) -> str:
    """Return the state of a drift item; for an ignored one, with the end and the reason."""
    if item.state is not DriftState.IGNORED or item.ignore is None:
        return item.state.value
    until = f" until {item.ignore.until:%Y-%m-%d %H:%M}Z" if item.ignore.until else ""
    return f"ignored{until}" + (f": {plain(item.ignore.why)}" if item.ignore.why else "")


def _state_remark(item: DriftItem) -> list[str]:
    return [] if item.state is DriftState.NEW else [drift_state_text(item)]


def _remark(remarks: Sequence[str], style: Style) -> str:
    return style.dim(f"  # {', '.join(remarks)}") if remarks else ""


def _unreported(drift_report: DriftReport) -> Iterator[str]:
    counts = [
        f"{count} {'change is' if count == 1 else 'changes are'} {state.value}"
        for state in (DriftState.KNOWN, DriftState.IGNORED)
        if (count := drift_report.count(state))
    ]
    if counts:
        yield f"  {', '.join(counts)} and not reported."


def _pending(plan: Plan, drift_report: DriftReport) -> Iterator[str]:
    """Yield a line with the endpoints that differ only because of unapplied changes in the YAML."""
    if drift_report.by_declaration:
        return
    drifted = {alarm.drift.key for alarm in drift_report.alarms}
    changes = [
        change for change in plan.pending if change.key not in drifted and change.action is not Action.FORGET
    ]
    names = [change.key for change in changes]
    if names:
        limit_problems = ", ".join(map(plain, names[:SHOWN_NAMES])) + (
            ", ..." if len(names) > SHOWN_NAMES else ""
        )
        kinds = {change.kind for change in changes}
        noun = KINDS[kinds.pop()].noun if len(kinds) == 1 else "resource"
        count = f"{quantity(len(names), noun)} {'has' if len(names) == 1 else 'have'}"
        yield f"  {count} changes in the YAML that are not yet applied, which is not drift: {limit_problems}."


def _next_steps(drift_report: DriftReport) -> Iterator[str]:
    names = [alarm.drift.key for alarm in drift_report.alarms if alarm.has_new_drift]
    limit_problems = [Operand(name) for name in names] if len(names) <= SHOWN_NAMES else ["NAME..."]
    yield ""
    yield "To write the live values into the YAML:"
    yield f"  {command_line('reconciler', 'drift', 'accept', *limit_problems)}"
    yield "To restore the declared values:"
    yield f"  {command_line('reconciler', 'drift', 'revert', *limit_problems)}"
