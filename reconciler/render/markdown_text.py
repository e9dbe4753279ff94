"""What others chose, as Markdown that says exactly that: no markup, no link, no mention, no end of a block.

Every mark of Markdown and HTML becomes a character reference, which is text wherever it stands; marks that
count only at the beginning of a line never stand there. GitHub looks for mentions and references to issues
only after that, so that these are broken by a space of no width.
"""

from __future__ import annotations

import re

from reconciler.render.values import plain

_MARKS = re.compile(r"[\\`*_\[\]<>#|~@&$]|:(?=//)")
_CALLS = re.compile(r"(&#64;|&#35;|\bGH-)(?=\w)")


def text(said: str) -> str:
    """A sentence on one line; what stands between two backticks is code."""
    return "<br>".join(_line(line) for line in said.splitlines())


def code(said: str) -> str:
    """A name or a value. GitHub looks for nothing in code."""
    return f"<code>{_escaped(said)}</code>" if said else ""


def _line(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return _prose(line)
    return "".join(code(part) if number % 2 else _prose(part) for number, part in enumerate(parts))


def _prose(said: str) -> str:
    return _CALLS.sub(r"\1&#8203;", _escaped(said))


def _escaped(said: str) -> str:
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", plain(said))
