"""What libyaml and PyYAML say about broken YAML, in words for people who write YAML."""

from __future__ import annotations

import re
from typing import Any, Final

from reconciler.model.problem import Problem
from reconciler.yamlfile.document import Source

_UNCLOSED: Final = "end of stream"

_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    # Part of "<context>; <problem>" as a pattern, what it means, what to do. The first that fits is taken.
    (
        r"quoted scalar.*(end of stream|document indicator)",
        "the quote that opens here is never closed",
        "close it at the end of the value",
    ),
    (
        r"mapping values are not allowed",
        "this `:` cannot stand here",
        'quote a value that holds ": "; check the indentation',
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
        "this line belongs to nothing: its indentation fits no line above",
        "align it with the keys of its block",
    ),
    (
        r"expected '-' indicator|block collection; expected <block end>",
        "this line is no item of the list above, and its indentation fits nothing else",
        "start it with `- `, or align it with the key that the list belongs to",
    ),
    (
        r"block sequence entries are not allowed|sequence entries are not allowed",
        "a `-` cannot stand here",
        "start a list on a line of its own",
    ),
    (r"mapping keys are not allowed", "a `?` cannot stand here", "quote the value"),
    (
        r"document start|but found another document",
        "a second document starts here",
        "keep one document in a file; remove the `---` or split the file",
    ),
    (
        r"undefined alias",
        "this alias has no anchor above it",
        "quote the value if it is text; else mark the block it means with `&name`",
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
        "there is no such escape in double quotes",
        "use single quotes, or write the backslash twice",
    ),
    (
        r"escape|hexdecimal|hexadecimal",
        "this escape is not a character",
        "write it as \\uXXXX with four hexadecimal digits",
    ),
    (r"block scalar", "this cannot stand after `|` or `>`", "start the text on the next line, indented"),
    (r"tab character", "a tab indents this line", "indent with spaces"),
)


def in_plain_words(error: Any, source: Source) -> Problem:
    """The problem that a `yaml.MarkedYAMLError` stands for."""
    said = f"{error.context or ''}; {error.problem or ''}"
    mark = error.problem_mark or error.context_mark
    if "quoted scalar" in said or _UNCLOSED in said or "flow" in said:
        # The end of the file is where it was noticed; where the quote or bracket opens is where to look.
        mark = error.context_mark or mark
    line, column = _seen(source, mark.line, mark.column) if mark else (0, 0)
    summary, hint = _meaning(said, _character(source, line, column))
    return Problem(code="invalid-yaml", summary=summary, hint=hint, place=source.place(line, column))


def _seen(source: Source, line: int, column: int) -> tuple[int, int]:
    """The position, or the last thing before it where it is past the end of the text."""
    rest = source.lines[line:]
    if rest and (rest[0][column:] or any(rest[1:])):
        return line, column
    ends = (
        (above, len(text.rstrip()) - 1) for above, text in enumerate(source.lines[: line + 1]) if text.strip()
    )
    return max(ends, default=(line, column))


def _meaning(said: str, character: str) -> tuple[str, str]:
    if "cannot start any token" in said:
        if character == "\t":
            return "a tab indents this line", "indent with spaces"
        return f"a value cannot start with `{character}`", "put double quotes around the value"
    for pattern, summary, hint in _WORDS:
        if re.search(pattern, said):
            return summary, hint
    return "this is not valid YAML", "check the indentation, quotes and brackets here and in the line above"


def _character(source: Source, line: int, column: int) -> str:
    text = source.lines[line] if line < len(source.lines) else ""
    return text[column : column + 1]
