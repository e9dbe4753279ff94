"""A text with its references resolved, and which parts of it are masked."""

from __future__ import annotations

from functools import cached_property

from reconciler.config.references.syntax import Fault, Reference, scan
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.secrets import MASK, Secret


@dataclass(frozen=True)
class Resolved:
    """A text with its references resolved.

    `pieces` are its parts in order: a literal with None, or the value of a reference with the reference. If
    there are faults, `value` is the text as it is written.
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
    def shown(self) -> str:
        """The text with a mask for each reference whose value must not be shown."""
        return "".join(MASK if _is_secret(*piece) else piece[0] for piece in self.pieces)

    @property
    def has_no_secrets(self) -> bool:
        """True if no part of the value must be masked."""
        return not any(_is_secret(*piece) for piece in self.pieces)

    @cached_property
    def secret(self) -> str | Secret:
        """The value for a field in which values of references are never shown.

        An unset reference in a lenient run is a secret too, so that it is not mistaken for a literal.
        """
        if not self.has_references or any(problem.is_error for problem in self.problems):
            return self.value
        if self.faults:
            return Secret(value=self.text, source=self.text)
        # An empty part is not masked: it reveals nothing, and shows that a token is missing.
        masked = "".join(MASK if reference and value else value for value, reference in self.pieces)
        secrets = tuple(value for value, reference in self.pieces if reference)
        return Secret(value=self.value, source=self.text, masked=masked, parts=secrets)

    @property
    def maskable(self) -> str | Secret:
        """The value for a field in which only plain words from references are shown."""
        if self.has_no_secrets:
            return self.value
        secrets = tuple(value for value, reference in self.pieces if _is_secret(value, reference))
        return Secret(value=self.value, source=self.text, masked=self.shown, parts=secrets)

    def unmaskable(self, kind: str = "string") -> tuple[Fault, ...]:
        """Return the faults in a field where nothing can be masked, such as a path, a number or a URL.

        `kind` is the JSON type of the field, or `url`.
        """
        return tuple(
            Fault(_unmaskable_problem(reference), reference.text, reference.start)
            for value, reference in self.pieces
            if reference
            and _is_secret(_checked_part(value, kind), reference, is_number=kind not in ("string", "url"))
        )


def _is_secret(value: str, reference: Reference | None, *, is_number: bool = False) -> bool:
    """Return True if the value of a reference must be masked. File content is shown only as a number."""
    if reference is None or not value:
        return False
    if reference.scheme == "exec":
        return True
    from reconciler.config.references.disclosure import is_showable

    return not (reference.scheme == "env" or is_number) or not is_showable(reference.name, value)


def _checked_part(value: str, kind: str) -> str:
    """Return the part of a value that must be a plain word: a URL without its scheme; nothing of a number."""
    match kind:
        case "string":
            return value
        case "url":
            return value.strip().removeprefix("https://").removeprefix("http://")
        case _:
            return "0"


def helper_faults(text: str) -> tuple[Fault, ...]:
    """Return the faults of references to helpers in a field where nothing can be masked."""
    references = (part for part in scan(text) if isinstance(part, Reference) and part.scheme == "exec")
    return tuple(Fault(_unmaskable_problem(part), part.text, part.start) for part in references)


def _unmaskable_problem(reference: Reference) -> Problem:
    return Problem(
        code="reference-refused",
        summary=f"{reference.text} is refused: its value may be a secret, which cannot be masked here",
        hint="write the value itself, or read it from a variable with one plain word that is not named like"
        " a secret",
    )
