"""The parts of an import and of `drift accept` that are the same for kinds with simple items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from reconciler.kinds.fields import FieldTable, value_of
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, address
from reconciler.model.values import Fields, Path
from reconciler.yamlfile.edits import Edit, Set


def split_importable(
    found: Sequence[Live], taken: Iterable[str], obstacle: Callable[[Live], str], *, noun: str, advice: str
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the resources that YAML can declare, a warning for each that is left out).

    obstacle: return why no YAML can declare a resource whose name is free, as a clause; "" if YAML can.
    advice: the start of the hint, before the command that records the resource alone.
    """
    used, count, short = frozenset(taken), Counter(live.name for live in found), noun.split()[-1]
    accepted: list[Live] = []
    problems: list[Problem] = []
    for live in sorted(found, key=lambda one: (one.name, one.id)):
        if count[live.name] > 1:
            why = f"{count[live.name]} live {short}s have that name"
        elif live.name in used:
            why = f"another {short} is declared or recorded by that name"
        else:
            why = obstacle(live)
        if why:
            problems.append(_left_out(live, why, noun, advice))
        else:
            accepted.append(live)
    return tuple(accepted), tuple(problems)


def item_edits(
    declared: Mapping[str, Any],
    paths: Iterable[Path],
    live: Fields,
    table: FieldTable,
    kind: str,
    hints: Mapping[Path, str],
) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
    """Return the edits of an item that make it say what is live. A value with a reference is kept.

    hints: the hint for each field that is always kept.
    """
    edits: list[Edit] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        key = table.label(path)
        written = declared.get(key, "")
        if path in hints or "${" in str(written):
            problems.append(
                Problem(
                    code="cannot-accept",
                    summary=f"`{declared['name']}`: `{key}` is {written}, and references are not overwritten",
                    hint=hints.get(path) or f"let it say {value_of(live, path)}",
                    address=address(declared["name"], kind),
                )
            )
        else:
            edits.append(Set(path=(key,), value=value_of(live, path)))
    return tuple(edits), tuple(problems)


def _left_out(live: Live, why: str, noun: str, advice: str) -> Problem:
    record = command_line("reconciler", "import", Operand(address("NAME", live.kind)), Operand(live.id))
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"the {noun} `{live.name or live.id}` is left out ({live.id}): {why}",
        hint=f"{advice}: {record}",
        address=address(live.name, live.kind) if live.name else None,
    )
