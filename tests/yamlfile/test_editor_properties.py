"""Properties of edits that hold for every text and every edit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.errors import InvalidConfig
from reconciler.model.values import DataPath
from reconciler.yamlfile.editor import Append, Remove, Set, edit_text
from reconciler.yamlfile.edits import apply_edits
from reconciler.yamlfile.emitter import Indentation, to_block
from reconciler.yamlfile.reader import parse

WORDS = st.text() | st.sampled_from(
    [
        "no",
        "y",
        "1:30",
        "1.10",
        "0123",
        "~",
        "",
        "a: b",
        "a #b",
        "- a",
        "é 😀",
        "a\nb",
        "'",
        '"',
        "\x85",
        "*a",
        "<<",
        "a:",
    ]
)
KEYS = st.from_regex(r"[a-zA-Z_][\w.-]{0,5}", fullmatch=True) | st.sampled_from(["no", "1", "a b", "<<"])
DATA = st.recursive(
    WORDS | st.integers(-5, 10**6) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
MAPS = st.dictionaries(KEYS, DATA, min_size=1, max_size=4)
LAYOUTS = st.builds(Indentation, map=st.integers(1, 4), dash=st.integers(0, 4))


def paths(data: Any, above: DataPath = ()) -> Iterator[DataPath]:
    """Yield every path in the data."""
    below = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in below:
        yield (*above, step)
        yield from paths(value, (*above, step))


def encodable(text: str) -> bool:
    return not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


@given(MAPS, LAYOUTS)
def test_written_data_is_read_back(data: dict[str, Any], layout: Indentation) -> None:
    """Any text, number and boolean is read back unchanged, in any layout."""
    text = to_block(data, layout)
    if encodable(text):
        document = parse(text, "", pure=True)
        assert (document.problems, document.ambiguous, document.data) == ((), (), data)


@given(MAPS, LAYOUTS, DATA, st.data())
def test_an_edit_keeps_comments(
    data: dict[str, Any], layout: Indentation, value: Any, draw: st.DataObject
) -> None:
    """In a file with a comment on every line, setting a scalar removes none."""
    text = "".join(
        f"{line}   # c{number}\n# l{number}\n"
        for number, line in enumerate(to_block(data, layout).split("\n"))
    )
    spots = sorted(paths(data), key=repr)
    spot = draw.draw(st.sampled_from(spots))
    fresh = ("fresh",)
    edits = (
        Set(path=spot, value=value),
        Remove(path=spot),
        Set(path=fresh, value=value),
        Append(path=fresh, value=value),
    )
    edit = draw.draw(st.sampled_from(edits))
    if not encodable(text + repr(value)):
        return
    after = edit_text(text, [edit])
    assert parse(after, "").data == apply_edits(data, [edit])
    kept = [line for line in text.splitlines() if line in after.splitlines()]
    if "fresh" in edit.path and not isinstance(data.get("fresh"), list | dict):
        assert len(kept) >= len(text.splitlines()) - ("fresh" in data)


LISTS = st.lists(st.dictionaries(KEYS, DATA, min_size=1, max_size=3), min_size=1, max_size=4)


@given(st.fixed_dictionaries({"a": LISTS, "b": LISTS}), LAYOUTS, st.booleans(), st.data())
def test_edits_together_equal_edits_one_by_one(
    data: dict[str, Any], layout: Indentation, as_json: bool, draw: st.DataObject
) -> None:
    text = json.dumps(data, indent=layout.map) if as_json else to_block(data, layout) + "\n"
    spots = sorted(paths(data), key=repr)
    edit = st.one_of(
        st.builds(lambda path, value: Set(path=path, value=value), st.sampled_from(spots), DATA),
        st.builds(lambda path: Remove(path=path), st.sampled_from(spots)),
        st.builds(lambda path, value: Set(path=(*path, "new"), value=value), st.sampled_from(spots), DATA),
    )
    edits = draw.draw(st.lists(edit, max_size=8))
    if draw.draw(st.booleans()):
        edits.sort(key=lambda edit: repr(edit.path), reverse=True)
    if not encodable(text + repr(edits)):
        return
    step = text
    try:
        for edit in edits:
            step = edit_text(step, [edit], json=as_json)
    except InvalidConfig:
        return
    assert parse(edit_text(text, edits, json=as_json), "").data == parse(step, "").data
