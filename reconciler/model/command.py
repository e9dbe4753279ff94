"""Shell commands that are printed for users to copy, complete and correctly quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from os.path import normpath
from shlex import quote
from typing import Final

from reconciler.model.lazy_dataclass import dataclass

_OPTION: Final = r"(?s)((?:--?)?[A-Za-z][\w-]*=)(.*)"
_ESCAPED: Final = r"[^\x20-\x7e]|[\\%'\"$`!]"
_WORD: Final = r"(?:'[^']*'|\"[^\"]*\"|[^\s`'\"])+"
_COMMAND: Final = rf"(?<![^\s`(])reconciler(?P<words>(?: {_WORD})+)"
"""A command in a text, up to a backtick, two spaces or the end of the line."""

_WITHOUT_OPTIONS: Final = frozenset({"completion", "explain", "schema", "version", "help"})
_WITH_DIRECTORY: Final = frozenset({"init", "simulator"})
_WITH_SELECTION: Final = frozenset({"plan", "apply", "preview", "destroy", "drift"})
COMMANDS: Final = (
    _WITHOUT_OPTIONS
    | _WITH_DIRECTORY
    | _WITH_SELECTION
    | {
        "approve",
        "call",
        "convert",
        "cost",
        "delete",
        "deploy",
        "doctor",
        "env",
        "get",
        "graph",
        "history",
        "import",
    }
    | {
        "list",
        "logs",
        "mcp",
        "open",
        "output",
        "pin",
        "pods",
        "probe",
        "pvcs",
        "recover",
        "restart",
        "rollback",
    }
    | {"run", "scale", "serve", "show", "specs", "state", "status", "update", "validate", "watch"}
)
"""The words that follow `reconciler` in a command. Any other word means that the text is prose."""


class Operand(str):
    """An argument that is never an option, even if it begins with a dash, such as an endpoint's name."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedOptions:
    """The shared options of a run, which every printed command repeats."""

    directory: str = "."
    environment: str = ""
    files: tuple[str, ...] = ()
    state: str = ""
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()

    def arguments_for(self, command: str) -> tuple[str, ...]:
        """Return the arguments with which another command uses the same files and inventory."""
        if command in _WITHOUT_OPTIONS:
            return ()
        if command in _WITH_DIRECTORY:
            return self.directory_arguments()
        files = (word for file in self.files for word in ("-f", file))
        variables = (word for file in self.env_files for word in ("--env-file", file))
        return (
            *self.directory_arguments(),
            *(("-e", self.environment) if self.environment else ()),
            *files,
            *variables,
            *(("--state", self.state) if self.state else ()),
        )

    def directory_arguments(self) -> tuple[str, ...]:
        """Return the `-C` argument, which make, git and reconciler share."""
        return ("-C", self.directory) if self.directory != "." else ()

    def selection_arguments(self) -> tuple[str, ...]:
        """Return the arguments that select endpoints."""
        selected = (("--target", self.targets), ("--exclude", self.excludes))
        return tuple(word for option, globs in selected for glob in globs for word in (option, glob))


_current = SharedOptions()


@contextmanager
def shared_options_in_hints(options: SharedOptions) -> Iterator[None]:
    """Add these options to every printed command within the context.

    They are global to the process, like the command line: hints are written in any layer and any thread, and
    none of them needs to know the options.
    """
    global _current
    previous, _current = _current, options
    try:
        yield
    finally:
        _current = previous


def command_line(*words: str) -> str:
    """Return the words as one command line that a POSIX shell splits into exactly these words.

    A command of `reconciler` gets the shared options. If an `Operand` begins with a dash, all operands move
    behind `--`, so that the command does not read it as an option.
    """
    if any(isinstance(word, Operand) and word.startswith("-") for word in words):
        operands = [word for word in words if isinstance(word, Operand)]
        words = (*(word for word in words if not isinstance(word, Operand)), "--", *operands)
    return add_shared_options(" ".join(map(shell_quote, words)))


def command_without_file(file: str, program: str, command: str, *words: str) -> str:
    """Return the command line for the time after a file of the run was moved away: no `-f` names it."""
    rest = replace(_current, files=tuple(one for one in _current.files if normpath(one) != normpath(file)))
    if rest == _current:
        return command_line(program, command, *words)
    with shared_options_in_hints(rest):
        # a command without any option counts as incomplete, and would get the options of the run again
        options = () if rest.arguments_for(command) else ("-C", ".")
        return command_line(program, *options, command, *words)


def add_shared_options(text: str) -> str:
    """Return the text with the shared options of the run added to each command of `reconciler` in it."""
    if _current == SharedOptions() or "reconciler " not in text:
        return text
    return re.sub(_COMMAND, _with_shared_options, text)


def _with_shared_options(match: re.Match[str]) -> str:
    command, *others = re.findall(_WORD, match["words"])
    if command not in COMMANDS:  # prose, or already complete
        return match[0]
    added = list(_current.arguments_for(command))
    has_selection = any(word.startswith(("--target", "--exclude", "--resume")) for word in others)
    if command in _WITH_SELECTION and not has_selection and (not others or others[0].startswith("-")):
        added += _current.selection_arguments()
    return " ".join(("reconciler", *map(shell_quote, added))) + match["words"]


def shell_quote(word: str) -> str:
    """Return one word quoted for a POSIX shell, on one line unless it ends with a newline."""
    if option := re.fullmatch(_OPTION, word):
        return option[1] + _quoted(option[2])
    return _quoted(word)


def _quoted(word: str) -> str:
    if word.isprintable() or word.endswith("\n"):
        return quote(word)
    # Escape for the terminal. `$(...)` would drop a newline at the end, so such words are quoted above.
    return f"\"$(printf '{re.sub(_ESCAPED, _octal, word)}')\""


def _octal(match: re.Match[str]) -> str:
    return "".join(f"\\{byte:03o}" for byte in match[0].encode("utf-8", "surrogatepass"))
