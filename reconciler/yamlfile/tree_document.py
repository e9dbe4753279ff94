"""The document of a text that is parsed as a tree: YAML that is not plain, and JSON."""

from __future__ import annotations

import re
from typing import Any, Final

from reconciler.model.problem import Place, Problem
from reconciler.yamlfile import line_separators
from reconciler.yamlfile.builder import Builder
from reconciler.yamlfile.document import Document, Source, merge_conflict
from reconciler.yamlfile.nodes import MAX_DEPTH, Node, walk
from reconciler.yamlfile.parser import SURROGATE_ESCAPE, InvalidYaml, compose, is_too_deep

_CONTROL: Final = r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
"""Compiled only when it is needed, because that takes longer than to read a small file."""

_SURROGATE: Final = "[\ud800-\udfff]"


def from_yaml(source: Source, *, pure: bool = False) -> Document:
    """Return the document of a YAML text. `pure` parses without libyaml, as on machines that lack it."""
    text = source.text
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


def from_json(source: Source) -> Document:
    """Return the document of a JSON text."""
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
