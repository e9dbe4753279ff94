"""Syntax errors of libyaml and PyYAML, explained for people who write YAML."""

from __future__ import annotations

import re
from typing import Any, Final

from reconciler.model.problem import Problem
from reconciler.yamlfile.document import Source

_END_OF_TEXT: Final = "end of stream"

_EXPLANATIONS: Final[tuple[tuple[str, str, str], ...]] = (
    # A pattern in "<context>; <problem>", the summary, the hint. The first match is used.
    (
        r"quoted scalar.*(end of stream|document indicator)",
        "the quote that opens here is never closed",
        "close it at the end of the value",
    ),
    (
        r"mapping values are not allowed",
        "a `:` is not allowed here",
        'quote a value that contains ": "; check the indentation',
    ),
    (
        r"could not find expected ':'",
        "this line is neither `key: value` nor the end of the value above",
        "write a `:` and a space after the key; check the indentation and the quotes",
    ),
    (
        r"expected ',' or '(\]|\})'",
        "this bracket is not closed, or a comma is missing in it",
        "check the brackets and commas",
    ),
    (r"flow (node|mapping|sequence)", "this bracket is not closed", "check the brackets and commas"),
    (
        r"expected key|block mapping; expected <block end>",
        "the indentation of this line matches no line above",
        "align it with the keys of its block",
    ),
    (
        r"expected '-' indicator|block collection; expected <block end>",
        "this line is not an item of the list above, and its indentation matches nothing else",
        "start it with `- `, or align it with the key that the list belongs to",
    ),
    (
        r"block sequence entries are not allowed|sequence entries are not allowed",
        "a `-` is not allowed here",
        "start the list on its own line",
    ),
    (r"mapping keys are not allowed", "a `?` is not allowed here", "quote the value"),
    (
        r"document start|but found another document",
        "a second document starts here",
        "keep one document in a file; remove the `---` or split the file",
    ),
    (
        r"undefined alias",
        "this alias has no anchor above it",
        "quote the value if it is text; otherwise mark the block with `&name`",
    ),
    (r"duplicate anchor", "this anchor is used twice", "give each `&anchor` a name of its own"),
    (
        r"(scanning an? (alias|anchor)).*",
        "a value that starts with `*` or `&` must be quoted",
        "put double quotes around the value",
    ),
    (
        r"undefined tag handle|scanning a (tag|directive)|parsing a tag",
        "a value that starts with `!` or `%` must be quoted",
        "put double quotes around the value",
    ),
    (
        r"unknown escape character",
        "double quotes do not have this escape",
        "use single quotes, or write the backslash twice",
    ),
    (
        r"escape|hexdecimal|hexadecimal",
        "this escape is not a character",
        "write it as \\uXXXX with four hexadecimal digits",
    ),
    (r"block scalar", "this is not allowed after `|` or `>`", "start the text on the next line, indented"),
    (r"tab character", "a tab indents this line", "indent with spaces"),
)


def explain_yaml_error(error: Any, source: Source) -> Problem:
    """Return the problem that explains a `yaml.MarkedYAMLError`."""
    message = f"{error.context or ''}; {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if "quoted scalar" in message or _END_OF_TEXT in message or "flow" in message:
        # The error is at the end of the file, but its cause is where the quote or bracket opens.
        mark = error.context_mark or mark
    line, column = _visible(source, mark.line, mark.column) if mark else (0, 0)
    summary, hint = _explanation(message, _character(source, line, column))
    return Problem(code="invalid-yaml", summary=summary, hint=hint, place=source.place_at(line, column))


def _visible(source: Source, line: int, column: int) -> tuple[int, int]:
    """Return the position, or that of the last character before it if it is past the end of the text."""
    rest = source.lines[line:]
    if rest and (rest[0][column:] or any(rest[1:])):
        return line, column
    ends = (
        (above, len(text.rstrip()) - 1) for above, text in enumerate(source.lines[: line + 1]) if text.strip()
    )
    return max(ends, default=(line, column))


def _explanation(message: str, character: str) -> tuple[str, str]:
    if "cannot start any token" in message:
        if character == "\t":
            return "a tab indents this line", "indent with spaces"
        return f"a value cannot start with `{character}`", "put double quotes around the value"
    for pattern, summary, hint in _EXPLANATIONS:
        if re.search(pattern, message):
            return summary, hint
    return "this is not valid YAML", "check the indentation, quotes and brackets here and in the line above"


def _character(source: Source, line: int, column: int) -> str:
    text = source.lines[line] if line < len(source.lines) else ""
    return text[column : column + 1]
