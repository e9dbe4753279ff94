"""`removed:` of endpoint files: what is declared no more, and whether it is to be deleted or forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from reconciler.config import schema
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Removed, address
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import kind_of


def removals(document: Document, problems: list[Problem]) -> Iterator[Removed]:
    """The entries of one file that are well-formed; what is wrong with the others joins `problems`."""
    entries = document.data.get("removed")
    if entries is None:
        return
    if not isinstance(entries, list):
        problems.append(
            Problem(
                code="wrong-type",
                summary=f"`removed` must be a list, not {kind_of(entries)}",
                hint="start each entry with `- endpoint: NAME`",
                place=document.place(("removed",)),
            )
        )
        return
    for index, entry in enumerate(entries):
        path = ("removed", index)
        if schema.fits("endpoints", entry, "removed"):
            yield Removed(
                name=entry["endpoint"],
                destroy=entry.get("destroy", True),
                place=document.place((*path, "endpoint")),
            )
        else:
            from reconciler.config.schema_errors import reports

            problems += reports(schema.errors("endpoints", entry, "removed"), document, base=path)


def contradictions(removed: Iterable[Removed], declared: Mapping[str, Place | None]) -> Iterator[Problem]:
    """What is removed twice, and what is removed and declared."""
    seen: dict[str, Removed] = {}
    for one in removed:
        first = seen.setdefault(one.name, one)
        if first is not one:
            yield _both(one, f"`{one.name}` is removed twice", f"the first is at {first.place}")
        elif one.name in declared:
            where = f"it is declared at {declared[one.name]}"
            yield _both(one, f"`{one.name}` is both declared and removed", where)


def _both(one: Removed, summary: str, where: str) -> Problem:
    return Problem(
        code="removed-and-there",
        summary=summary,
        hint=f"keep one of the two; {where}",
        place=one.place,
        address=address(one.name),
    )
