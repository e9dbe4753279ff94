"""An edit of a file, as `diff -u` shows it."""

from __future__ import annotations

from reconciler.render.plain import plain
from reconciler.render.style import PLAIN, Style


def diff_text(shown: str, before: str, after: str, style: Style = PLAIN) -> str:
    """The changed lines with one line around them, ending in a newline; what may be a key is not masked."""
    from difflib import unified_diff

    lines = unified_diff(before.splitlines(), after.splitlines(), shown, shown, lineterm="", n=1)
    return "".join(f"{_painted(plain(line), style)}\n" for line in lines)


def _painted(line: str, style: Style) -> str:
    match line[:1]:
        case "+":
            return style.added(line)
        case "-":
            return style.removed(line)
        case _:
            return style.faint(line) if line.startswith("@@") else line
