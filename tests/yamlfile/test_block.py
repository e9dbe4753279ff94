"""The fast reader of plain block style: it returns what libyaml returns, or leaves the text to it."""

import random
import time
from typing import Any

import pytest

from reconciler.yamlfile import block
from reconciler.yamlfile.reader import parse

PLAIN = """\
# endpoints of the team
endpoints:
  - endpoint: chat   # the first one
    image: registry.example.com:5000/team/chat:1.2
    command: "serve --model a #1: b"
    minReplicas: 0
    ratio: 0.5
    lifecycle:
      preventDestroy: true

    storage:
      - type: local
        sizeGb: 30
      - type: network
    args:
    - a:b
    - "two words"
    - two words - and a dash
    - {a: 1, b-c.d: "x, y: z",e: two words - and a dash}
    limits: {}   # none
    probe: { path: /health, period: 10 }
  - endpoint: null
defaults:
  env:
    A: 007x
    Z: ""
"""


def values(text: str) -> str | None:
    """Return the data with their types, or None if the text is left to libyaml."""
    data = block.parse(text)
    return None if data is None else repr(data)


def as_libyaml(text: str) -> str | None:
    """Return the same as libyaml reads it, because the comment is not ASCII; None if it has a problem."""
    document = parse(f"# é\n{text}", "endpoints.yaml")
    return None if document.problems or document.ambiguous else repr(document.data)


def test_plain_block_style_is_read() -> None:
    assert values(PLAIN) == as_libyaml(PLAIN) != None  # noqa: E711


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "# only a comment\n",
        "a: 1",
        "a: 1\r\n",
        "a:\t1\n",
        "a: b: c\n",
        "a: 'b'\n",
        'a: "b\\n"\n',
        'a: "b" c\n',
        'a: "b"# c\n',
        "a: é\n",
        "a: [1]\n",
        "a: {b: [1]}\n",
        "a: {b: {c: 1}}\n",
        "a: {b}\n",
        "a: {b: }\n",
        "a: {b: 1,}\n",
        "a: {b: 1, }\n",
        "a: {b:1}\n",
        'a: {"b": 1}\n',
        "a: {b: 1, b: 2}\n",
        "a: {b: 012}\n",
        "a: {yes: 1}\n",
        "a: {b: c:d}\n",
        "a: {b: 'c'}\n",
        "a: {b: 1,\n  c: 2}\n",
        "a: {b: 1} c\n",
        "a: { }\n",
        "a: {b: 1}\n  c: 2\n",
        "{a: 1}\n",
        "{a: 1}: b\n",
        "a: |\n  b\n",
        "a: b\n  c\n",
        "a: b\n  c: d\n",
        "a: b\n - c\n",
        "a:\n",
        "a:\nb: 1\n",
        "a: 1\na: 2\n",
        "a: 1\n- b\n",
        "- a\n",
        "a:\n  - b\n   - c\n",
        "a:\n  - b\n  c: 1\n",
        "a:\n  - - b\n",
        "a:\n  -   b: 1\n      c: 2\n",
        "a:\n  -\n",
        "a:\n    b: 1\n  c: 2\n",
        " a: 1\n",
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 012\n",
        "a: 1:30\n",
        "yes: 1\n",
        "null: 1\n",
        "<<: 1\n",
        "1: a\n",
        '"a": 1\n',
        "? a\n: b\n",
        "---\na: 1\n",
        "a: 1\n...\n",
        "a: 1\n---\nb: 1\n",
        "%YAML 1.1\n---\na: 1\n",
        "a: - b\n",
        "a: @b\n",
        "a: b #c\n d: 1\n",
        "word\n",
        "a: 1\n\x00",
        "a" * 200 + ": 1\n",
    ],
)
def test_everything_else_is_left_to_libyaml(text: str) -> None:
    assert values(text) is None


def test_deep_nesting_is_left_to_libyaml() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(120)) + f"{' ' * 120}a: 1\n"
    assert values(text) is None


KEYS = ["a", "b-1", "c.d", "E_F", "_g"]
WORDS = ["x", '"x y"', '"#: -"', "1", "1_0", "0.5", "a:b", "a - b", ".5", "/p/q", "true", "null", '""', "y"]
ODD = ["1:2", "012", "~x", "on", "0x", "-1", "a: b", "'q'", ""]
"""Words that the reader leaves to libyaml, or that it does not."""


MAPS = ["{}", "{a: 1}", '{a: "x, y",b: z}', "{ b-1: a - b , c.d: .5 }", "{a: b", "{a: 1, a: 2}", "{a: [x]}"]


def random_value(draw: random.Random, depth: int) -> Any:
    if depth and draw.random() < 0.5:
        size = draw.randint(1, 3)
        if draw.random() < 0.4:
            return [random_value(draw, depth - 1) for _ in range(size)]
        return {draw.choice(KEYS): random_value(draw, depth - 1) for _ in range(size)}
    return draw.choice(WORDS if draw.random() < 0.92 else MAPS if draw.random() < 0.7 else ODD)


def lines_of(value: Any, column: int, draw: random.Random) -> list[str]:
    """Return the lines of a value in block style, with indentations that vary."""
    if isinstance(value, list):
        found = []
        for item in value:
            inner = lines_of(item, column + 2, draw)
            found += [f"{' ' * column}- {inner[0].lstrip()}", *inner[1:]]
        return found
    if not isinstance(value, dict):
        return [" " * column + value]
    found = []
    for key, item in value.items():
        if isinstance(item, str):
            found.append(f"{' ' * column}{key}: {item}")
        else:
            deeper = column + (draw.randint(0, 2) if isinstance(item, list) else draw.randint(1, 3))
            found += [f"{' ' * column}{key}:", *lines_of(item, deeper, draw)]
    return found


def spoiled(text: str, draw: random.Random) -> str:
    """Return the text with up to three random edits."""
    for _ in range(draw.randint(0, 3)):
        at = draw.randrange(len(text))
        gap = draw.randint(0, 2)
        text = (
            text[:at]
            + draw.choice([*" -:#\"'\n\t,[{}&*!|>?%@\\", "  ", ": ", "- ", " #", "\n\n", ""])
            + text[at + gap :]
        )
    return text


@pytest.mark.parametrize("seed", range(4))
def test_it_agrees_with_libyaml(seed: int) -> None:
    draw = random.Random(seed)
    read = 0
    for _ in range(1_000):
        tree = {"endpoints": random_value(draw, 3), "defaults": random_value(draw, 2)}
        text = spoiled("\n".join(lines_of(tree, 0, draw)) + "\n", draw)
        if (found := values(text)) is not None:
            read += 1
            assert found == as_libyaml(text), text
    assert read > 150


def test_a_large_file_has_the_same_data_and_positions() -> None:
    text = PLAIN + "".join(f"x-{number}:\n  - a: {number}\n" for number in range(4_000))
    document, tree = parse(text, "endpoints.yaml"), parse(text, "endpoints.yaml", pure=True)
    assert block.parse(text) == document.data == tree.data
    assert document.place(("x-3999", 0, "a")) == tree.place(("x-3999", 0, "a"))


@pytest.mark.parametrize(
    "line", [" " * 400_000 + "!", "a: " + "b " * 200_000 + "!", "a" * 400_000, "#" + " " * 400_000 + "\t"]
)
def test_time_is_linear(line: str) -> None:
    started = time.process_time()
    assert values(f"a: 1\n{line}\n") is None
    assert time.process_time() - started < 1


def test_each_line_that_repeats_has_a_map_of_its_own() -> None:
    data = block.parse("a:\n  x: {b: 1}\n  y: 2\nc:\n  x: {b: 1}\n  y: 2\n")
    assert data == {"a": {"x": {"b": 1}, "y": 2}, "c": {"x": {"b": 1}, "y": 2}}
    assert data["a"]["x"] is not data["c"]["x"]


def test_more_lines_than_are_remembered() -> None:
    keys = [f"key-{number}" for number in range(block.MAX_REMEMBERED + 10)]
    text = "".join(f"{key}:\n  - x: {{a: 1}}\n" for key in keys)
    assert block.parse(text) == {key: [{"x": {"a": 1}}] for key in keys}
