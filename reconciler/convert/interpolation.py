"""Variables in the texts of a docker-compose file, as references of the YAML.

Source of the syntax: the Compose Specification, "Interpolation".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from reconciler.convert.candidates import Outside
from reconciler.model.values import escaped

_PART: Final = re.compile(
    r"""
    \$ (?: (?P<dollar> \$ )
         | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
         | \{ (?P<braced> [A-Za-z_][A-Za-z0-9_]* ) (?: :? (?P<operator> [-?] ) (?P<argument> [^{}]* ) )? \}
         | (?P<other> ) )
    """,
    re.VERBOSE,
)


class UnknownSyntax(Exception):
    """A `$` that begins no variable that the YAML can refer to, such as `${NAME:+x}`."""

    def __str__(self) -> str:
        return "a variable in it has a form that references lack; `docker compose config` resolves it"


def parts_of(text: str) -> list[str | Outside]:
    """Return the literal texts and the variables of a text. Raise UnknownSyntax."""
    return list(_parts(text))


def _parts(text: str) -> Iterator[str | Outside]:
    literal, end = "", 0
    for match in _PART.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        if match["other"] is not None:
            raise UnknownSyntax
        if match["dollar"]:
            literal += "$"
            continue
        if literal:
            yield literal
            literal = ""
        default = match["argument"] if match["operator"] == "-" else None
        yield Outside(variable=match["name"] or match["braced"], default=default)
    if literal + text[end:]:
        yield literal + text[end:]


def reference_text(parts: list[str | Outside], *, with_defaults: bool = True) -> str:
    """Return the text of the YAML with references in the place of variables."""
    return "".join(
        escaped(part) if isinstance(part, str) else reference_of(part, with_default=with_defaults)
        for part in parts
    )


def reference_of(outside: Outside, *, with_default: bool = True) -> str:
    """Return the reference to a variable."""
    default = f":-{outside.default}" if with_default and outside.default else ""
    return f"${{env:{outside.variable}{default}}}"
