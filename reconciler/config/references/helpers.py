"""The secret helpers that the environment or the user's own file registers; a repository cannot.

`${exec:NAME:ARGUMENT}` names a helper, and the registration says which program it runs. A hostile repository
can therefore ask for values, within `RECONCILER_ALLOW_EXEC`, and choose no program.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from reconciler.config.references.syntax import Reference
from reconciler.config.vocabulary import suggest_name
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

VARIABLE: Final = "RECONCILER_SECRET_HELPERS"
"""Variable with `NAME=COMMAND` on each line; `;` also ends a line."""

ALLOW_EXEC: Final = "RECONCILER_ALLOW_EXEC"
"""Variable with globs of the `NAME:ARGUMENT` that references may use; unset, all."""

RECIPES: Final = {
    "op": "op read op://VAULT/%s",
    "vault": "vault kv get -field=value secret/%s",
    "aws": "aws secretsmanager get-secret-value --query SecretString --output text --secret-id %s",
    "ssm": "aws ssm get-parameter --with-decryption --query Parameter.Value --output text --name /%s",
    "pass": "pass show infra/%s",
}
"""Commands for the hint about a helper that is not registered. docs/secrets.md explains them."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_INTERPRETERS: Final = frozenset(
    {"sh", "bash", "dash", "ash", "zsh", "ksh", "fish", "python", "perl", "ruby", "node"}
)
_KEY: Final = "secret_helpers"


@dataclass(frozen=True, slots=True)
class Helper:
    """A registered helper: its name, and its program and arguments, in which `%s` is the argument."""

    name: str
    words: tuple[str, ...]

    @property
    def takes_argument(self) -> bool:
        return any("%s" in word for word in self.words)


class InvalidRegistration(Exception):
    """A helper is registered in an invalid way. `reason` is a sentence, `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True)
class HelperRegistry:
    """The helpers of a run. No program and no registration counts in the repository of `root`."""

    root: Path
    environ: Mapping[str, str]

    def find(self, reference: Reference) -> Helper | Problem:
        """Return the helper that a reference names, or why the reference cannot use it."""
        name, asked = reference.name, _asked(reference)
        allowed = self.environ.get(ALLOW_EXEC)
        if allowed is not None and not any(fnmatchcase(asked, glob) for glob in _globs(allowed)):
            return _problem(
                reference,
                "reference-refused",
                f"is refused: {ALLOW_EXEC} does not list {asked}",
                f"to allow it, add {shlex.quote(asked)} to {ALLOW_EXEC} where reconciler runs",
            )
        try:
            helper = self._from_environment.get(name) or self._from_file.get(name)
        except InvalidRegistration as error:
            return Problem(code="bad-secret-helpers", summary=error.reason, hint=error.hint)
        if helper is None:
            return self._unknown(reference)
        if helper.takes_argument == (reference.argument is not None):
            return helper
        shown = f"${{exec:{name}:ARGUMENT}}" if helper.takes_argument else f"${{exec:{name}}}"
        needs = "needs an argument" if helper.takes_argument else "takes no argument"
        return _problem(
            reference, "bad-reference", f"cannot be used: the helper `{name}` {needs}", f"write `{shown}`"
        )

    @property
    def helpers(self) -> Mapping[str, Helper]:
        """All helpers by name. Raise InvalidRegistration."""
        return {**self._from_file, **self._from_environment}

    def program(self, helper: Helper) -> str | None:
        """Return the absolute path of its program; None if it is not on PATH outside of the repository."""
        import shutil

        word = os.path.expanduser(helper.words[0])  # noqa: PTH111 - a bare name must stay one
        folders = [""] if os.sep in word else self.environ.get("PATH", os.defpath).split(os.pathsep)
        for folder in folders:
            path = Path(folder, word)
            is_usable = path.is_absolute() and shutil.which(path)
            if is_usable and not any(map(self._is_in_repository, (path.parent, path))):
                return str(path)
        return None

    @property
    def file(self) -> Path | None:
        """The user's own file, which need not exist; None without a home folder."""
        base = self.environ.get("XDG_CONFIG_HOME", "")
        home = self.environ.get("HOME", "")
        if not Path(base).is_absolute():
            if not Path(home).is_absolute():
                return None
            base = str(Path(home, ".config"))
        return Path(base, "reconciler", "config.yaml")

    @property
    def working_directory(self) -> str:
        """The home folder, in which helpers run: many programs obey files of the current folder."""
        home = self.environ.get("HOME", "")
        is_usable = (
            Path(home).is_absolute() and Path(home).is_dir() and not self._is_in_repository(Path(home))
        )
        return home if is_usable else os.sep

    @cached_property
    def _from_environment(self) -> Mapping[str, Helper]:
        entries = (line.strip() for line in re.split(r"[;\n]", self.environ.get(VARIABLE, "")))
        return dict(map(_parse_entry, filter(None, entries)))

    @cached_property
    def _from_file(self) -> Mapping[str, Helper]:
        if self.file is None or not self.file.exists():
            return {}
        from reconciler.yamlfile.reader import read

        path = self.file.resolve()
        self._check_owner(path)
        document = read(path, str(self.file))
        if document.problems:
            first = document.problems[0]
            raise InvalidRegistration(f"{first.place}: {first.summary}", first.hint)
        return dict(_parse_file(document.data, str(self.file)))

    def _check_owner(self, path: Path) -> None:
        """Raise InvalidRegistration if others than the user may have written the file."""
        if self._is_in_repository(path.parent):
            raise InvalidRegistration(
                f"{self.file} is in the repository, whose authors must not choose programs",
                f"register helpers in {VARIABLE}, or set XDG_CONFIG_HOME to a folder outside of it",
            )
        for part in (path, path.parent):
            status = part.stat()
            if status.st_uid not in (0, os.getuid()):
                raise InvalidRegistration(
                    f"{part} belongs to another user", f"run `chown {os.getuid()} {shlex.quote(str(part))}`"
                )
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise InvalidRegistration(
                    f"others than you can write {part}", f"run `chmod go-w {shlex.quote(str(part))}`"
                )

    @cached_property
    def _repository(self) -> tuple[Path, ...]:
        """The root directory, and the work tree that contains it."""
        root = self.root.resolve()
        trees = (folder for folder in (root, *root.parents) if (folder / ".git").exists())
        return (root, *(folder for folder in [next(trees, None)] if folder is not None))

    def _is_in_repository(self, path: Path) -> bool:
        return any(path.resolve().is_relative_to(folder) for folder in self._repository)

    def _unknown(self, reference: Reference) -> Problem:
        name = reference.name
        known = self.helpers
        summary = f"the secret helper `{name}` is not registered"
        if meant := suggest_name(name, known):
            return Problem(code="unknown-helper", summary=summary, hint=f"did you mean `{meant}`?")
        command = RECIPES.get(name, "COMMAND" if reference.argument is None else "COMMAND %s")
        export = f"export {VARIABLE}={shlex.quote(f'{name}={command}')}"
        in_file = f"\nor write into {self.file}:\n\n{_KEY}:\n  {name}: {command}" if self.file else ""
        return Problem(code="unknown-helper", summary=summary, hint=export + in_file)


def _asked(reference: Reference) -> str:
    return reference.name if reference.argument is None else f"{reference.name}:{reference.argument}"


def _globs(text: str) -> Sequence[str]:
    return [glob for glob in re.split(r"[,\s]+", text) if glob]


def _parse_entry(entry: str) -> tuple[str, Helper]:
    name, sign, command = entry.partition("=")
    if not sign or not _NAME.match(name.strip()):
        raise InvalidRegistration(
            f"{VARIABLE} has an entry that is not NAME=COMMAND",
            f"export {VARIABLE}='op=op read op://infra/%s'   with one helper a line, or `;` between two",
        )
    return name.strip(), _helper(name.strip(), command, VARIABLE)


def _parse_file(data: Any, shown: str) -> Iterator[tuple[str, Helper]]:
    helpers = data.get(_KEY) if isinstance(data, dict) and data.keys() <= {_KEY} else None
    if not isinstance(helpers, dict):
        raise InvalidRegistration(
            f"{shown} must hold `{_KEY}:` and nothing else",
            f"write below `{_KEY}:` for example `op: {RECIPES['op']}`",
        )
    for name, command in helpers.items():
        is_list = isinstance(command, list) and all(isinstance(word, str) for word in command)
        if not _NAME.match(str(name)) or not (is_list or isinstance(command, str)):
            raise InvalidRegistration(
                f"{shown}: `{_KEY}.{name}` must be a name with a command",
                f"write for example `op: {RECIPES['op']}`, or the words as a list",
            )
        yield str(name), _helper(str(name), command, shown)


def _helper(name: str, command: str | list[str], shown: str) -> Helper:
    try:
        words = tuple(command if isinstance(command, list) else shlex.split(command))
    except ValueError:
        raise InvalidRegistration(
            f"the command of `{name}` in {shown} has a quote that is never closed",
            "close it; `;` always ends an entry of the variable, so a command with `;` belongs in the file",
        ) from None
    if _is_in_script(words):
        raise InvalidRegistration(
            f"the command of `{name}` in {shown} inserts its argument into a script",
            "write $1 in the script, and the argument behind it: sh -c 'pass show \"infra/$1\"' sh %s",
        )
    if not words or not words[0].strip() or "%s" in words[0] or any("\0" in word for word in words):
        raise InvalidRegistration(
            f"the command of `{name}` in {shown} must begin with a program",
            f"write for example {name}={RECIPES.get(name, 'op read op://infra/%s')}",
        )
    return Helper(name, words)


def _is_in_script(words: Sequence[str]) -> bool:
    """Return True if `%s` is in the script of an interpreter, where an argument could be more than a word."""
    flags = (
        word.startswith("-") and word.endswith(("c", "e")) and not word.startswith("--") for word in words
    )
    has_interpreter = any(Path(word).name.rstrip("0123456789.") in _INTERPRETERS for word in words)
    return has_interpreter and any(
        is_flag and "%s" in script for is_flag, script in zip(flags, words[1:], strict=False)
    )


def _problem(reference: Reference, code: str, what: str, hint: str) -> Problem:
    return Problem(code=code, summary=f"{reference.text} {what}", hint=hint)
