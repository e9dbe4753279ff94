"""The only door to python-dotenv: `.env` files as it reads them, with nothing in them replaced."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Place, Problem
from reconciler.yamlfile.document import Source
from reconciler.yamlfile.reader import conflict
from reconciler.yamlfile.root_check import Fence
from reconciler.yamlfile.text_encoding import decoded

LARGEST: Final = 2**20
"""Bytes."""

MOST_SPACES: Final = 200
"""In a row. python-dotenv takes a time that grows with their square."""

_NAME: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_BREAK: Final = re.compile(r"\r\n|[\r\n]")
_OPEN_QUOTE: Final = re.compile(r"[^=\n]*=[^\S\n]*(['\"])(?:\\.|(?!\1)[^\\])*(\1)?", re.DOTALL)
"""A quote that opens a value, and the one that closes it if there is any."""

_SPACES: Final = re.compile(rf"(?<![^\S\r\n])[^\S\r\n]{{{MOST_SPACES + 1}}}")


def variables(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """What `.env` files say, a later line and a later file winning.

    The files are named by a person, relative to `root`. Raises Unreadable for a file that cannot be read, and
    InvalidConfig with every line that says nothing, never with what stands in it.
    """
    fence, found, problems = Fence(root), {}, []
    for file in files:
        text = decoded(fence.read(root / file, LARGEST, named=True))
        if text is None or "\0" in text:
            problems.append(_fault(file, 1, "is not UTF-8 text", "save the file as UTF-8"))
            continue
        if "<<<<<<<" in text and (unmerged := conflict(Source(str(file), text))):
            problems.append(unmerged)
            continue
        if (found_spaces := _SPACES.search(text)) is not None:
            line = len(_BREAK.findall(text, 0, found_spaces.start())) + 1
            what = f"has more than {MOST_SPACES} spaces in a row"
            problems.append(_fault(file, line, what, "remove them"))
            continue
        for line, name, value in _lines(text):
            if isinstance(value, str):
                found[name] = value
            else:
                problems.append(_fault(file, line, *value))
    if problems:
        raise InvalidConfig(*problems)
    return found


def names_in(text: str) -> set[str]:
    """The variables that a text in the form of a `.env` file has a line for."""
    return {name for _, name, _ in _lines(text)}


def text_of(variables: Mapping[str, str]) -> str:
    """A line for each variable. Read again, they say the same to the byte."""
    return "".join(f"{name}='{_escaped(value)}'\n" for name, value in variables.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _lines(text: str) -> Iterator[tuple[int, str, Any]]:
    """(line, name, value) for each variable; in the place of a value (what is wrong, what to do)."""
    for binding in _bindings(text):
        written = binding.original.string
        line = binding.original.line + len(_BREAK.findall(written[: len(written) - len(written.lstrip())]))
        if binding.error:
            quote = _OPEN_QUOTE.match(written)
            what = (
                "is not KEY=VALUE"
                if not quote
                else "has text behind a closing quote"
                if quote[2]
                else "opens a quote that is never closed"
            )
            yield line, "", (what, "write KEY=VALUE, and quotes around a value with spaces or line breaks")
        elif binding.key is not None and (binding.value is None or not _NAME.match(binding.key)):
            what = "has no `=`" if binding.value is None else "begins with what is no name"
            yield line, "", (what, "write KEY=VALUE, with letters, digits and `_` in KEY")
        elif binding.key is not None:
            yield line, binding.key, binding.value


def _bindings(text: str) -> Iterable[Any]:
    from dotenv.parser import parse_stream

    return parse_stream(io.StringIO(text, newline=""))


def _fault(file: Path, line: int, what: str, hint: str) -> Problem:
    return Problem(
        code="bad-env-file",
        summary=f"this line {what}",
        hint=hint,
        place=Place(file=str(file), line=line, column=1),
    )
