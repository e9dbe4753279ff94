"""Commands that are printed for people to copy: each word reaches the program as it is."""

from __future__ import annotations

import re
from shlex import quote
from typing import Final

_OPTION: Final = re.compile(r"(--?[A-Za-z][\w-]*=)(.*)", re.DOTALL)
_PRINTED: Final = re.compile(r"[^\x20-\x7e]|[\\%'\"$`!]")


class Name(str):
    """An operand, such as an endpoint's name: never an option, even where it begins with a dash."""

    __slots__ = ()


def command_line(*words: str) -> str:
    """The words as one line that any POSIX shell takes apart into exactly these words.

    A `Name` that begins with a dash moves behind `--`, together with the other names of the line, so that the
    command does not take it for an option. The value of an option is safe as `--target=VALUE`.
    """
    if any(isinstance(word, Name) and word.startswith("-") for word in words):
        names = [word for word in words if isinstance(word, Name)]
        words = (*(word for word in words if not isinstance(word, Name)), "--", *names)
    return " ".join(map(quoted, words))


def quoted(word: str) -> str:
    """One word for a POSIX shell; on one line, unless it ends with a newline."""
    if option := _OPTION.fullmatch(word):
        return option[1] + quoted(option[2])
    if word.isprintable() or word.endswith("\n"):
        return quote(word)
    # Not as it is on a terminal. A newline at its end has to be: `$(...)` would drop it.
    return f"\"$(printf '{_PRINTED.sub(_octal, word)}')\""


def _octal(found: re.Match[str]) -> str:
    return "".join(f"\\{byte:03o}" for byte in found[0].encode("utf-8", "surrogatepass"))
