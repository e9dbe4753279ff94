"""Commands that are printed for people to copy: complete, and each word reaches the program as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from shlex import quote
from typing import Final

_OPTION: Final = r"(?s)((?:--?)?[A-Za-z][\w-]*=)(.*)"
_ESCAPED: Final = r"[^\x20-\x7e]|[\\%'\"$`!]"
_WORD: Final = r"(?:'[^']*'|\"[^\"]*\"|[^\s`'\"])+"
_COMMAND: Final = rf"(?<![^\s`(])reconciler(?P<words>(?: {_WORD})+)"
"""A command in a sentence, to its end: a backtick, two spaces, or the end of the line."""

_ALONE: Final = frozenset({"completion", "schema", "version", "help"})
_IN_FOLDER: Final = frozenset({"init", "simulator"})
_ABOUT_MANY: Final = frozenset({"plan", "apply", "preview", "destroy", "drift"})
COMMANDS: Final = (
    _ALONE
    | _IN_FOLDER
    | _ABOUT_MANY
    | {"delete", "deploy", "doctor", "get", "history", "import", "list", "logs", "pods", "pvcs", "recover"}
    | {"rollback", "scale", "specs", "state", "status", "update", "validate", "watch"}
)
"""What may follow `reconciler` in a printed command. Anything else is prose."""


class Name(str):
    """An operand, such as an endpoint's name: never an option, even where it begins with a dash."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The shared options of a run, as they have to be repeated by every command that it prints."""

    directory: str = "."
    files: tuple[str, ...] = ()
    state: str = ""
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()

    def words(self, command: str) -> tuple[str, ...]:
        """Those that another command needs to mean the same files and the same inventory."""
        if command in _ALONE:
            return ()
        if command in _IN_FOLDER:
            return self.folder()
        files = (word for file in self.files for word in ("-f", file))
        variables = (word for file in self.env_files for word in ("--env-file", file))
        return (*self.folder(), *files, *variables, *(("--state", self.state) if self.state else ()))

    def folder(self) -> tuple[str, ...]:
        """What make, git and reconciler alike need to work in the same folder."""
        return ("-C", self.directory) if self.directory != "." else ()

    def selecting(self) -> tuple[str, ...]:
        """Those that choose endpoints."""
        chosen = (("--target", self.targets), ("--exclude", self.excludes))
        return tuple(word for option, globs in chosen for glob in globs for word in (option, glob))


_now = Options()


@contextmanager
def shared_options(options: Options) -> Iterator[None]:
    """Until its end, every command that is printed repeats these options.

    They hold for the whole process, as the command line does that they come from: a hint is made in any
    layer and in any thread, and none of those has to know about options.
    """
    global _now
    before, _now = _now, options
    try:
        yield
    finally:
        _now = before


def command_line(*words: str) -> str:
    """The words as one line that any POSIX shell takes apart into exactly these words.

    A command of `reconciler` is completed. A `Name` that begins with a dash moves behind `--`, together with
    the other names of the line, so that the command does not take it for an option.
    """
    if any(isinstance(word, Name) and word.startswith("-") for word in words):
        names = [word for word in words if isinstance(word, Name)]
        words = (*(word for word in words if not isinstance(word, Name)), "--", *names)
    return completed(" ".join(map(quoted, words)))


def completed(text: str) -> str:
    """The text with the shared options of the run in each command of `reconciler` that stands in it."""
    return re.sub(_COMMAND, _completed, text) if _now != Options() and "reconciler " in text else text


def _completed(found: re.Match[str]) -> str:
    command, *others = re.findall(_WORD, found["words"])
    if command not in COMMANDS:  # prose, or it is complete already
        return found[0]
    added = list(_now.words(command))
    chooses = any(word.startswith(("--target", "--exclude", "--resume")) for word in others)
    if command in _ABOUT_MANY and not chooses and (not others or others[0].startswith("-")):
        added += _now.selecting()
    return " ".join(("reconciler", *map(quoted, added))) + found["words"]


def quoted(word: str) -> str:
    """One word for a POSIX shell; on one line, unless it ends with a newline."""
    if option := re.fullmatch(_OPTION, word):
        return option[1] + _quoted(option[2])
    return _quoted(word)


def _quoted(word: str) -> str:
    if word.isprintable() or word.endswith("\n"):
        return quote(word)
    # Not as it is on a terminal. A newline at its end has to be: `$(...)` would drop it.
    return f"\"$(printf '{re.sub(_ESCAPED, _octal, word)}')\""


def _octal(found: re.Match[str]) -> str:
    return "".join(f"\\{byte:03o}" for byte in found[0].encode("utf-8", "surrogatepass"))
