"""A page is typed from top to bottom, and what it shows is compared with what happens."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from tests.docs.blocks import Block, blocks, commands
from tests.docs.shell import Shell

_VARIES = {
    r"\b[0-9a-f]{16}\b": "ID",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?Z": "TIME",
    r"\b\d+s\b": "SECONDS",
    r"\b\w+@[\w.-]+$": "USER",
    r" +$": "",
    r" {2,}": "  ",
}
"""What differs from one run to the next: IDs, times, seconds, the user, and so the width of columns; and
spaces at the end of a line, which a page has not."""


def walk(page: Path, shell: Shell, *, is_updated: bool = False) -> None:
    """Write each YAML block that names its file in its first line, and run each `console` block.

    A command must succeed unless `echo $?` follows. A line `...` of the page stands for any lines.

    :raises AssertionError: the page shows something else than happens; with `is_updated` it is rewritten
    """
    text = page.read_text(encoding="utf-8")
    wrong: dict[Block, str] = {}
    for block in blocks(text):
        if block.language == "yaml" and (named := re.match(r"# ([\w/]+\.yaml)\n", block.text)):
            Path(named[1]).write_text(block.text, encoding="utf-8")
        elif block.language == "console" and (true := _run(block, shell)):
            wrong[block] = true
    if is_updated:
        lines = text.splitlines(keepends=True)
        for block, true in reversed(wrong.items()):
            lines[block.line : block.line + block.text.count("\n")] = [true]
        page.write_text("".join(lines), encoding="utf-8")
        return
    assert not wrong, "\n".join(f"{page.name}:{block.line} shows:\n{true}" for block, true in wrong.items())


def _run(block: Block, shell: Shell) -> str:
    """Run the commands of a block. Return the block as it would be true, or nothing if it is true."""
    listed = commands(block)
    true, is_true = "", True
    for command, following in pairwise([*listed, None]):
        assert command
        output = shell.run(command.text, re.findall(r"Enter a value: (.+)", command.shown))
        is_explained = following is not None and following.text == "echo $?"
        assert shell.code == 0 or is_explained, f"{command.text} exits with {shell.code}:\n{output}"
        is_same = _is_shown(command.shown, output)
        true += f"$ {command.line}\n{command.shown if is_same else output}"
        is_true &= is_same
    return "" if is_true else true


def masked(text: str) -> str:
    """Return a text without what differs from one run to the next."""
    for pattern, word in _VARIES.items():
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


def _is_shown(shown: str, output: str) -> bool:
    pattern = re.escape(masked(shown)).replace(re.escape("...\n"), r"(?:.*\n)*?")
    return re.fullmatch(pattern, masked(output)) is not None
