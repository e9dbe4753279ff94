"""Reads `removed`: endpoints that are no longer declared, and whether they are deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.config import schema
from reconciler.kinds.registry import split_address
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import ENDPOINT, Removed, address
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import type_name


def read_removals(document: Document, problems: list[Problem]) -> Iterator[Removed]:
    """Yield the valid entries of one file; problems of the others are added to `problems`."""
    entries = document.data.get("removed")
    if entries is None:
        return
    if not isinstance(entries, list):
        problems.append(
            Problem(
                code="wrong-type",
                summary=f"`removed` must be a list, not {type_name(entries)}",
                hint="start each entry with `- endpoint: NAME`",
                place=document.place(("removed",)),
            )
        )
        return
    for index, entry in enumerate(entries):
        path = ("removed", index)
        if schema.is_valid("endpoints", entry, "removed"):
            if split_address(entry["endpoint"])[0] != ENDPOINT:
                problems.append(_other_kind(entry["endpoint"], document.place((*path, "endpoint"))))
                continue
            yield Removed(
                name=entry["endpoint"],
                destroy=entry.get("destroy", True),
                place=document.place((*path, "endpoint")),
            )
        else:
            from reconciler.config.schema_errors import schema_problems

            problems += schema_problems(
                schema.validation_errors("endpoints", entry, "removed"), document, base=path
            )


def conflicting_removals(
    removed: Iterable[Removed], declared: Mapping[str, Place | None]
) -> Iterator[Problem]:
    """Yield problems of endpoints that are removed twice, or both removed and declared."""
    seen: dict[str, Removed] = {}
    for entry in removed:
        first = seen.setdefault(entry.name, entry)
        if first is not entry:
            yield _conflict(entry, f"`{entry.name}` is removed twice", f"the first is at {first.place}")
        elif entry.name in declared:
            where = f"it is declared at {declared[entry.name]}"
            yield _conflict(entry, f"`{entry.name}` is both declared and removed", where)


def _other_kind(key: str, place: Place | None) -> Problem:
    return Problem(
        code="removed-kind",
        summary=f"`removed` is about endpoints, and `{key}` is another resource",
        hint="delete its item, and apply to delete it; or keep it live with "
        f"`{command_line('reconciler', 'state', 'rm', Operand(key))}`",
        place=place,
        address=key,
    )


def _conflict(entry: Removed, summary: str, where: str) -> Problem:
    return Problem(
        code="removed-and-there",
        summary=summary,
        hint=f"keep one of the two; {where}",
        place=entry.place,
        address=address(entry.name),
    )
