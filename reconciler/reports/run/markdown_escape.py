"""Escaping of untrusted text in Markdown: it cannot create markup, links or mentions, or end a block.

Each special character of Markdown and HTML becomes a character reference; characters that are special at the
beginning of a line are never placed there. GitHub and GitLab also detect mentions, references, links and
commits in text. These are broken by a zero-width space, or placed in code.
"""

from __future__ import annotations

import re
from typing import Final

from reconciler.reports.terminal.escape import lines_of, plain

ZERO_WIDTH: Final = "\u200b"

_SPECIAL: Final = re.compile(r"[\\`*_\[\]<>#|~@&$\u200b]|:(?=//)|(?<=[wW]{3})\.")

_DETECTED: Final = re.compile(
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

_EMAIL: Final = re.compile(r"(?<=@)(?=[\w.-]*\.)")
"""Position at which an e-mail address is broken; GitHub detects addresses in code as well."""

_COMMIT: Final = re.compile(r"(\b[0-9a-fA-F]{7,40}\b)")


def text(content: str) -> str:
    """Return a text on one line, in which parts between two backticks are code."""
    return "<br>".join(_at_start(_line(line)) for line in lines_of(content))


def code(content: str) -> str:
    """Return a name or a value as code, in which GitHub detects only e-mail addresses."""
    return f"<code>{_escaped(_EMAIL.sub(ZERO_WIDTH, plain(content)))}</code>" if content else ""


def _line(line: str) -> str:
    parts = line.split("`")
    if len(parts) % 2 == 0:
        return _prose(line)
    return "".join(code(part) if number % 2 else _prose(part) for number, part in enumerate(parts))


def _at_start(line: str) -> str:
    """Return the line with its first character escaped if it would begin a list or a heading."""
    return f"&#{ord(line[0])};{line[1:]}" if line.startswith(("-", "+", "=")) else line


def _prose(content: str) -> str:
    parts = _COMMIT.split(plain(content))  # alternately text and a possible commit
    return "".join(
        code(part) if number % 2 else _escaped(_DETECTED.sub(ZERO_WIDTH, part))
        for number, part in enumerate(parts)
    )


def _escaped(content: str) -> str:
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", content)
