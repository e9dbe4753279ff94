"""A recording as an SVG that plays by CSS alone, in light and dark, and stands still on request."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tests.docs.recording import COLUMNS, LINES, Run, Scene

_CELL, _ROW, _SIZE, _EDGE = 8.4, 19, 14, 14
"""Pixels: width of a character, height of a row, size of the font, space around the text."""

_KEY, _PAUSE = 0.06, 0.5
"""Seconds: to type a character, and before the first one and after the last one."""

_READ = 0.3
"""Seconds to read a new row; at least two for all of them."""

LIGHT = {
    "page": "#ffffff", "edge": "#d1d9e0", "default": "#1f2328", "brightblack": "#59636e",
    "red": "#a40e26", "green": "#116329", "brown": "#7d4e00", "cyan": "#0a5c66",
}  # fmt: skip
DARK = {
    "page": "#0d1117", "edge": "#3d444d", "default": "#e6edf3", "brightblack": "#9198a1",
    "red": "#ff938a", "green": "#56d364", "brown": "#e3b341", "cyan": "#76e3ea",
}  # fmt: skip
"""Colors by pyte's names."""


def animation(scenes: Sequence[Scene], title: str) -> str:
    """Return the SVG. It begins again at its end; without motion it shows the scene with the most rows."""
    width, height = COLUMNS * _CELL + 2 * _EDGE, LINES * _ROW + 2 * _EDGE
    total = sum(map(_seconds, scenes))
    longest = max(len(scene.rows) for scene in scenes)
    rules: list[str] = []
    drawn: list[str] = []
    scrolls: list[str] = []
    now, rows, still = 0.0, 0, 0
    for number, scene in enumerate(scenes):
        if scene.typed:
            start, now = now + _PAUSE, now + _PAUSE + len(scene.typed) * _KEY
            rules += _typing(number, scene, start / total, now / total)
            drawn += _typed(number, scene)
            now += _PAUSE
        rules.append(f"@keyframes s{number}{{0%{{opacity:0}}{now / total:.2%}{{opacity:1}}}}")
        drawn.append(f'<g class="s" style="animation-name:s{number}">')
        drawn += [_row(rows + at, runs) for at, runs in enumerate(scene.rows) if runs]
        drawn.append("</g>")
        rows += len(scene.rows)
        above = max(0, rows - LINES) * _ROW
        if len(scene.rows) == longest:
            still = above
        scrolls.append(f"{now / total:.2%}{{transform:translateY(-{above}px)}}")
        now += _reading(scene)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img"'
            ' aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>',
            f"<style>{_colors(LIGHT)}@media(prefers-color-scheme:dark){{{_colors(DARK)}}}",
            f"text{{font:{_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
            "white-space:pre;fill:var(--default)}.bold{font-weight:bold}.page{fill:var(--page)}",
            *(f".{name}{{fill:var(--{name})}}" for name in LIGHT if name not in ("page", "edge")),
            f".cover{{opacity:0}}.scroll{{transform:translateY(-{still}px)}}",
            "@media(prefers-reduced-motion:no-preference){",
            f".s,.cover,.scroll{{animation:{total:.2f}s step-end infinite}}.scroll{{animation-name:scroll}}",
            f"@keyframes scroll{{{''.join(scrolls)}}}",
            *rules,
            "}</style>",
            f'<clipPath id="screen"><rect y="{_EDGE}" width="{width:g}" height="{LINES * _ROW}"/></clipPath>',
            f'<rect class="page" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="8"'
            ' stroke="var(--edge)"/>',
            '<g clip-path="url(#screen)"><g class="scroll" xml:space="preserve">',
            *drawn,
            "</g></g></svg>\n",
        ]
    )


def _seconds(scene: Scene) -> float:
    return (len(scene.typed) * _KEY + 2 * _PAUSE if scene.typed else 0) + _reading(scene)


def _reading(scene: Scene) -> float:
    return max(2, len(scene.rows) * _READ) if scene.typed else 0


def _typing(number: int, scene: Scene, start: float, end: float) -> list[str]:
    """Return the rules by which a typed text appears, and by which its cover moves off it, key by key."""
    keys = len(scene.typed)
    moved = f"transform:translateX({_px(keys * _CELL)}px)"
    return [
        f"@keyframes t{number}{{0%{{opacity:0}}{start:.2%}{{opacity:1}}}}",
        f"@keyframes c{number}{{0%{{opacity:0}}"
        f"{start:.2%}{{opacity:1;transform:none;animation-timing-function:steps({keys})}}"
        f"{end:.2%}{{opacity:1;{moved}}}{end + 0.0001:.2%}{{opacity:0;{moved}}}}}",
    ]


def _typed(number: int, scene: Scene) -> list[str]:
    left, top = _EDGE + scene.column * _CELL, _EDGE + scene.row * _ROW
    run = Run(column=scene.column, text=scene.typed, color="default", is_bold=False)
    box = f'x="{_px(left)}" y="{top}" height="{_ROW}"'
    return [
        f'<g class="s" style="animation-name:t{number}">{_row(scene.row, [run])}</g>',
        f'<g class="cover" style="animation-name:c{number}">'
        f'<rect class="page" {box} width="{_px(len(scene.typed) * _CELL)}"/>'
        f'<rect class="brightblack" {box} width="{_px(_CELL)}"/></g>',
    ]


def _px(length: float) -> str:
    return f"{round(length, 1):g}"


def _colors(values: dict[str, str]) -> str:
    return ":root{" + "".join(f"--{name}:{value};" for name, value in values.items()) + "}"


def _row(row: int, runs: Sequence[Run]) -> str:
    return f'<text y="{_EDGE + row * _ROW + _SIZE}">{"".join(map(_span, runs))}</text>'


def _span(run: Run) -> str:
    names = [name for name, is_so in ((run.color, run.color != "default"), ("bold", run.is_bold)) if is_so]
    style = f' class="{" ".join(names)}"' if names else ""
    left, width = _px(_EDGE + run.column * _CELL), _px(len(run.text) * _CELL)
    return f'<tspan x="{left}" textLength="{width}"{style}>{escape(run.text)}</tspan>'
