"""Reads a file or a text into a `Document`, with readable problems if it is not valid YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from reconciler.model.problem import Place, Problem
from reconciler.yamlfile import block, line_separators
from reconciler.yamlfile.builder import Builder
from reconciler.yamlfile.document import Document, Source
from reconciler.yamlfile.files import (
    NO_OVERRIDES,
    FileOverrides,
    RootDirectory,
    UnreadableFile,
    normalized_path,
    split_bom,
)
from reconciler.yamlfile.nodes import MAX_DEPTH, Node, walk
from reconciler.yamlfile.parser import SURROGATE_ESCAPE, InvalidYaml, compose, is_too_deep

BOM: Final = "\ufeff"
MAX_SIZE_MIB: Final = 32

_CONTROL: Final = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled only when it is needed, because that takes longer than to read a small file."""

_CONFLICT_MARKER: Final = r"(?m)^(?:<{7}|\|{7}|={7}|>{7})(?=[ \r\n]|\Z)"
"""A conflict marker of git at the beginning of a line."""

_LFS_POINTER: Final = "version https://git-lfs.github.com/spec/"

_SURROGATE: Final = "[\ud800-\udfff]"


_parsed: ContextVar[dict[tuple[str, str], Document] | None] = ContextVar("parsed", default=None)
"""The documents of the block of `parsing_once`, by text and name."""


def read(
    path: Path,
    shown: str,
    overrides: FileOverrides = NO_OVERRIDES,
    *,
    root: RootDirectory | None = None,
    named: bool = False,
) -> Document:
    """Return the document in a file, or in the text that overrides it.

    The file must be below `root` after following links, unless the user `named` it. Errors are reported as
    `problems` of the document, which is shown to users under the name `shown`.
    """
    if overrides and (text := overrides.get(normalized_path(path))) is not None:
        return parse(text.removeprefix(BOM), shown)
    if not _is_text(shown):
        name = shown.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        return _unreadable(
            name, UnreadableFile("the name of this file is not UTF-8", "rename the file", "bad-file-name")
        )
    try:
        raw = (root or RootDirectory(path.parent)).read(path, MAX_SIZE_MIB * 2**20, named=named)
    except UnreadableFile as error:
        return _unreadable(shown, error)
    return _decoded(raw, shown)


@contextmanager
def parsing_once() -> Iterator[None]:
    """Parse each text once until the end of the block. The data of a document must not be changed."""
    token = _parsed.set({})
    try:
        yield
    finally:
        _parsed.reset(token)


def parse(text: str, shown: str, *, pure: bool = False) -> Document:
    """Return the document in a text. `pure` parses without libyaml, as on machines that lack it."""
    parsed = _parsed.get()
    if parsed is None:
        return _parse(text, shown, pure=pure)
    if (text, shown) not in parsed:
        parsed[text, shown] = _parse(text, shown, pure=pure)
    return parsed[text, shown]


def _parse(text: str, shown: str, *, pure: bool = False) -> Document:
    source = Source(shown, text)
    if "<<<<<<<" in text and (conflict := merge_conflict(source)):
        return Document(source, None, (conflict,))
    if text.startswith(_LFS_POINTER):
        return Document(source, None, (_lfs_pointer(source),))
    if source.is_json:
        return _from_json(source)
    if not pure and (data := block.parse(text)) is not None:
        return Document(source, data)
    if is_too_deep(text):
        problem = Problem(
            code="too-deep",
            summary=f"this file is nested more than {MAX_DEPTH} levels deep",
            hint="flatten it; check for brackets that are never closed",
            place=source.place_at(0, 0),
        )
        return Document(source, None, (problem,))
    builder = Builder(source)
    has_surrogates = SURROGATE_ESCAPE.search(text) is not None
    build_early = builder.has_no_aliases and not has_surrogates
    try:
        root = compose(text, builder.build_item if build_early else None, pure=pure)
    except InvalidYaml as error:
        from reconciler.yamlfile.messages import explain_yaml_error

        invalid = merge_conflict(source) or (
            _separator_before(source, error.cause) or explain_yaml_error(error.cause, source)
            if error.cause
            else _control_character(source)
        )
        return Document(source, None, (invalid,))
    if line_separators.are_in(text) and (index := line_separators.find_outside(text, root)) is not None:
        return Document(source, None, (_refused_separator(source, index),))
    if root is None:
        return Document(source, None)
    data = builder.build(root)
    if has_surrogates and (lone := _lone_surrogates(source, root)):
        return Document(source, None, tuple(lone))
    return Document(source, data, tuple(builder.problems), tuple(builder.ambiguous))


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause garbage collection, which takes as long as parsing because of the many small objects.

    The objects that were made meanwhile count as old afterwards. Otherwise the next collection would visit
    all of them at once, which takes a tenth of the time to make them.
    """
    import gc

    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # together these two move the objects to the oldest generation
            gc.unfreeze()
            gc.enable()


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(raw: bytes, shown: str) -> Document:
    text = decoded(raw, shown)
    if isinstance(text, Problem):
        return Document(Source(shown, ""), None, (text,))
    return parse(text, shown)


def decoded(raw: bytes, shown: str) -> str | Problem:
    """Return the text of a file without its byte order mark, or the problem of bytes that are no text."""
    raw, encoding = split_bom(raw)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, errors="replace")
        source = Source(shown, raw.decode(encoding, errors="replace"))
        lines = Source(shown, before).lines
        return Problem(
            code="not-text",
            summary=f"this is not {encoding.upper()} text",
            hint="save the file as UTF-8",
            place=source.place_at(len(lines) - 1, len(lines[-1])),
        )


def _from_json(source: Source) -> Document:
    from reconciler.yamlfile import json_parser

    if not source.text.strip(" \t\r\n"):
        return Document(source, None)
    data, is_plain = (None, False)
    if not SURROGATE_ESCAPE.search(source.text):
        data, is_plain = json_parser.parse_data(source.text)
    if is_plain and not is_too_deep(source.text):
        return Document(source, data)
    try:
        root = json_parser.parse_tree(source.text)
    except json_parser.InvalidJson as error:
        problem = merge_conflict(source) or Problem(
            code="invalid-json", summary=error.reason, hint=error.hint, place=_place(source, error.index)
        )
        return Document(source, None, (problem,))
    if lone := _lone_surrogates(source, root):
        return Document(source, None, tuple(lone))
    builder = Builder(source)
    data = builder.build(root)
    return Document(source, data, tuple(builder.problems), tuple(builder.ambiguous))


def _separator_before(source: Source, error: Any) -> Problem | None:
    """Return the problem of a Unicode line separator in the line of a syntax error, or None."""
    for mark in (error.problem_mark, error.context_mark):
        if mark and (index := line_separators.find_before(source.text, mark.line, mark.column)) is not None:
            return _refused_separator(source, index)
    return None


def _refused_separator(source: Source, index: int) -> Problem:
    name = line_separators.display_name(source.text[index])
    return Problem(
        code="not-text",
        summary=f"there is {name} outside of a value, where some YAML parsers end the line",
        hint="remove it, or end the line with a line feed; inside of a value it is allowed",
        place=_place(source, index),
    )


def _place(source: Source, index: int) -> Place:
    """Return the place of a character."""
    lines = Source(source.file, source.text[:index]).lines
    return source.place_at(len(lines) - 1, len(lines[-1]))


def merge_conflict(source: Source) -> Problem | None:
    """Return the problem of an unresolved git merge conflict, at its first marker, or None."""
    match = re.search(_CONFLICT_MARKER, source.text)
    if match is None:
        return None
    return Problem(
        code="merge-conflict",
        summary="this file has the markers of an unresolved git merge conflict",
        hint="keep the lines you want of both sides, and remove the lines with the markers",
        place=source.place_at(source.text.count("\n", 0, match.start()), 0, 7),
    )


def _lfs_pointer(source: Source) -> Problem:
    return Problem(
        code="lfs-pointer",
        summary="this file is in Git LFS, and only its pointer is here",
        hint="run `git lfs pull`; or take the file out of LFS, which `run --git` does not read",
        place=source.place_at(0, 0),
    )


def _lone_surrogates(source: Source, root: Node) -> list[Problem]:
    r"""Return problems of lone surrogates, such as `\ud83d`, which libyaml refuses and PyYAML accepts."""
    return [
        Problem(
            code="not-text",
            summary="this escape is only one half of a character (a surrogate)",
            hint="write both halves, or the character itself",
            place=source.place_of_node(node),
        )
        for node in walk(root)
        if node.id == "scalar" and re.search(_SURROGATE, node.value)
    ]


def _control_character(source: Source) -> Problem:
    match = re.search(_CONTROL, source.text)
    place = source.place_at(0, 0)
    what = "a character"
    if match is not None:
        place = _place(source, match.start())
        what = f"the control character U+{ord(match[0]):04X}"
    return Problem(
        code="not-text",
        summary=f"there is {what} here, which YAML does not allow",
        hint='remove it; inside of double quotes it can be written as "\\x00"',
        place=place,
    )


def _unreadable(shown: str, error: UnreadableFile) -> Document:
    return Document(Source(shown, ""), None, (unreadable(shown, error),))


def unreadable(shown: str, error: UnreadableFile) -> Problem:
    """Return the problem of a file that cannot be read."""
    place = Place(file=shown, line=1, column=1)
    is_prefixed = error.code == "unreadable-file"
    summary = f"this file cannot be read: {error.reason}" if is_prefixed else error.reason
    return Problem(code=error.code, summary=summary, hint=error.hint, place=place)


__all__ = ["Document", "gc_paused", "merge_conflict", "parse", "read"]
