"""`${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` inside of text; `$${` is a literal `${`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

from reconciler.model.problem import Problem, Severity
from reconciler.model.values import MASK, Secret

LARGEST: Final = 2**20
"""Bytes; a larger file is no secret and no setting."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")
_MARK: Final = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}`: the scheme, what it names, and the default if it has one."""

    scheme: str
    name: str
    default: str | None
    text: str


Part: TypeAlias = str | Reference


@dataclass(frozen=True, slots=True)
class Resolved:
    """A text with its references replaced.

    `masked` is what people may see if the text is a secret, `hidden` the values of its references.
    `has_references` is False for a text in which only `$${` was found. Where something was wrong, `value` is
    the text as it was.
    """

    value: str
    masked: str
    has_references: bool
    problems: tuple[Problem, ...] = ()
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resolver:
    """Where references lead in this run. `lenient` makes an unset variable a warning."""

    root: Path
    environ: Mapping[str, str]
    lenient: bool = False

    @cached_property
    def _files(self) -> dict[str, str | Problem]:
        """Every file is read once, so that all endpoints of one run see one content."""
        return {}

    def resolve(self, text: str) -> Resolved:
        """The text with all references replaced, or the text itself and what is wrong with it."""
        parts = split(text)
        if isinstance(parts, Problem):
            return Resolved(text, text, has_references=False, problems=(parts,))
        value: list[str] = []
        masked: list[str] = []
        hidden: list[str] = []
        problems: list[Problem] = []
        for part in parts:
            if isinstance(part, str):
                value.append(part)
                masked.append(part)
                continue
            found = self._look_up(part)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                value.append(found)
                masked.append(MASK)
                hidden.append(found)
        has_references = any(isinstance(part, Reference) for part in parts)
        if problems:
            return Resolved(text, text, has_references, tuple(problems))
        return Resolved("".join(value), "".join(masked), has_references, hidden=tuple(hidden))

    def secret(self, text: str) -> tuple[str | Secret, tuple[Problem, ...]]:
        """Like `resolve`, for a place where what comes from a reference must not be shown.

        Where that may be unset, a secret stands for it too, so that nobody takes its place for a literal.
        """
        found = self.resolve(text)
        if not found.has_references or any(problem.is_error for problem in found.problems):
            return found.value, found.problems
        if found.problems:
            return Secret(value=text, source=text), found.problems
        return Secret(value=found.value, source=text, masked=found.masked, parts=found.hidden), ()

    def _look_up(self, reference: Reference) -> str | Problem:
        found = self._variable(reference) if reference.scheme == "env" else self._file(reference)
        if isinstance(found, Problem):
            return found
        try:
            found.encode()
        except UnicodeEncodeError:
            return _unusable(reference, "its value is not UTF-8 text", "store binary data elsewhere")
        return found

    def _variable(self, reference: Reference) -> str | Problem:
        found = self.environ.get(reference.name)
        if reference.default is not None:
            return found or reference.default
        if found is not None:
            return found
        return Problem(
            code="unset-reference",
            summary=f"the environment variable {reference.name} is not set",
            hint=f"export {reference.name}=...   or give a default: ${{env:{reference.name}:-default}}",
            severity=Severity.WARNING if self.lenient else Severity.ERROR,
        )

    def _file(self, reference: Reference) -> str | Problem:
        if reference.name not in self._files:
            self._files[reference.name] = self._read(reference)
        return self._files[reference.name]

    def _read(self, reference: Reference) -> str | Problem:
        path = self.root / reference.name
        try:
            if not path.is_file():
                missing = "there is no such file" if not path.exists() else "it is not a file"
                return _unusable(reference, missing, f"check the path; it is relative to {self.root}")
            with path.open("rb") as file:
                raw = file.read(LARGEST + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            return _unusable(reference, f"the file cannot be read: {reason.lower()}", "check its permissions")
        if len(raw) > LARGEST:
            return _unusable(reference, "the file is larger than 1 MiB", "name a file that holds one value")
        try:
            content = raw.decode()
        except UnicodeDecodeError:
            content = "\0"
        if "\0" in content:
            return _unusable(reference, "the file is not UTF-8 text", "store binary data elsewhere")
        return content[:-2] if content.endswith("\r\n") else content.removesuffix("\n")


def split(text: str) -> tuple[Part, ...] | Problem:
    """The literal parts and the references of a text, in order; a problem when it holds a malformed one."""
    parts: list[Part] = []
    position = 0
    for found in _MARK.finditer(text):
        if found.start() > position:
            parts.append(text[position : found.start()])
        position = found.end()
        if found[0] == "$${":
            parts.append("${")
            continue
        part = _reference(found)
        if isinstance(part, Problem):
            return part
        parts.append(part)
    if position < len(text):
        parts.append(text[position:])
    return tuple(parts)


def whole(text: str) -> bool:
    """Whether the text is one reference and nothing else."""
    parts = split(text)
    return isinstance(parts, tuple) and len(parts) == 1 and isinstance(parts[0], Reference)


def _reference(found: re.Match[str]) -> Reference | Problem:
    inner = found[1]
    if not found[2]:
        return _malformed(found[0], "has no closing brace", f"write `{found[0].split()[0]}}}`")
    if "${" in inner:
        return _malformed(found[0], "holds another reference", "name one variable or one file")
    scheme, colon, name = inner.partition(":")
    if not colon:
        proposal = f"${{env:{inner}}}" if _NAME.match(inner) else "${env:NAME}"
        return _malformed(found[0], "does not say where to look", f"write `{proposal}`")
    if scheme not in ("env", "file"):
        return _malformed(
            found[0], "looks in a place that is not known", "write `${env:NAME}` or `${file:PATH}`"
        )
    default = None
    if scheme == "env":
        name, dash, rest = name.partition(":-")
        default = rest if dash else None
    if not name.strip():
        return _malformed(
            found[0], "names nothing", f"write `${{{scheme}:{'NAME' if scheme == 'env' else 'PATH'}}}`"
        )
    if scheme == "env" and not _NAME.match(name):
        return _malformed(
            found[0],
            "names no variable",
            "use letters, digits and `_`; a default follows `:-` as in ${env:NAME:-default}",
        )
    return Reference(scheme, name, default, found[0])


def _malformed(text: str, what: str, hint: str) -> Problem:
    shown = text if len(text) <= 60 else text[:59] + "…"
    return Problem(
        code="bad-reference",
        summary=f"the reference {shown} {what}",
        hint=f"{hint}; a literal `${{` is written `$${{`",
    )


def _unusable(reference: Reference, what: str, hint: str) -> Problem:
    return Problem(code="unreadable-reference", summary=f"{reference.text} cannot be used: {what}", hint=hint)


def coerce(text: str, kind: str) -> Any:
    """What a reference that fills a whole field says, as the field's JSON type; None when it is not one."""
    text = text.strip()
    if kind == "boolean":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
            text.lower()
        )
    if kind == "number" and _NUMBER.match(text):
        return float(text)
    return int(text) if _INTEGER.match(text) else None
