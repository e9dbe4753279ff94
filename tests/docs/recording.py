"""What a terminal shows while commands are typed into it, as rows of colored text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pyte

from tests.terminal import on_terminal

COLUMNS, LINES = 70, 26
_ID = "6b0335f4a6fd7897"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A text of one color on a row. color: a name of pyte."""

    column: int
    text: str
    color: str
    is_bold: bool


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What is typed, on which row and column, and the rows that appear up to the next thing to type."""

    typed: str
    row: int
    column: int
    rows: Sequence[Sequence[Run]]


def record(commands: Mapping[str, str], environ: Mapping[str, str], folder: Path) -> list[Scene]:
    """Run commands, each with the answer to its prompt or "", and return what is seen.

    The first scene types nothing: it is the prompt of the shell. IDs and seconds are the same each time.
    """
    size = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(LINES)}
    typed: list[str] = []
    parts = ["$ "]
    for command, answer in commands.items():
        code, output = on_terminal(["bash", "-c", command], {**environ, **size}, cwd=folder, answer=answer)
        assert code == 0, output
        output = re.sub(r"\b[0-9a-f]{16}\b", _ID, re.sub(r"\bafter \d+s\b", "after 0s", output))
        before, _, after = output.rpartition(f" {answer}\n") if answer else (output, "", "")
        typed += [command, answer] if answer else [command]
        parts += [f"\n{before} ", f"\n{after}$ "] if answer else [f"\n{before}$ "]
    return _scenes(parts, ["", *typed])


def _scenes(parts: Sequence[str], typed: Sequence[str]) -> list[Scene]:
    screen = pyte.Screen(COLUMNS, 300)
    stream = pyte.Stream(screen)
    scenes: list[Scene] = []
    shown = 0
    for keys, part in zip(typed, parts, strict=True):
        row, column = screen.cursor.y, screen.cursor.x
        # pyte knows no dim text, which is gray here
        stream.feed((keys + part).replace("\x1b[2m", "\x1b[90m").replace("\n", "\r\n"))
        ends = screen.cursor.y + 1
        # The last row is a prompt. What is typed there is drawn by the next scene.
        scenes.append(
            Scene(typed=keys, row=row, column=column, rows=[_runs(screen, at) for at in range(shown, ends)])
        )
        shown = ends
    return scenes


def _runs(screen: pyte.Screen, row: int) -> list[Run]:
    line = [(column, screen.buffer[row][column]) for column in range(COLUMNS)]
    found = []
    for (color, is_bold), cells in groupby(line, key=lambda cell: (cell[1].fg, cell[1].bold)):
        part = list(cells)
        text = "".join(char.data for _, char in part)
        if text.strip():
            start = part[0][0] + len(text) - len(text.lstrip())
            found.append(Run(column=start, text=text.strip(), color=color, is_bold=is_bold))
    return found
