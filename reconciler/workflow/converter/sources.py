"""The documents of the files to convert, each with its format. Nothing in them is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from reconciler.convert.documents import split
from reconciler.convert.formats import FORMATS, Format, recognized
from reconciler.convert.runpod_flash import NAME as FLASH
from reconciler.convert.runpod_flash import is_python
from reconciler.convert.source import Origin
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import Context
from reconciler.yamlfile.document import Document, Source
from reconciler.yamlfile.files import RootDirectory, UnreadableFile
from reconciler.yamlfile.reader import MAX_SIZE_MIB, decoded, parse, unreadable

STDIN: Final = "-"
STDIN_SHOWN: Final = "<stdin>"

MAX_BYTES: Final = MAX_SIZE_MIB * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDocument:
    """One document of a file, and its format. `line` is its first line, from 1."""

    file: str
    line: int
    format: Format
    origin: Origin


def read_sources(
    context: Context, files: Sequence[str], format_name: str, stdin: Callable[[int], bytes]
) -> tuple[SourceDocument, ...]:
    """Return the documents of all files. Raise InvalidConfig with the problems of all of them.

    `-` reads `stdin`, a function that returns at most that many bytes. `format_name` is "" to recognize it.
    """
    sources: list[SourceDocument] = []
    problems: list[Problem] = []
    for file in files:
        shown = STDIN_SHOWN if file == STDIN else file
        text = _text(context, file, shown, stdin)
        if isinstance(text, Problem):
            problems.append(_without_line(text))
            continue
        found = list(_documents(text, shown, format_name))
        problems += (_without_line(one) for one in found if isinstance(one, Problem))
        sources += (one for one in found if isinstance(one, SourceDocument))
        if not found:
            problems.append(_nothing(shown))
    if problems:
        raise InvalidConfig(*problems)
    return tuple(sources)


def _text(context: Context, file: str, shown: str, stdin: Callable[[int], bytes]) -> str | Problem:
    if file == STDIN:
        raw = stdin(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            return unreadable(shown, UnreadableFile(f"it is larger than {MAX_SIZE_MIB} MiB", "split it"))
        return decoded(raw, shown)
    try:
        raw = RootDirectory(context.root).read(context.root / file, MAX_BYTES, named=True)
    except UnreadableFile as error:
        return unreadable(shown, error)
    return decoded(raw, shown)


def _documents(text: str, shown: str, format_name: str) -> Iterator[SourceDocument | Problem]:
    stem = PurePath(shown).name.partition(".")[0]
    if is_python(shown, text, format_name):
        origin = Origin(Document(Source(shown, text), None), stem=stem)
        yield SourceDocument(file=shown, line=1, format=FORMATS[FLASH], origin=origin)
        return
    for above, part in [(0, text)] if shown.lower().endswith(".json") else split(text):
        document = parse(part, shown)
        if document.problems:
            yield from (_moved(problem, above) for problem in document.problems)
            continue
        origin = Origin(document, above, stem=stem)
        found = recognized(document.data)
        chosen = FORMATS[format_name] if format_name else found
        if chosen is None or not chosen.recognizes(document.data):
            yield _unknown(origin, format_name, found.name if found else "")
        else:
            yield SourceDocument(file=shown, line=above + 1, format=chosen, origin=origin)


def _moved(problem: Problem, above: int) -> Problem:
    place = problem.place
    return problem.at(place and replace(place, line=place.line + above))


def _without_line(problem: Problem) -> Problem:
    """Return the problem without the text of its line, which may hold secrets of the source."""
    return problem.at(problem.place and replace(problem.place, text=""))


def _unknown(origin: Origin, asked: str, found: str) -> Problem:
    """Return the error of a document that is not of the format `asked` for, "" for any, but of `found`."""
    known = ", ".join(FORMATS)
    return Problem(
        code="unknown-format",
        summary=f"this document is not one of {asked}" if asked else "this document has no known format",
        hint=f"it is one of {found}: leave out --from" if found else f"the formats are {known}",
        place=origin.place(),
    )


def _nothing(shown: str) -> Problem:
    return Problem(code="nothing-to-convert", summary=f"{shown} is empty", hint="name a file with a document")
