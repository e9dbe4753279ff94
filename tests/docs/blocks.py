"""The fenced blocks of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block: its language, its text without indentation, and the line of the page that it begins on."""

    language: str
    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command, its line with the comment, and what a `console` block shows below it."""

    text: str
    line: str
    shown: str


def blocks(page: str) -> list[Block]:
    """Return all fenced blocks of a page, in their order."""
    return [
        Block(
            language=match["language"],
            text=re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE),
            line=page.count("\n", 0, match.start()) + 1,
        )
        for match in _FENCE.finditer(page)
    ]


def commands(block: Block) -> list[Command]:
    """Return the commands of a `console` or a `sh` block."""
    if block.language == "sh":
        lines = re.sub(r"\\\n *", "", block.text).splitlines()
        return [Command(text=text, line=line, shown="") for line in lines if (text := _without_comment(line))]
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)
    assert parts[0] == "", f"line {block.line}: a console block begins with a command"
    return [
        Command(text=_without_comment(line), line=line, shown=shown)
        for line, shown in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _without_comment(line: str) -> str:
    return re.sub(r"(^|\s+)#\s.*", "", line).rstrip()
