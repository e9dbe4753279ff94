"""The grammar of references: `${env:NAME}`, `${env:NAME:-default}`, `${file:PATH}`; `$${` is a literal `${`.

A default may be JSON, whose strings may hold any brace; in every other one braces balance. References do not
nest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from json import JSONDecoder
from typing import Final, TypeAlias

from reconciler.model.problem import Problem

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OPENING: Final = re.compile(r"\$\$\{|\$\{")
_NEXT: Final = re.compile(r"\$\{|\n")
_BRACE: Final = re.compile(r"[{}]")
_BEFORE_JSON: Final = re.compile(r'env:\w+:-\s*(?=[{\["])')
_decode: Final = JSONDecoder().raw_decode
_SHELL: Final = r"(?s)([A-Za-z_][A-Za-z0-9_]*)(?::?([-=?+])(.*))?"
_SPELLED: Final = r"(?is)(env|file)\s*[:.](.*)"
_ESCAPE: Final = "a literal `${` is written `$${`"


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${...}`: the scheme, what it names, the default if it has one, and where in the text it begins."""

    scheme: str
    name: str
    default: str | None
    text: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with one reference: the problem, and the words of the text that it is about."""

    problem: Problem
    text: str
    start: int


Part: TypeAlias = str | Reference

MOST: Final = 100
"""Faults of one text that are told one by one, and failures to read JSON in it."""


def few(faults: Sequence[Fault]) -> Sequence[Fault]:
    """The first faults of a text, and one that counts the others."""
    told, others = faults[: MOST - 1], faults[MOST - 1 :]
    if len(others) <= 1:
        return faults
    gravest = next((fault for fault in others if fault.problem.is_error), others[0])
    more = replace(
        gravest.problem,
        summary=f"{len(others):,} more references in this text are wrong",
        hint="correct those above first",
    )
    return (*told, Fault(more, others[0].text, others[0].start))


def split(text: str) -> tuple[Part, ...] | Problem:
    """The literal parts and the references of a text, in order; the first problem when one is malformed."""
    parts: list[Part] = []
    for part in scan(text):
        if isinstance(part, Fault):
            return part.problem
        parts.append(part)
    return tuple(parts)


def whole(text: str) -> bool:
    """Whether the text is one reference and nothing else."""
    parts = split(text)
    return isinstance(parts, tuple) and len(parts) == 1 and isinstance(parts[0], Reference)


def scan(text: str) -> Iterator[Part | Fault]:
    """The parts of a text in order, with a `Fault` for each malformed reference."""
    position = 0
    ends: _Ends | None = None
    while (found := _OPENING.search(text, position)) is not None:
        if found.start() > position:
            yield text[position : found.start()]
        if found[0] == "$${":
            yield "${"
            position = found.end()
            continue
        ends = ends or _Ends(text)
        end = ends.of(found.end())
        position = _torn_end(text, found.end()) if end is None else end
        written = text[found.start() : position]
        read = _unterminated if end is None else _reference
        yield read(written, found.start())
    if position < len(text):
        yield text[position:]


class _Ends:
    """Where the references of a text end. JSON is tried a limited number of times: a failure takes a time
    that grows with the text.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tries = MOST
        self._closed: dict[int, int] = {}  # for each opening brace, where what follows its closing one begins
        opened: list[int] = []
        for brace in _BRACE.finditer(text):
            if brace[0] == "{":
                opened.append(brace.start())
            elif opened:
                self._closed[opened.pop()] = brace.end()

    def of(self, start: int) -> int | None:
        """Of the one whose content begins at `start`; None where its braces never balance."""
        before = _BEFORE_JSON.match(self._text, start) if self._tries else None
        if before is not None:
            if (end := _end_of_json(self._text, before.end())) is not None:
                return end
            self._tries -= 1
        return self._closed.get(start - 1)


def _end_of_json(text: str, start: int) -> int | None:
    """Where the reference ends whose default is the JSON at `start`; None when it is none, or more."""
    try:
        _, end = _decode(text, start)
    except (ValueError, RecursionError):  # also of a number with 5,000 digits
        return None
    return end + 1 if text.startswith("}", end) else None


def _torn_end(text: str, start: int) -> int:
    """How far a reference without an end is taken to reach: to the next one, or to the end of its line."""
    found = _NEXT.search(text, start)
    return found.start() if found else len(text)


def _reference(written: str, start: int) -> Reference | Fault:
    inner = written[2:-1]
    if "${" in inner:
        return _malformed(written, start, "holds another reference", "name one variable or one file")
    scheme, colon, name = inner.partition(":")
    if scheme not in ("env", "file") or not colon:
        what = "looks in a place that is not known" if colon else "does not say where to look"
        return _malformed(written, start, what, _right_form(inner, colon))
    default = None
    if scheme == "env":
        name, dash, rest = name.partition(":-")
        default = rest if dash else None
    if not name.strip():
        example = "NAME" if scheme == "env" else "PATH"
        return _malformed(written, start, "names nothing", f"write `${{{scheme}:{example}}}`")
    if scheme == "env" and not _NAME.match(name):
        return _malformed(written, start, "names no variable", _right_name(name.strip(), default))
    return Reference(scheme, name, default, written, start)


def _right_name(name: str, default: str | None) -> str:
    """What was probably meant by a name with spaces around it, or by a default after a bare `:`."""
    name, sign, rest = name.partition(":")
    if not _NAME.match(name):
        return "use letters, digits and `_`; a default follows `:-` as in ${env:NAME:-default}"
    if sign and default is None and rest[:1] not in ("?", "+"):
        default = rest.removeprefix("=")
    return f"write `${{env:{name}{'' if default is None else f':-{default}'}}}`"


def _right_form(inner: str, colon: str) -> str:
    """What was probably meant by a spelling of the shell's, of GitHub's, or by one that is nearly ours."""
    if meant := re.fullmatch(_SPELLED, inner.strip()):
        scheme, name = meant[1].lower(), meant[2].strip()
        if scheme == "file" or _NAME.match(name.partition(":-")[0]):
            return f"write `${{{scheme}:{name}}}`"
    if inner.startswith("{"):
        return "pass it to the step as an environment variable, and write `${env:NAME}`"
    if meant := re.fullmatch(_SHELL, inner.strip()):
        default = f":-{meant[3]}" if meant[2] in ("-", "=") else ""
        return f"write `${{env:{meant[1]}{default}}}`"
    return "write `${env:NAME}` or `${file:PATH}`" if colon else "write `${env:NAME}`"


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
