"""Environments as a table, and the differences between two of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.secrets import to_json
from reconciler.model.status import EndpointDifference, EnvironmentInfo
from reconciler.model.text import quantity
from reconciler.model.values import ABSENT, Absent, Json, Value
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import Cell, Screen, cell_width, pad, table_text
from reconciler.reports.terminal.values import before_and_after, field_name, plain

TITLES = ("NAME", "CURRENT", "PROTECTED", "ENDPOINTS", "INVENTORY", "NAMES", "FILES")


def environments_text(environments: Sequence[EnvironmentInfo], screen: Screen | None = None) -> str:
    """Return a table of the environments."""
    rows = [
        [
            Cell(one.environment.name, "bold"),
            Cell("yes", "green") if one.is_current else Cell(""),
            Cell("yes", "yellow") if one.environment.is_protected else Cell(""),
            Cell("unreadable", "red") if one.recorded is None else Cell(str(one.recorded)),
            Cell(str(one.environment.state)),
            Cell(one.environment.names.text),
            Cell(" ".join(map(str, one.environment.files)) or "endpoints.yaml endpoints/"),
        ]
        for one in environments
    ]
    return table_text(TITLES, rows, screen)


def environments_document(environments: Sequence[EnvironmentInfo]) -> list[Json]:
    """Return the document of `env list --json`."""
    return [
        {
            "name": one.environment.name,
            "current": one.is_current,
            "default": one.environment.is_default,
            "protected": one.environment.is_protected,
            "confirm": one.environment.is_confirmed,
            "recorded": one.recorded,
            "state": str(one.environment.state),
            "name_template": one.environment.names.text,
            "files": list(map(str, one.environment.files)),
        }
        for one in environments
    ]


def differences_text(
    first: str, second: str, differing: Sequence[EndpointDifference], style: Style = PLAIN
) -> str:
    """Return the endpoints that differ, with the values of both environments in two columns."""
    if not differing:
        return f"{plain(first)} and {plain(second)} declare the same.\n"
    return "\n".join("".join(f"{line}\n" for line in _lines(first, second, one, style)) for one in differing)


def _lines(first: str, second: str, one: EndpointDifference, style: Style) -> Iterator[str]:
    name = style.bold(plain(one.name))
    if not (one.in_first and one.in_second):
        yield f"{name}: only in {first if one.in_first else second}"
        return
    yield f"{name}: {quantity(len(one.fields), 'difference')}"
    rows = [("", first, second), *((field_name(field), *before_and_after(field)) for field in one.fields)]
    widths = [max(cell_width(row[at]) for row in rows) for at in (0, 1)]
    for number, (label, left, right) in enumerate(rows):
        line = f"  {pad(label, widths[0])}  {pad(left, widths[1])}  {right}"
        yield style.dim(line) if number == 0 else line


def differences_document(
    first: str, second: str, differing: Sequence[EndpointDifference], exit_code: int
) -> dict[str, Json]:
    """Return the document of `env diff --json`; a value that one side lacks is left out."""
    return {
        "first": first,
        "second": second,
        "endpoints": [
            {
                "name": one.name,
                "in": [name for name, is_in in ((first, one.in_first), (second, one.in_second)) if is_in],
                "fields": [
                    {"path": ".".join(field.path), **_side(first, field.before), **_side(second, field.after)}
                    for field in one.fields
                ],
            }
            for one in differing
        ],
        "exit_code": exit_code,
    }


def _side(name: str, value: Value | Absent) -> dict[str, Json]:
    return {} if value is ABSENT else {name: to_json(value)}
