"""Reads and writes `.env` files without expanding them. Only this module uses python-dotenv."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Place, Problem
from reconciler.yamlfile.document import Source, merge_conflict
from reconciler.yamlfile.files import RootDirectory, decode_text

MAX_SIZE: Final = 2**20
"""Bytes."""

MAX_SPACES: Final = 200
"""Consecutive spaces in a line. The time of python-dotenv grows with their square."""

_NAME: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_BREAK: Final = re.compile(r"\r\n|[\r\n]")
_OPEN_QUOTE: Final = re.compile(r"[^=\n]*=[^\S\n]*(['\"])(?:\\.|(?!\1)[^\\])*(\1)?", re.DOTALL)
"""The opening quote of a value, and the closing one if it exists."""

_SPACES: Final = re.compile(rf"(?<![^\S\r\n])[^\S\r\n]{{{MAX_SPACES + 1}}}")


def read_env_files(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """Return the variables of `.env` files; later lines and later files take precedence.

    The user named the files, relative to `root`. Raise UnreadableFile for a file that cannot be read,
    and InvalidConfig for invalid lines, without their content.
    """
    directory, variables, problems = RootDirectory(root), {}, []
    for file in files:
        text = decode_text(directory.read(root / file, MAX_SIZE, named=True))
        if text is None or "\0" in text:
            problems.append(_fault(file, 1, "is not UTF-8 text", "save the file as UTF-8"))
            continue
        if "<<<<<<<" in text and (conflict := merge_conflict(Source(str(file), text))):
            problems.append(conflict)
            continue
        if (spaces := _SPACES.search(text)) is not None:
            line = len(_BREAK.findall(text, 0, spaces.start())) + 1
            what = f"has more than {MAX_SPACES} spaces in a row"
            problems.append(_fault(file, line, what, "remove them"))
            continue
        for line, name, value in _lines(text):
            if isinstance(value, str):
                variables[name] = value
            else:
                problems.append(_fault(file, line, *value))
    if problems:
        raise InvalidConfig(*problems)
    return variables


def assigned_names(text: str) -> set[str]:
    """Return the names of the variables in the text of a `.env` file."""
    return {name for _, name, _ in _lines(text)}


def env_file_text(variables: Mapping[str, str]) -> str:
    """Return the text of a `.env` file with one line for each variable, which reads back unchanged."""
    return "".join(f"{name}='{_escaped(value)}'\n" for name, value in variables.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _lines(text: str) -> Iterator[tuple[int, str, Any]]:
    """Yield (line, name, value) for each variable; for an invalid line the value is (what, hint)."""
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
            what = "has no `=`" if binding.value is None else "does not begin with a name"
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
