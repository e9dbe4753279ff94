"""A file or a text -> a `Document`, and friendly words when it is not YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from reconciler.model.problem import Place, Problem
from reconciler.yamlfile import line_separators
from reconciler.yamlfile.builder import Builder
from reconciler.yamlfile.document import Document, Source
from reconciler.yamlfile.messages import in_plain_words
from reconciler.yamlfile.nodes import DEEPEST, Node, walk
from reconciler.yamlfile.overlay import NO_TEXTS, Texts, absolute
from reconciler.yamlfile.parser import HALF, NotYaml, compose, too_deep
from reconciler.yamlfile.root_check import Fence, Unreadable
from reconciler.yamlfile.text_encoding import unmarked

BOM: Final = "\ufeff"
LARGEST_MIB: Final = 32

_CONTROL: Final = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Not compiled before it is needed, for that takes longer than to read a small file."""

_MARKER: Final = r"(?m)^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)"
"""What begins a line that git put between the sides of a merge."""

_HALF: Final = re.compile("[\ud800-\udfff]")


def read(
    path: Path, shown: str, instead: Texts = NO_TEXTS, *, fence: Fence | None = None, named: bool = False
) -> Document:
    """The document in a file, or in the text that stands in for it.

    `fence` is the folder that the file must be in after following links; one that is `named` by a person may
    lie elsewhere. Never raises for what a user can do; see its `problems`.
    """
    if instead and (text := instead.get(absolute(path))) is not None:
        return parse(text.removeprefix(BOM), shown)
    if not _is_text(shown):
        name = shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return _unreadable(
            name, Unreadable("the name of this file is not UTF-8", "rename the file", "bad-file-name")
        )
    try:
        raw = (fence or Fence(path.parent)).read(path, LARGEST_MIB * 2**20, named=named)
    except Unreadable as error:
        return _unreadable(shown, error)
    return _decoded(raw, shown)


def parse(text: str, shown: str, *, pure: bool = False) -> Document:
    """The document in a text. `pure` reads without libyaml, as on machines that lack it."""
    source = Source(shown, text)
    if "<<<<<<<" in text and (unmerged := conflict(source)):
        return Document(source, None, (unmerged,))
    if source.is_json:
        return _from_json(source)
    if too_deep(text):
        problem = Problem(
            code="too-deep",
            summary=f"this file is nested more than {DEEPEST} levels deep",
            hint="flatten it; check for brackets that are never closed",
            place=source.place(0, 0),
        )
        return Document(source, None, (problem,))
    builder = Builder(source)
    may_hold_halves = HALF.search(text) is not None
    by_item = builder.is_plain_tree and not may_hold_halves
    try:
        root = compose(text, builder.item if by_item else None, pure=pure)
    except NotYaml as error:
        found = conflict(source) or (
            _separator(source, error.said) or in_plain_words(error.said, source)
            if error.said
            else _control_character(source)
        )
        return Document(source, None, (found,))
    if line_separators.are_in(text) and (at := line_separators.outside(text, root)) is not None:
        return Document(source, None, (_refused_separator(source, at),))
    if root is None:
        return Document(source, None)
    data = builder.build(root)
    if may_hold_halves and (halves := _halves(source, root)):
        return Document(source, None, tuple(halves))
    return Document(source, data, tuple(builder.problems), tuple(builder.bent))


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: reading makes many small objects, all of which are kept.

    The collector would walk them over and over, for as long as the reading itself takes.
    """
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(raw: bytes, shown: str) -> Document:
    raw, encoding = unmarked(raw)
    try:
        return parse(raw.decode(encoding), shown)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, errors="replace")
        source = Source(shown, raw.decode(encoding, errors="replace"))
        lines = Source(shown, before).lines
        problem = Problem(
            code="not-text",
            summary=f"this is not {encoding.upper()} text",
            hint="save the file as UTF-8",
            place=source.place(len(lines) - 1, len(lines[-1])),
        )
        return Document(source, None, (problem,))


def _from_json(source: Source) -> Document:
    from reconciler.yamlfile import json_parser

    if not source.text.strip(" \t\r\n"):
        return Document(source, None)
    data, is_plain = (None, False) if HALF.search(source.text) else json_parser.data_of(source.text)
    if is_plain and not too_deep(source.text):
        return Document(source, data)
    try:
        root = json_parser.tree(source.text)
    except json_parser.NotJson as error:
        problem = conflict(source) or Problem(
            code="invalid-json", summary=error.why, hint=error.way_out, place=_at(source, error.at)
        )
        return Document(source, None, (problem,))
    if halves := _halves(source, root):
        return Document(source, None, tuple(halves))
    builder = Builder(source)
    data = builder.build(root)
    return Document(source, data, tuple(builder.problems), tuple(builder.bent))


def _separator(source: Source, said: Any) -> Problem | None:
    """One that looks like the end of a line to some, in the line that cannot be read."""
    for mark in (said.problem_mark, said.context_mark):
        if mark and (at := line_separators.before(source.text, mark.line, mark.column)) is not None:
            return _refused_separator(source, at)
    return None


def _refused_separator(source: Source, at: int) -> Problem:
    name = line_separators.name_of(source.text[at])
    return Problem(
        code="not-text",
        summary=f"there is {name} outside of a value, where some readers of YAML end the line",
        hint="remove it, or end the line with a line feed; in a value it may stand",
        place=_at(source, at),
    )


def _at(source: Source, index: int) -> Place:
    """The place of a character."""
    lines = Source(source.file, source.text[:index]).lines
    return source.place(len(lines) - 1, len(lines[-1]))


def conflict(source: Source) -> Problem | None:
    """What git left of a merge that nobody has finished, at its first marker."""
    found = re.search(_MARKER, source.text)
    if found is None:
        return None
    return Problem(
        code="merge-conflict",
        summary="this file holds the markers of an unresolved git merge conflict",
        hint="keep what is meant of both sides, and remove the lines with the markers",
        place=source.place(source.text.count("\n", 0, found.start()), 0, 7),
    )


def _halves(source: Source, root: Node) -> list[Problem]:
    r"""Lone halves of a character, `\ud83d`, which libyaml refuses and PyYAML's own reader lets pass."""
    return [
        Problem(
            code="not-text",
            summary="there is one half of a character here, written as an escape",
            hint="write both halves, or the character itself",
            place=source.at(node),
        )
        for node in walk(root)
        if node.id == "scalar" and _HALF.search(node.value)
    ]


def _control_character(source: Source) -> Problem:
    found = re.search(_CONTROL, source.text)
    place = source.place(0, 0)
    what = "a character"
    if found is not None:
        place = _at(source, found.start())
        what = f"the control character U+{ord(found[0]):04X}"
    return Problem(
        code="not-text",
        summary=f"there is {what} here that YAML does not allow",
        hint='remove it; inside of double quotes it can be written as "\\x00"',
        place=place,
    )


def _unreadable(shown: str, error: Unreadable) -> Document:
    place = Place(file=shown, line=1, column=1)
    summary = error.why if error.code != "unreadable-file" else f"this file is not read: {error.why}"
    problem = Problem(code=error.code, summary=summary, hint=error.way_out, place=place)
    return Document(Source(shown, ""), None, (problem,))


__all__ = ["Document", "collector_paused", "conflict", "parse", "read"]
