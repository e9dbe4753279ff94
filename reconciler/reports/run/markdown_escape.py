"""What others chose, as Markdown that says exactly that: no markup, no link, no mention, no end of a block.

Every mark of Markdown and HTML becomes a character reference, which is text wherever it stands; marks that
count only at the beginning of a line never stand there. GitHub and GitLab look for mentions, references,
links and commits in the text after that: there they are broken by a space of no width, or stand in code.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.reports.terminal.escape import lines_of, plain

ZERO_WIDTH: Final = "\u200b"

_MARKS: Final = re.compile(r"[\\`*_\[\]<>#|~@&$\u200b]|:(?=//)|(?<=[wW]{3})\.")

_CALLS: Final = re.compile(
    "|".join(
        (
            r"(?<=@)",  # a mention, an address
            r"(?<=#)(?=\w)|(?<=GH-)(?=\d)|(?<=[!$%&~])(?=[\w\"])|(?<=\[)(?=\w+:)",  # a reference
            r"(?<=www)(?=\.)|(?<=:)(?=//)",  # a link
            r"(?<=:)(?=[a-z+-][\w+-]*:)",  # the short name of an emoji
        )
    ),
    re.IGNORECASE,
)

_MAIL: Final = re.compile(r"(?<=@)(?=[\w.-]*\.)")
"""Where an address is broken, which is looked for even in HTML's code."""

_COMMIT: Final = re.compile(r"(\b[0-9a-fA-F]{7,40}\b)")


def text(said: str) -> str:
    """A capitalized on one line; what stands between two backticks is code."""
    return "<br>".join(_at_start(_line(line)) for line in lines_of(said))


def code(said: str) -> str:
    """A name or a value. GitHub looks for nothing but addresses in code."""
    return f"<code>{_escaped(_MAIL.sub(ZERO_WIDTH, plain(said)))}</code>" if said else ""


def _line(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return _prose(line)
    return "".join(code(part) if number % 2 else _prose(part) for number, part in enumerate(parts))


def _at_start(line: str) -> str:
    """The line where a mark of a list or of a heading would count."""
    return f"&#{ord(line[0])};{line[1:]}" if line.startswith(("-", "+", "=")) else line


def _prose(said: str) -> str:
    parts = _COMMIT.split(plain(said))  # text and what may be a commit by turns
    return "".join(
        code(part) if number % 2 else _escaped(_CALLS.sub(ZERO_WIDTH, part))
        for number, part in enumerate(parts)
    )


def _escaped(said: str) -> str:
    return _MARKS.sub(lambda mark: f"&#{ord(mark[0])};", said)
