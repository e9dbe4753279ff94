"""A saved plan as text, from its JSON document. Its secrets were masked when it was saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Action, Cause, FieldChange
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT
from reconciler.model.secrets import MASK, Secret
from reconciler.model.values import ABSENT, Absent, Json, Reference, Value
from reconciler.reports.run.before_after import with_spec_name
from reconciler.reports.run.effects import effect_of_document
from reconciler.reports.run.text import (
    ACTIONS_HEADING,
    DRIFT_HEADING,
    NO_CHANGES,
    PHRASES,
    SYMBOLS,
    effect_line,
    field_lines,
    field_remarks,
    object_line,
)
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style


def saved_plan_text(document: Mapping[str, Json], style: Style = PLAIN) -> str:
    """Return the plan, ending in a newline. Raise ValueError if an action or a cause is unknown."""
    return "".join(f"{line}\n" for line in _lines(document, style))


def saved_plan_problems(document: Mapping[str, Json]) -> tuple[Problem, ...]:
    """Return the problems of the plan."""
    return tuple(
        Problem(
            code=str(problem.get("code", "")),
            summary=str(problem["summary"]),
            detail=str(problem.get("detail") or ""),
            hint=str(problem.get("hint") or ""),
            severity=Severity(problem["severity"]),
        )
        for problem in document["problems"]
    )


def _lines(document: Mapping[str, Json], style: Style) -> Iterator[str]:
    made = f"Saved at {document['timestamp']} by reconciler {document['tool_version']}"
    yield style.dim(plain(made))
    yield ""
    if document["resource_drift"]:
        yield style.bold(DRIFT_HEADING)
        yield ""
        for drift in document["resource_drift"]:
            is_gone = drift["change"]["actions"] == ["delete"]
            phrase = "has been deleted" if is_gone else "has changed"
            yield from _object(drift, phrase, "-" if is_gone else "~", style)
            yield ""
    pending = [change for change in document["resource_changes"] if change["action"] != Action.NO_OP]
    if not pending:
        yield style.bold(NO_CHANGES)
        return
    yield ACTIONS_HEADING
    yield ""
    for change in pending:
        action = Action(change["action"])
        is_update = action is Action.ADOPT and change["fields"]
        phrase = PHRASES[Action.UPDATE if is_update else action]
        yield from _object(change, phrase, SYMBOLS[action], style, reason=str(change["action_reason"]))
        yield ""
    yield style.bold(_summary(pending))
    if document.get("cost"):
        from reconciler.reports.run.cost_text import cost_lines
        from reconciler.reports.views.saved_cost import saved_cost

        yield from cost_lines(saved_cost(document["cost"]), style)


def _object(
    change: Mapping[str, Any], phrase: str, symbol: str, style: Style, reason: str = ""
) -> Iterator[str]:
    yield style.bold(f"  # {plain(change['address'])} {phrase}")
    if reason:
        yield style.dim(f"  # ({plain(reason)})")
    yield object_line(symbol, change["name"], str(change.get("id") or ""), style)
    kind = change["address"].partition(".")[0]
    found = [_field(field, change["address"]) for field in change["fields"]]
    fields = with_spec_name(found, str(change.get("spec_name") or ""), kind if kind in KINDS else ENDPOINT)
    has_causes = reason and change["action"] != Action.CREATE
    yield from field_lines(fields, style, field_remarks if has_causes else lambda _: ())
    if effect := change.get("blast_radius"):
        yield effect_line(effect_of_document(effect), style)


def _field(field: Mapping[str, Any], address: str) -> FieldChange:
    kind = address.partition(".")[0]
    return FieldChange(
        path=tuple(field["path"]),
        before=_value(field["before"]),
        after=_unknown(field["after"], field["after_unknown"])
        if "after_unknown" in field
        else _value(field["after"]),
        cause=Cause(field["cause"]),
        forces_replacement=bool(field["forces_replacement"]),
        sensitive=bool(field["sensitive"]),
        kind=kind if kind in KINDS else ENDPOINT,
    )


def _value(value: Json) -> Value | Absent:
    """Return a value of the document; the mask of a secret stays a mask."""
    if value is None:
        return ABSENT
    return Secret(value=MASK, source="") if value == MASK else value


def _unknown(value: Json, parts: Json) -> Value:
    """Return a value of the document with references in the place of its unknown parts."""
    if parts is True:
        return Reference("", "")
    if isinstance(value, dict) and isinstance(parts, dict):
        return {key: _unknown(item, parts.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(parts, list) and len(parts) == len(value):
        return [_unknown(item, part) for item, part in zip(value, parts, strict=True)]
    return value


def _summary(pending: list[Mapping[str, Any]]) -> str:
    def count(*actions: Action) -> int:
        return sum(change["action"] in actions for change in pending)

    overwritten = sum(change["action"] == Action.ADOPT and bool(change["fields"]) for change in pending)
    imported = f"{count(Action.ADOPT)} to import, " if count(Action.ADOPT) else ""
    added = count(Action.CREATE, Action.REPLACE)
    changed = count(Action.UPDATE, Action.SCALE) + overwritten
    destroyed = count(Action.DELETE, Action.REPLACE)
    return f"Plan: {imported}{added} to add, {changed} to change, {destroyed} to destroy."
