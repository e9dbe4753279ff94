"""A plan as text, with Terraform's symbols and with the exact lines that tools match."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Action, Adopt, Change, Drift, FieldChange, Plan, Replace
from reconciler.model.resource import Live, key_of
from reconciler.model.text import quantity
from reconciler.model.values import ABSENT, Reference
from reconciler.reports.run.before_after import resource_id, shown_fields
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import cell_width, pad
from reconciler.reports.terminal.values import (
    before_and_after,
    field_name,
    in_reading_order,
    plain,
    value_of_field,
)

if TYPE_CHECKING:
    from reconciler.model.review.blast_radius import BlastRadius
    from reconciler.planning.explain import Explanation

NO_CHANGES: Final = "No changes. Your infrastructure matches the configuration."
ACTIONS_HEADING: Final = "reconciler will perform the following actions:"
DRIFT_HEADING: Final = "Note: Objects have changed outside of reconciler"

SYMBOLS: Final[Mapping[Action, str]] = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.SCALE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.ADOPT: "=",
    Action.FORGET: ".",
}

PHRASES: Final[Mapping[Action, str]] = {
    Action.CREATE: "will be created",
    Action.UPDATE: "will be updated in-place",
    Action.SCALE: "will be updated in-place (scale)",
    Action.REPLACE: "must be replaced",
    Action.DELETE: "will be destroyed",
    Action.ADOPT: "will be imported",
    Action.FORGET: "will no longer be managed by reconciler, but will not be destroyed",
}

NO_CALLS: Final = "none; only the inventory changes"


def plan_text(
    plan: Plan, style: Style = PLAIN, *, explained: bool = False, lists_unmanaged: bool = False
) -> str:
    """Return the plan, ending in a newline, with an explanation of each change if `explained`.

    Unmanaged endpoints are counted, and named if `lists_unmanaged`. The text of a plan that errors prevented
    has no changes, and may be empty.
    """
    explanations = explanation_texts(plan, style) if explained else {}
    return "".join(f"{line}\n" for line in _lines(plan, style, explanations, lists_unmanaged))


def explanation_texts(plan: Plan, style: Style) -> Mapping[str, Sequence[str]]:
    """Return the lines that explain each change, by Name."""
    from reconciler.planning.explain import explain

    return {name: tuple(explanation_lines(explanation, style)) for name, explanation in explain(plan).items()}


def explanation_lines(explanation: Explanation, style: Style = PLAIN) -> Iterator[str]:
    """Yield the lines of an explanation: why, rule and calls."""
    calls = [
        f"{call.method:<4} {plain(call.path)}{style.dim(f'  # {call.purpose}')}" for call in explanation.calls
    ]
    for word, lines in (
        ("why", explanation.why),
        ("rule", (explanation.rule,)),
        ("calls", calls or (NO_CALLS,)),
    ):
        for number, line in enumerate(lines):
            label = style.dim(word.ljust(5)) if number == 0 else " " * 5
            yield f"      {label}  {line if word == 'calls' else plain(line)}"


def _lines(
    plan: Plan, style: Style, explanations: Mapping[str, Sequence[str]], lists_unmanaged: bool
) -> Iterator[str]:
    if plan.drift:
        yield style.bold(DRIFT_HEADING)
        yield ""
        for drift in plan.drift:
            yield from _drift(drift, style)
            yield ""
    has_failed = any(problem.exit_code == 1 for problem in plan.errors)
    if not plan.pending and not has_failed:
        yield style.bold(unchanged_line(plan))
    elif plan.pending:
        yield ACTIONS_HEADING
        yield ""
        from reconciler.planning.dependencies.order import followers_of
        from reconciler.planning.review.disruption import effects_of

        effects = effects_of(plan)
        followers = {} if explanations else followers_of(plan)
        hidden = {change.key for found in followers.values() for change in found}
        for change in plan.pending:
            if change.key in hidden:
                continue
            yield from _change(change, effects, style, is_explained=change.key in explanations)
            if following := followers.get(change.address):
                from reconciler.reports.run.effects import followers_text

                yield style.dim(f"      # ({plain(followers_text(following, effects))})")
            yield from explanations.get(change.key, ())
            yield ""
        yield style.bold(plan_line(plan))
        yield from _summary_details(plan)
        if plan.cost is not None and (plan.cost.changes or plan.cost.unchanged):
            from reconciler.reports.run.cost_text import cost_lines

            yield from cost_lines(plan.cost, style)
        if plan.preflight is not None and plan.preflight.is_requested:
            from reconciler.reports.run.preflight import preflight_lines

            yield from preflight_lines(plan.preflight, style)
    if not plan.errors:
        yield from unmanaged_lines(plan.unmanaged, style, named=lists_unmanaged)


def unchanged_line(plan: Plan) -> str:
    """Return the result of a plan without changes in one line; if a guard refuses it, what is refused."""
    if not plan.errors:
        return NO_CHANGES
    first, *others = plan.errors
    more = f" ({quantity(len(others), 'more error')})" if others else ""
    return f"Refused: {plain(first.summary)}{more}."


def plan_line(plan: Plan) -> str:
    """Return Terraform's summary line."""
    imported, added, changed, destroyed = plan_counts(plan)
    imports = f"{imported} to import, " if imported else ""
    return f"Plan: {imports}{added} to add, {changed} to change, {destroyed} to destroy."


def plan_counts(plan: Plan) -> tuple[int, int, int, int]:
    """Return the numbers of imports, adds, changes and destroys; a replacement is one add and one destroy."""
    counts = plan.counts()
    overwriting = sum(isinstance(change, Adopt) and bool(change.fields) for change in plan.changes)
    return (
        counts[Action.ADOPT],
        counts[Action.CREATE] + counts[Action.REPLACE],
        counts[Action.UPDATE] + counts[Action.SCALE] + overwriting,
        counts[Action.DELETE] + counts[Action.REPLACE],
    )


def _summary_details(plan: Plan) -> Iterator[str]:
    counts = plan.counts()
    if scales := counts[Action.SCALE]:
        yield f"  {scales} of the changes only scale{'s' if scales == 1 else ''}."
    replaced = [one.kind for one in plan.changes if isinstance(one, Replace) and not one.is_rotation]
    if replaced:
        yield f"  {_subject(replaced)} replaced, with a new ID and a new URL."
    if forgotten := [one.kind for one in plan.changes if one.action is Action.FORGET]:
        yield f"  {_subject(forgotten)} removed from the inventory, but not deleted."


def action_symbol(change: Change) -> str:
    """Return Terraform's symbol, which shows the order of a replacement."""
    return "+/-" if isinstance(change, Replace) and change.create_first else SYMBOLS[change.action]


def action_phrase(change: Change) -> str:
    """Return the phrase that follows the address of a changed endpoint."""
    if isinstance(change, Replace) and change.is_rotation:
        return "will be rotated"
    if isinstance(change, Replace) and change.is_requested:
        return "will be replaced, as requested"
    if isinstance(change, Adopt) and change.fields:
        return PHRASES[Action.UPDATE]
    return PHRASES[change.action]


def _change(
    change: Change, effects: Mapping[str, BlastRadius], style: Style, *, is_explained: bool
) -> Iterator[str]:
    yield style.bold(f"  # {plain(change.address)} {action_phrase(change)}")
    if isinstance(change, Adopt) and change.fields:
        yield style.bold(f'  # (imported from "{plain(change.live.id)}")')
    if change.action is not Action.SCALE:
        yield style.dim(f"  # ({plain(change.reason)})")
    yield object_line(action_symbol(change), change.name, resource_id(change), style)
    remarks: Callable[[FieldChange], Sequence[str]] = field_remarks
    if change.action is Action.CREATE:
        remarks = _wire_path if is_explained else _no_remarks
    yield from field_lines(shown_fields(change), style, remarks)
    if effect := effects.get(change.key):
        yield effect_line(effect, style)
    elif isinstance(change, Replace):
        yield style.dim("      # (the ID will change)")


def effect_line(effect: BlastRadius, style: Style) -> str:
    """Return the line about the effect of a change on what runs now."""
    from reconciler.reports.run.effects import effect_text

    return style.dim(f"      # ({effect_text(effect)})")


def object_line(symbol: str, name: str, object_id: str, style: Style) -> str:
    """Return the first line of a changed endpoint, with its symbol, name and ID."""
    margin = " " * (3 - len(symbol))  # without the width of colour codes
    return f"{margin}{_colored_symbol(symbol, style)} {plain(name)}" + (
        f"  [id={plain(object_id)}]" if object_id else ""
    )


def field_remarks(field: FieldChange) -> list[str]:
    """Return the remarks on a field: whether it forces a replacement, and its cause."""
    return ["forces replacement"] * field.forces_replacement + [field.cause.value]


def _wire_path(field: FieldChange) -> list[str]:
    """Return the path of a field in the request, if it has another name in the YAML."""
    path = plain(".".join(field.path))
    return [] if path == field_name(field) else [path]


def _no_remarks(_field: FieldChange) -> list[str]:
    return []


def field_lines(
    fields: Sequence[FieldChange], style: Style, remarks: Callable[[FieldChange], Sequence[str]]
) -> Iterator[str]:
    """Yield one aligned line per field, with its remarks."""
    names = [field_name(field) for field in fields]
    width = max(map(cell_width, names), default=0)
    symbols = {symbol: _colored_symbol(symbol, style) for symbol in "+-~"}
    for field, name in zip(fields, names, strict=True):
        if field.before is ABSENT:
            symbol, value = "+", value_of_field(field, field.after)
        elif field.after is ABSENT:
            symbol, value = "-", value_of_field(field, field.before)
        else:
            symbol, value = "~", " -> ".join(before_and_after(field))
        words = [*_reference_remark(field), *remarks(field)]
        remark = style.dim(f"  # {', '.join(words)}") if words else ""
        yield f"      {symbols[symbol]} {pad(name, width)} = {value}{remark}"


def _reference_remark(field: FieldChange) -> Sequence[str]:
    """Return the address of the resource whose ID the field gets, if that is not known yet."""
    after = field.after
    return [plain(after.address)] if isinstance(after, Reference) and after.name else ()


def _drift(drift: Drift, style: Style) -> Iterator[str]:
    if drift.live is None:
        yield style.bold(f"  # {plain(drift.address)} has been deleted")
        yield object_line("-", drift.name, drift.id, style)
        return
    yield style.bold(f"  # {plain(drift.address)} has changed")
    yield object_line("~", drift.name, drift.id, style)
    yield from field_lines(in_reading_order(drift.fields), style, _no_remarks)


def unmanaged_lines(unmanaged: Sequence[Live], style: Style, *, named: bool) -> Iterator[str]:
    """Yield one line with the number of unmanaged endpoints, followed by their names if `named`."""
    if not unmanaged:
        return
    yield ""
    line = unmanaged_line(unmanaged)
    if not named:
        yield style.dim(f"{line} (-v lists {'it' if len(unmanaged) == 1 else 'them'}).")
        return
    yield f"{line}:"
    for live in unmanaged:
        environment = f"  (environment {live.environment})" if live.environment else ""
        yield f"  {plain(key_of(live.name, live.kind))}  [id={plain(live.id)}]{environment}"


def unmanaged_line(unmanaged: Sequence[Live]) -> str:
    """Return the number of unmanaged resources, and of those of other environments, as clauses."""
    kinds: dict[str, list[str]] = {}
    for live in unmanaged:
        kinds.setdefault(live.environment, []).append(live.kind)
    clauses = []
    if own := kinds.pop("", ()):
        clauses.append(f"{_subject(own, ' of the account')} not managed by this configuration")
    for name, others in kinds.items():
        belong = "belongs" if len(others) == 1 else "belong"
        clauses.append(f"{_count(others)} {belong} to environment {name}")
    return "; ".join(clauses)


def _colored_symbol(symbol: str, style: Style) -> str:
    match symbol:
        case "+":
            return style.added(symbol)
        case "-":
            return style.removed(symbol)
        case "-/+":
            return f"{style.removed('-')}/{style.added('+')}"
        case "+/-":
            return f"{style.added('+')}/{style.removed('-')}"
        case _:
            return style.changed(symbol)


def _subject(kinds: Sequence[str], complement: str = "") -> str:
    """Return the beginning of a sentence about resources of these kinds, with its verb."""
    return f"{_count(kinds)}{complement} {'is' if len(kinds) == 1 else 'are'}"


def _count(kinds: Sequence[str]) -> str:
    """Return the number of resources of these kinds, by the noun that they share."""
    return quantity(len(kinds), KINDS[kinds[0]].noun if len(set(kinds)) == 1 else "resource")
