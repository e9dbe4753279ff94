"""The grammar of references: `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`, `${exec:NAME:ARGUMENT}`.

`$${` is a literal `${`. A default may be JSON, whose strings may contain any brace; in other defaults, braces
must be balanced. References do not nest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from json import JSONDecoder
from typing import Final, TypeAlias

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_WHOLE: Final = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}\Z")
"""A text that is one reference without a default, as most texts with a reference are."""

_OPENING: Final = re.compile(r"\$\$\{|\$\{")
_NEXT: Final = re.compile(r"\$\{|\n")
_BRACE: Final = re.compile(r"[{}]")
_BEFORE_JSON: Final = re.compile(r'env:\w+:-\s*(?=[{\["])')
_decode: Final = JSONDecoder().raw_decode
_SHELL: Final = r"(?s)([A-Za-z_][A-Za-z0-9_]*)(?::?([-=?+])(.*))?"
_SPELLED: Final = r"(?is)(env|file|exec)\s*[:.](.*)"
_HELPER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")
_ARGUMENT: Final = re.compile(r"(?![- ])(?!.*\.\.)[A-Za-z0-9_./@:=+,# -]{1,256}(?<! )\Z")
"""The argument of a helper. It cannot be an option, leave a folder, or contain a quote."""

_ESCAPE: Final = "a literal `${` is written `$${`"


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}`: its scheme, name and default (or None), its text, and the start in the whole text.

    `argument` is that of a helper, or None.
    """

    scheme: str
    name: str
    default: str | None
    text: str
    start: int = 0
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of one reference: the problem, and the text of the reference with its start."""

    problem: Problem
    text: str
    start: int


Part: TypeAlias = str | Reference

MAX_FAULTS: Final = 100
"""Faults of one text that are reported, and failed attempts to parse JSON in it."""


def place_faults(
    faults: Sequence[Fault], text: str, place_of_word: Callable[[str, int], Place | None]
) -> Iterator[Problem]:
    """Yield the problems of the faults in a text; `place_of_word` returns the place of the nth word in it."""
    for fault in _limit(faults):
        nth = text.count(fault.text, 0, fault.start)
        yield fault.problem.at(place_of_word(fault.text, nth))


def _limit(faults: Sequence[Fault]) -> Sequence[Fault]:
    """Return the first faults of a text, and one that counts the others."""
    reported, others = faults[: MAX_FAULTS - 1], faults[MAX_FAULTS - 1 :]
    if len(others) <= 1:
        return faults
    most_severe = next((fault for fault in others if fault.problem.is_error), others[0])
    more = replace(
        most_severe.problem,
        summary=f"{len(others):,} more references in this text are wrong",
        hint="correct the errors above first",
    )
    return (*reported, Fault(more, others[0].text, others[0].start))


def parse_parts(text: str) -> tuple[Part, ...] | Problem:
    """Return the literals and references of a text, or the problem of the first malformed reference."""
    parts: list[Part] = []
    for part in scan(text):
        if isinstance(part, Fault):
            return part.problem
        parts.append(part)
    return tuple(parts)


def is_single_reference(text: str) -> bool:
    """Return True if the text is exactly one reference."""
    parts = parse_parts(text)
    return isinstance(parts, tuple) and len(parts) == 1 and isinstance(parts[0], Reference)


def scan(text: str) -> Iterator[Part | Fault]:
    """Yield the parts of a text in order, with a `Fault` for each malformed reference."""
    if whole := _WHOLE.match(text):
        yield Reference("env", whole[1], None, text)
        return
    position = 0
    ends: _ReferenceEnds | None = None
    while (match := _OPENING.search(text, position)) is not None:
        if match.start() > position:
            yield text[position : match.start()]
        if match[0] == "$${":
            yield "${"
            position = match.end()
            continue
        ends = ends or _ReferenceEnds(text)
        end = ends.of(match.end())
        position = _unclosed_end(text, match.end()) if end is None else end
        written = text[match.start() : position]
        parse = _unterminated if end is None else _reference
        yield parse(written, match.start())
    if position < len(text):
        yield text[position:]


class _ReferenceEnds:
    """The ends of the references in a text.

    The number of failed attempts to parse JSON is limited, because each takes time that grows with the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tries = MAX_FAULTS
        self._closed: dict[int, int] = {}  # opening brace -> the index after its closing brace
        opened: list[int] = []
        for brace in _BRACE.finditer(text):
            if brace[0] == "{":
                opened.append(brace.start())
            elif opened:
                self._closed[opened.pop()] = brace.end()

    def of(self, start: int) -> int | None:
        """Return the end of the reference whose content begins at `start`; None without a closing brace."""
        before = _BEFORE_JSON.match(self._text, start) if self._tries else None
        if before is not None:
            if (end := _end_of_json(self._text, before.end())) is not None:
                return end
            self._tries -= 1
        return self._closed.get(start - 1)


def _end_of_json(text: str, start: int) -> int | None:
    """Return the end of a reference whose default is the JSON at `start`; None if it is not only JSON."""
    try:
        _, end = _decode(text, start)
    except (ValueError, RecursionError):  # ValueError includes numbers with 5,000 digits
        return None
    return end + 1 if text.startswith("}", end) else None


def _unclosed_end(text: str, start: int) -> int:
    """Return the assumed end of an unclosed reference: the next reference, or the end of the line."""
    match = _NEXT.search(text, start)
    return match.start() if match else len(text)


def _reference(written: str, start: int) -> Reference | Fault:
    inner = written[2:-1]
    if "${" in inner:
        return _malformed(written, start, "contains another reference", "name one variable or one file")
    scheme, colon, name = inner.partition(":")
    if scheme == "exec" and colon:
        return _helper_reference(name, written, start)
    if scheme not in ("env", "file") or not colon:
        what = "has an unknown source" if colon else "has no source"
        return _malformed(written, start, what, _right_form(inner, colon))
    default = None
    if scheme == "env":
        name, dash, rest = name.partition(":-")
        default = rest if dash else None
    if not name.strip():
        example = "NAME" if scheme == "env" else "PATH"
        return _malformed(written, start, "has no name", f"write `${{{scheme}:{example}}}`")
    if scheme == "env" and not _NAME.match(name):
        return _malformed(written, start, "does not name a variable", _right_name(name.strip(), default))
    return Reference(scheme, name, default, written, start)


def _helper_reference(inner: str, written: str, start: int) -> Reference | Fault:
    name, colon, argument = inner.partition(":")
    if not _HELPER.match(name):
        return _malformed(
            written,
            start,
            "does not name a helper",
            "write `${exec:NAME:ARGUMENT}`, such as ${exec:op:chat/token}",
        )
    if colon and not _ARGUMENT.match(argument):
        return _malformed(
            written,
            start,
            "has an invalid argument",
            "use at most 256 letters, digits, spaces and `_./@:=+,#-`, no `-` at the start and no `..`",
        )
    return Reference("exec", name, None, written, start, argument if colon else None)


def _right_name(name: str, default: str | None) -> str:
    """Return a hint for a name with spaces around it, or a default after a bare `:`."""
    name, sign, rest = name.partition(":")
    if not _NAME.match(name):
        return "use letters, digits and `_`; a default follows `:-` as in ${env:NAME:-default}"
    if sign and default is None and rest[:1] not in ("?", "+"):
        default = rest.removeprefix("=")
    return f"write `${{env:{name}{'' if default is None else f':-{default}'}}}`"


def _right_form(inner: str, colon: str) -> str:
    """Return a hint for a reference in the syntax of a shell or of GitHub, or with a wrong scheme."""
    if match := re.fullmatch(_SPELLED, inner.strip()):
        scheme, name = match[1].lower(), match[2].strip()
        if scheme in ("file", "exec") or _NAME.match(name.partition(":-")[0]):
            return f"write `${{{scheme}:{name}}}`"
    if inner.startswith("matrix."):
        return "add `matrix` to this item, the only place in which it has a value"
    if inner.startswith("{"):
        return "pass it to the step as an environment variable, and write `${env:NAME}`"
    if match := re.fullmatch(_SHELL, inner.strip()):
        default = f":-{match[3]}" if match[2] in ("-", "=") else ""
        return f"write `${{env:{match[1]}{default}}}`"
    return (
        "write `${env:NAME}`, `${file:PATH}` or `${exec:NAME:ARGUMENT}`" if colon else "write `${env:NAME}`"
    )


def _unterminated(written: str, start: int) -> Fault:
    if "}" in written:
        return _malformed(
            written, start, "has more opening braces than closing ones", "balance the braces in its default"
        )
    return _malformed(written, start, "has no closing brace", f"write `{written.split()[0]}}}`")


def _malformed(written: str, start: int, what: str, hint: str) -> Fault:
    shown = written if len(written) <= 60 else written[:59] + "…"
    problem = Problem(
        code="bad-reference", summary=f"the reference {shown} {what}", hint=f"{hint}; {_ESCAPE}"
    )
    return Fault(problem, written, start)
