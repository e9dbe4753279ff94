"""Cards of the HTML report: a changed or drifted endpoint with its fields, or a problem.

Optional HTML tags are omitted, which keeps the page of a thousand endpoints small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape as escaped
from typing import Final

from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.drift import Alarm, DriftState
from reconciler.model.plan import Action, Change, Delete, Drift, FieldChange
from reconciler.model.problem import Problem
from reconciler.model.values import ABSENT, Absent, Value
from reconciler.planning.explain import Explanation
from reconciler.reports.html.chart import chart, range_of
from reconciler.reports.html.losses import lost_facts, lost_fields
from reconciler.reports.run.before_after import fields_before_and_after, resource_id, shown_fields
from reconciler.reports.run.drift import drift_state_text
from reconciler.reports.run.summary import change_summary, verification_texts
from reconciler.reports.run.text import NO_CALLS, action_phrase, action_symbol, field_remarks
from reconciler.reports.terminal.escape import lines_of, plain
from reconciler.reports.terminal.problems import capitalized, marked_line
from reconciler.reports.terminal.values import before_and_after, field_name, in_reading_order

LONG_VALUE: Final = 80
"""Characters. A longer value takes the width of both columns, with the new value below the old one."""


def escape(text: str) -> str:
    """Return untrusted text escaped for HTML."""
    return escaped(plain(text))


def change_card(
    change: Change,
    anchor: str,
    *,
    result: ChangeResult | None,
    explanation: Explanation | None,
    is_open: bool,
    followers: str = "",
) -> str:
    """Return the card of a change, collapsed unless `is_open`; a link to `anchor` expands it.

    `followers` says which endpoints follow a rotation, "" if none do.
    """
    parts: list[str] = []
    if result is not None and result.problem is not None and result.outcome is not Outcome.NOT_ATTEMPTED:
        parts.append(problem_card(result.problem))
    parts.append(lost_list(change))
    parts.append(_body(_table_of(change), _chart_of(change)))
    if followers:
        parts.append(f"<p>{escape(capitalized(followers))}")
    if explanation is not None:
        parts.append(_explained(explanation))
    words = action_phrase(change) if result is None else change.action.value
    return _card(
        kind=change.action.value,
        symbol=action_symbol(change),
        name=change.key,
        object_id=resource_id(change) or (result.id if result else None) or "",
        words=f"{words}: {change.reason if is_open else change_summary(change)}",
        badge=_outcome(result) if result else "",
        body="".join(parts),
        anchor=anchor,
        is_open=is_open,
    )


def drift_card(
    drift: Drift,
    alarm: Alarm | None,
    anchor: str,
    *,
    measure: str,
    explanation: Explanation | None,
    is_open: bool,
) -> str:
    """Return the card of an endpoint with drift: its fields, their states, and what apply would change.

    `measure` is the compared state, such as `applied`.
    """
    live = drift.live
    marks = {item.field.path: drift_state_text(item) for item in alarm.items if item.field} if alarm else {}

    def remarks(field: FieldChange) -> list[str]:
        return [field.cause.value, *([marks[field.path]] if field.path in marks else [])]

    if live is None:
        mark = drift_state_text(alarm.items[0]) if alarm else ""
        words, table = "was deleted" + (f"; {mark}" if mark not in ("", DriftState.NEW) else ""), ""
    else:
        words = "was changed outside of reconciler"
        table = _table(
            in_reading_order(drift.fields), ("Field", measure.capitalize(), "Live", "Cause"), remarks
        )
    ranges = (range_of(drift.before), range_of(live.fields if live else None))
    return _card(
        kind="update" if live else "delete",
        symbol="~" if live else "-",
        name=drift.key,
        object_id=drift.id,
        words=words,
        badge=_alarm(alarm) if alarm else "",
        body=_body(table, chart(*ranges, labels=(measure, "live")))
        + (_explained(explanation) if explanation else ""),
        anchor=anchor,
        is_open=is_open,
    )


def problem_card(problem: Problem) -> str:
    """Return the card of a problem: what is wrong, where, the line of the file, and a hint."""
    kind = problem.severity.value
    lines = [f'<p><b class="label">{kind.capitalize()}</b> {_prose(problem.summary)}']
    where = [f"<code>{escape(str(problem.place))}</code>"] if problem.place else []
    where += [f"<code>{escape(problem.address)}</code>"] if problem.address else []
    lines += [f'<p class="where">{" ".join(where)}'] if where else []
    if problem.place and problem.place.text.strip():
        place = problem.place
        number, (line, pointer) = str(place.line), marked_line(place)
        below = f"{' ' * len(number)} | {pointer}"
        lines.append(f'<pre tabindex="0">{escape(f"{number} | {line}")}\n{below}</pre>')
    lines += [f"<p>{_prose(line)}" for line in lines_of(capitalized(problem.detail))]
    lines += [f'<p class="hint">{_prose(line)}' for line in lines_of(capitalized(problem.hint))]
    return f'<div class="problem {kind}">{"".join(lines)}</div>'


def _card(
    *,
    kind: str,
    symbol: str,
    name: str,
    object_id: str,
    words: str,
    badge: str,
    body: str,
    anchor: str,
    is_open: bool,
) -> str:
    known = f' <code class="id">{escape(object_id)}</code>' if object_id else ""
    head = (
        f'<span class="symbol">{symbol}</span><span class="what"><b>{escape(name)}</b>{known}'
        f'<span class="words">{escape(words)}</span></span>{badge}'
    )
    if not body:
        return f'<div class="card {kind}" id="{anchor}"><div class="summary">{head}</div></div>\n'
    return (
        f'<details class="card {kind}"{" open" if is_open else ""}><summary class="summary">{head}</summary>'
        f'<div class="inside" id="{anchor}">{body}</div></details>\n'
    )


def _body(table: str, picture: str) -> str:
    return f'<div class="body">{table}{picture}</div>' if table or picture else ""


def _chart_of(change: Change) -> str:
    if change.action is Action.FORGET:
        return ""  # its workers are not changed
    before, after = fields_before_and_after(change)
    return chart(range_of(before), range_of(after))


def _table_of(change: Change) -> str:
    if isinstance(change, Delete):
        return _table(lost_fields(change), ("Configuration", "Value that is lost"), None)
    if change.action is Action.CREATE:
        return _table(shown_fields(change), ("Field", "Value"), None)
    return _table(shown_fields(change), ("Field", "Before", "After", "Cause"), field_remarks)


def _table(
    fields: Sequence[FieldChange],
    headings: tuple[str, ...],
    remarks: Callable[[FieldChange], list[str]] | None,
) -> str:
    """Return a table with one row per field; without `remarks`, it shows only the new values."""
    rows = "".join(_row(field, remarks) for field in fields)
    if not rows:
        return ""
    head = "".join(f"<th scope=col>{heading}" for heading in headings)
    kind = "" if remarks else " class=gone" if fields[0].after is ABSENT else " class=fresh"
    return f"<table{kind}><thead><tr>{head}<tbody>{rows}</table>"


def _row(field: FieldChange, remarks: Callable[[FieldChange], list[str]] | None) -> str:
    name = f"<tr><th scope=row>{escape(field_name(field))}"
    before, after = before_and_after(field)
    if remarks is None:
        value = (field.before, before) if field.after is ABSENT else (field.after, after)
        return f"{name}<td>{_value(*value)}"
    was, is_ = _value(field.before, before), _value(field.after, after)
    cells = f"<td>{was}<td>{is_}"
    if max(len(before), len(after)) > LONG_VALUE:
        lines = (("was", was), ("now", is_))
        blocks = "".join(f"<div class={kind} tabindex=0>{value}</div>" for kind, value in lines)
        cells = f"<td colspan=2 class=long>{blocks}"
    return f"{name}{cells}<td>{escape(', '.join(remarks(field)))}"


def _value(value: Value | Absent, words: str) -> str:
    return "<i>none</i>" if value is ABSENT else escape(words)


def _outcome(result: ChangeResult) -> str:
    is_begun = result.outcome is not Outcome.NOT_ATTEMPTED
    kind = {Outcome.DONE: "good", Outcome.NOT_ATTEMPTED: "quiet"}.get(result.outcome, "bad")
    if result.probe is not None and not result.probe.passed:
        kind = "bad"
    seconds = f" in {result.seconds:.1f} s" if is_begun else ""
    text = ", ".join([f"{result.outcome.value}{seconds}", *verification_texts(result)])
    return f'<span class="badge {kind}">{text}</span>'


def _alarm(alarm: Alarm) -> str:
    state = DriftState.NEW if alarm.has_new_drift else alarm.items[0].state
    return f'<span class="badge {"bad" if alarm.has_new_drift else "quiet"}">{state.value}</span>'


def lost_list(change: Change) -> str:
    """Return what goes with an endpoint that is deleted or replaced: its URL and its workers."""
    facts = "".join(f"<dt>{name}<dd>{escape(fact)}" for name, fact in lost_facts(change))
    return f'<dl class="lost">{facts}</dl>' if facts else ""


def _explained(explanation: Explanation) -> str:
    return f'<dl class="why">{"".join(_explanations(explanation))}</dl>'


def _explanations(explanation: Explanation) -> Iterator[str]:
    yield f"<dt>Why{''.join(f'<dd>{escape(why)}' for why in explanation.why)}"
    yield f"<dt>Rule<dd>{escape(explanation.rule)}"
    calls = [
        f"<code>{escape(f'{call.method} {call.path}')}</code> {escape(call.purpose)}"
        for call in explanation.calls
    ]
    yield f"<dt>Calls{''.join(f'<dd>{call}' for call in calls or [NO_CALLS])}"


def _prose(text: str) -> str:
    """Return escaped text, in which parts between two backticks are code."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
