"""The YAML of live network storages: items of an import, and the edits of `drift accept`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.kinds.fields import value_of
from reconciler.kinds.network_storage.fields import LONGEST_NAME, MIN_SIZE, NAME, REGION, SIZE, TABLE
from reconciler.model import resource
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, address
from reconciler.model.values import Fields, Path
from reconciler.yamlfile.edits import Edit, Set


def item_of(live: Live) -> dict[str, Any]:
    """Return the item that declares a live storage which is `importable`."""
    return {"name": live.name, "region": value_of(live.fields, REGION), "sizeGb": value_of(live.fields, SIZE)}


def importable(
    storages: Sequence[Live], taken: Iterable[str]
) -> tuple[tuple[Live, ...], tuple[Problem, ...]]:
    """Return (the storages that YAML can declare, a warning for each that is left out)."""
    used, count = frozenset(taken), Counter(storage.name for storage in storages)
    accepted: list[Live] = []
    problems: list[Problem] = []
    for storage in sorted(storages, key=lambda one: (one.name, one.id)):
        if why := _obstacle(storage, is_taken=storage.name in used, namesakes=count[storage.name]):
            problems.append(_left_out(storage, why))
        else:
            accepted.append(storage)
    return tuple(accepted), tuple(problems)


def edits_for(
    declared: Mapping[str, Any], paths: Iterable[Path], live: Fields
) -> tuple[tuple[Edit, ...], tuple[Problem, ...]]:
    """Return the edits of an item that make it say what is live. A value with a reference is kept."""
    edits: list[Edit] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        name = TABLE.label(path)
        if "${" in str(declared.get(name, "")):
            problems.append(
                Problem(
                    code="cannot-accept",
                    summary=f"`{declared['name']}`: `{name}` is {declared[name]}, and references are not"
                    " overwritten",
                    hint=f"let it say {value_of(live, path)}",
                    address=address(declared["name"], resource.STORAGE),
                )
            )
        else:
            edits.append(Set(path=(name,), value=value_of(live, path)))
    return tuple(edits), tuple(problems)


def _obstacle(live: Live, *, is_taken: bool, namesakes: int) -> str:
    """Return why no YAML can declare the storage, as a clause; "" if YAML can."""
    if namesakes > 1:
        return f"{namesakes} live storages have that name"
    if is_taken:
        return "another storage is declared or recorded by that name"
    if not NAME.match(live.name) or len(live.name) > LONGEST_NAME:
        return f"its name is not one of 1 to {LONGEST_NAME} letters, digits and hyphens"
    if (size := value_of(live.fields, SIZE)) is None or value_of(live.fields, REGION) is None:
        return "Novita does not report its size and its region"
    return f"it has {size} GB, and {MIN_SIZE} is the least" if size < MIN_SIZE else ""


def _left_out(live: Live, why: str) -> Problem:
    name = Operand(address("NAME", resource.STORAGE))
    record = command_line("reconciler", "import", name, Operand(live.id))
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"the storage `{live.name or live.id}` is left out ({live.id}): {why}",
        hint=f"change it in the console, or record it alone: {record}",
        address=address(live.name, resource.STORAGE) if live.name else None,
    )
