"""What references stand for in this run, and what of that may be shown. Their grammar is in `parsing`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from reconciler.config.references.policy import API_KEY, refused_part, refused_variable
from reconciler.config.references.syntax import Fault, Reference, scan, split, whole
from reconciler.model.problem import Problem, Severity
from reconciler.model.secrets import MASK, Secret
from reconciler.yamlfile.root_check import Fence, Unreadable
from reconciler.yamlfile.text_encoding import decoded

NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})

LARGEST: Final = 2**20
"""Bytes; a larger file is no secret and no setting."""

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A text with its references replaced.

    `pieces` are its parts in order: a literal, or what a reference says and that reference. Where something
    was wrong, `value` is the text as it was.
    """

    text: str
    value: str
    pieces: tuple[tuple[str, Reference | None], ...]
    has_references: bool = False
    faults: tuple[Fault, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        return tuple(fault.problem for fault in self.faults)

    @property
    def masked(self) -> str:
        """The text with the mask for each reference."""
        return "".join(MASK if reference else value for value, reference in self.pieces)

    @property
    def shown(self) -> str:
        """The text with the mask for each reference whose value may not be shown where others are."""
        return "".join(MASK if _is_hidden(*piece) else piece[0] for piece in self.pieces)

    @property
    def is_open(self) -> bool:
        """Whether nothing in it has to be masked where plain words of references are shown."""
        return not any(_is_hidden(*piece) for piece in self.pieces)

    @property
    def secret(self) -> str | Secret:
        """The value for a place where what comes from a reference must not be shown.

        Where that may be unset, a secret stands for it too, so that nobody takes its place for a literal.
        """
        if not self.has_references or any(problem.is_error for problem in self.problems):
            return self.value
        if self.faults:
            return Secret(value=self.text, source=self.text)
        # that a part is empty is seen: it tells nothing, and a token may be missing there
        masked = "".join(MASK if reference and value else value for value, reference in self.pieces)
        hidden = tuple(value for value, reference in self.pieces if reference)
        return Secret(value=self.value, source=self.text, masked=masked, parts=hidden)

    @property
    def maskable(self) -> str | Secret:
        """The value for a place where plain words of references may be shown, and nothing else of them."""
        if self.is_open:
            return self.value
        hidden = tuple(value for value, reference in self.pieces if _is_hidden(value, reference))
        return Secret(value=self.value, source=self.text, masked=self.shown, parts=hidden)

    def unmaskable(self, kind: str = "string") -> tuple[Fault, ...]:
        """What is wrong with it in a place where nothing can be masked, such as a path, a number or an URL.

        `kind` is the JSON type of the place, or `url`.
        """
        return tuple(
            Fault(_cannot_be_masked(one), one.text, one.start)
            for value, one in self.pieces
            if one and _is_hidden(_judged(value, kind), one, is_number=kind not in ("string", "url"))
        )


def _is_hidden(value: str, reference: Reference | None, *, is_number: bool = False) -> bool:
    """Whether what a reference says must be masked. A file may say a number openly, and no text."""
    if reference is None or not value:
        return False
    from reconciler.config.references.disclosure import may_be_shown

    return not (reference.scheme == "env" or is_number) or not may_be_shown(reference.name, value)


def _judged(value: str, kind: str) -> str:
    """What of a value has to be a plain word: of an URL what follows the scheme, of a number nothing."""
    match kind:
        case "string":
            return value
        case "url":
            return value.strip().removeprefix("https://").removeprefix("http://")
        case _:
            return "0"


@dataclass(frozen=True)
class Resolver:
    """Where references lead in this run.

    `environ` is the environment, `dotenv` what `.env` files say of variables that are unset or empty in it.
    `lenient` makes a reference that leads to nothing a warning.
    """

    root: Path
    environ: Mapping[str, str]
    lenient: bool = False
    dotenv: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def _files(self) -> dict[str, str | Problem]:
        """Every file is read once, so that all endpoints of one run see one content."""
        return {}

    @cached_property
    def said(self) -> set[str]:
        """What all references said that were looked up so far."""
        return set()

    @cached_property
    def _texts(self) -> dict[str, Resolved]:
        """What was resolved already: the same reference stands in many endpoints."""
        return {}

    @cached_property
    def _fence(self) -> Fence:
        return Fence(self.root)

    def resolve(self, text: str, *, is_api_key: bool = False) -> Resolved:
        """The text with all references replaced, or the text itself and what is wrong with it.

        `is_api_key` says that it is the one place that may read NOVITA_API_KEY.
        """
        if is_api_key:
            return self._resolve(text, is_api_key=True)
        if text not in self._texts:
            self._texts[text] = self._resolve(text)
        return self._texts[text]

    def _resolve(self, text: str, *, is_api_key: bool = False) -> Resolved:
        pieces: list[tuple[str, Reference | None]] = []
        faults: list[Fault] = []
        has_references = is_malformed = False
        for part in scan(text):
            match part:
                case str():
                    pieces.append((part, None))
                case Fault():
                    faults.append(part)
                    is_malformed = True
                case Reference():
                    has_references = True
                    found = self._look_up(part, is_api_key=is_api_key)
                    if isinstance(found, Problem):
                        faults.append(Fault(found, part.text, part.start))
                    else:
                        pieces.append((found, part))
                        self.said.add(found)
        if faults:
            return Resolved(text, text, ((text, None),), has_references and not is_malformed, tuple(faults))
        return Resolved(text, "".join(value for value, _ in pieces), tuple(pieces), has_references)

    def secret(self, text: str) -> tuple[str | Secret, tuple[Problem, ...]]:
        """`Resolved.secret` of a text, and what is wrong with it."""
        found = self.resolve(text)
        return found.secret, found.problems

    def _look_up(self, reference: Reference, *, is_api_key: bool) -> str | Problem:
        if reference.scheme == "file":
            found = self._file(reference)
        elif (refused := refused_variable(reference.name, self.environ)) is not None and not (
            is_api_key and reference.name == API_KEY
        ):
            return _refused(reference, *refused)
        else:
            found = self._variable(reference)
        if isinstance(found, Problem):
            return found
        try:
            found.encode()
        except UnicodeEncodeError:
            return _unusable(reference, "its value is not UTF-8 text", "store binary data elsewhere")
        return found

    def variable(self, name: str) -> str | None:
        """The value of a variable; None where the environment and `.env` files have none, or a blank one."""
        values = (source.get(name, "") for source in (self.environ, self.dotenv))
        return next((value for value in values if value.strip()), None)

    def _variable(self, reference: Reference) -> str | Problem:
        name = reference.name
        if (found := self.variable(name)) is not None:
            return found
        if reference.default is not None:
            return reference.default
        if name in self.environ or name in self.dotenv:
            return self._unset(
                f"the environment variable {name} is set, but empty",
                f"give {name} a value, or allow it to be empty: ${{env:{name}:-}}",
                detail="A CI secret that does not exist, or is not given to this job, is an empty variable.",
            )
        return self._unset(
            f"the environment variable {name} is not set",
            f"export {name}=...   or give a default: ${{env:{name}:-default}}",
        )

    def _file(self, reference: Reference) -> str | Problem:
        if reference.name not in self._files:
            self._files[reference.name] = self._read(reference)
        return self._files[reference.name]

    def _read(self, reference: Reference) -> str | Problem:
        path = Path(reference.name)
        refused = "an absolute path" if path.is_absolute() else refused_part(path)
        try:
            if refused is None:
                refused = refused_part(self._fence.real(self.root / path))
            if refused is None:
                raw = self._fence.read(self.root / path, LARGEST)
        except Unreadable as error:
            return _unusable(reference, error.why, error.way_out)
        if refused is not None:
            what = refused if path.is_absolute() else f"what is in {refused}"
            return _refused(
                reference,
                f"references never read {what}",
                f"keep the value in a file of its own below {self.root.absolute()}",
            )
        content = decoded(raw)
        if content is None or "\0" in content:
            return _unusable(reference, "the file is not UTF-8 text", "store binary data elsewhere")
        content = content[:-2] if content.endswith("\r\n") else content.removesuffix("\n").removesuffix("\r")
        if not content.strip():
            return self._unset(
                f"the file {reference.name} is empty",
                f"write the value into {reference.name}, or remove the reference to it",
            )
        return content

    def _unset(self, summary: str, hint: str, detail: str = "") -> Problem:
        return Problem(
            code="unset-reference",
            summary=summary,
            detail=detail,
            hint=hint,
            severity=Severity.WARNING if self.lenient else Severity.ERROR,
        )


def _unusable(reference: Reference, what: str, hint: str) -> Problem:
    return Problem(code="unreadable-reference", summary=f"{reference.text} cannot be used: {what}", hint=hint)


def _refused(reference: Reference, why: str, hint: str) -> Problem:
    return Problem(code="reference-refused", summary=f"{reference.text} is refused: {why}", hint=hint)


def _cannot_be_masked(reference: Reference) -> Problem:
    return Problem(
        code="reference-refused",
        summary=f"{reference.text} is refused: what it says may be a secret, and could not be masked here",
        hint="write the value itself, or read it from a variable that holds one plain word and is not named"
        " like a secret",
    )


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


__all__ = ["Fault", "Reference", "Resolved", "Resolver", "coerce", "split", "whole"]
