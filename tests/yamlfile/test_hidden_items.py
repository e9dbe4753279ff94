"""Items that no edit touches are hidden from the parser, and edits are the same as if they were not."""

import random
from typing import Any

import pytest

from reconciler.model.errors import InvalidConfig
from reconciler.yamlfile import block
from reconciler.yamlfile.editor import edit_text
from reconciler.yamlfile.edits import Append, Edit, Remove, Set
from reconciler.yamlfile.hidden_items import without_other_items

TEXT = """\
# the team
endpoints:
# the first one
- endpoint: a
  env:
    A: 1
- endpoint: b
  env:
    A: 2

  # the last line of b
- endpoint: c
- endpoint: d
  env:
    A: 4
- endpoint: e
  env:
    A: 5
defaults:
  env:
    - a
    - b
    - c
removed:

    - name: f
      why: old
    - name: g
      why: older
    - name: h
"""


def test_other_items_are_comments_of_the_same_length() -> None:
    hidden = without_other_items(TEXT, {("endpoints", 3), ("removed", 1)})
    assert len(hidden) == len(TEXT)
    shown = [line for line in hidden.split("\n") if not line.startswith("##")]
    assert "\n".join(shown) == TEXT.replace("  env:\n    A: 2\n\n  # the last line of b\n", "").replace(
        "      why: old\n", ""
    )


def test_the_first_items_are_kept_until_one_shows_the_indentation() -> None:
    text = "a:\n  - x: 1\n    y: 1\n  - x:\n      y: 2\n    z: 1\n  - x: 3\n    y: 3\n  - x: 4\n"
    assert without_other_items(text, ()) == text.replace("    y: 3\n", "########\n")


KEYS = ["a", "b", "c-d", "e"]
WORDS = ["x", '"# y"', "1", "0.5", "a:b", "a - z", "{a: 1, b: x}", "{}"]


def random_item(draw: random.Random, column: int) -> list[str]:
    """Return the lines of a map at a column."""
    lines = []
    for key in draw.sample(KEYS, draw.randint(1, 3)):
        margin = " " * column
        match draw.randint(0, 5):
            case 0:
                lines += [f"{margin}{key}:", *random_item(draw, column + draw.randint(1, 3))]
            case 1:
                dash = margin + " " * draw.randint(0, 2)
                lines += [f"{margin}{key}:", *(f"{dash}- {draw.choice(WORDS[:3])}" for _ in range(2))]
            case 2:
                lines += [f"{margin}{key}: {draw.choice(WORDS)}  # why", "", f"{margin}# - {key}:"]
            case _:
                lines.append(f"{margin}{key}: {draw.choice(WORDS)}")
    return lines


def random_text(draw: random.Random) -> str:
    lines = []
    for key in ("endpoints", "defaults", "removed"):
        lines.append(f"{key}:")
        if draw.random() < 0.2:
            lines += random_item(draw, 2)
            continue
        margin = " " * draw.choice([0, 2, 2, 4])
        for _ in range(draw.randint(1, 5)):
            first, *rest = random_item(draw, len(margin) + 2)
            lines += [f"{margin}- {first.lstrip()}", *rest]
    return "\n".join(lines) + "\n"


def random_edit(draw: random.Random, data: Any) -> Edit:
    key = draw.choice(list(data))
    if isinstance(data[key], dict):
        return Set(path=(key, draw.choice(KEYS)), value=draw.choice([1, "x y", {"n": [1]}]))
    index = draw.randrange(len(data[key]))
    match draw.randint(0, 4):
        case 0:
            return Append(path=(key,), value={"new": {"a": 1}}, comment="new")
        case 1:
            return Remove(path=(key, index))
        case 2 if len(data[key][index]) > 1:
            return Remove(path=(key, index, next(iter(data[key][index]))))
        case 3:
            return Set(path=(key, index, "n", "m"), value=[1, {"x": 2}])
        case _:
            return Set(path=(key, index, draw.choice(KEYS)), value=draw.choice([1, "x y", {"n": [1]}, []]))


def edited(text: str, edits: list[Edit]) -> str:
    """Return the text after the edits, or why there is none."""
    try:
        return edit_text(text, edits)
    except InvalidConfig as error:
        return error.problems[0].code


@pytest.mark.parametrize("seed", range(3))
def test_edits_are_the_same_as_in_a_text_whose_items_are_not_hidden(seed: int) -> None:
    draw = random.Random(seed)
    done = 0
    for _ in range(100):
        text = random_text(draw)
        data = block.parse(text)
        if data is None:
            continue
        edits = [random_edit(draw, data) for _ in range(draw.randint(1, 2))]
        result = edited(text, edits)
        done += result != "cannot-edit"
        other = edited(f"# é\n{text}", edits)  # not ASCII, so not plain
        assert other.removeprefix("# é\n") == result, (text, edits)
    assert done > 50
