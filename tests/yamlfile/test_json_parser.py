"""JSON is read as JSON: what json.loads says, or what is wrong with it in plain words, and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.yamlfile import json_parser
from reconciler.yamlfile.reader import parse

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def whole(value: Any) -> Any:
    """1200.0 is 1200, as everywhere in the files."""
    match value:
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case dict():
            return {key: whole(item) for key, item in value.items()}
        case list():
            return [whole(item) for item in value]
        case _:
            return value


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 0, 2, "\t"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_json_writes_is_read(value: Any, ascii_only: bool, indent: Any, end: str) -> None:
    """By the quick way and by the tree, whatever the layout; and each value is found where it stands."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).replace("\n", end)
    document = parse(text, "a.json")
    assert document.problems == ()
    assert document.data == whole(value)
    found = json_parser.parse_tree(text)
    assert json.loads(text[found.start_mark.index : found.end_mark.index]) == value  # type: ignore[attr-defined]
    for key, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        node = document.node((key,))
        assert node is not None
        start, stop = node.start_mark, node.end_mark
        assert json.loads(text[start.index : stop.index]) == inner
        assert (start.line, start.column) == (
            len(text[: start.index].split(end)) - 1,
            start.index - (text.rfind(end[-1], 0, start.index) + 1),
        )


@given(DOCUMENTS, st.data())
def test_whatever_json_refuses_is_told(value: Any, data: st.DataObject) -> None:
    """One character more, less or other: the same is refused that json refuses, and there is a place."""
    text = json.dumps(value)
    at = data.draw(st.integers(0, len(text)))
    put = data.draw(
        st.sampled_from(["", ",", '"', "'", "#", "}", "[", "\\", "x", "0", "\t", "\u2028", ":", "-"])
    )
    text = text[:at] + put + text[at + data.draw(st.integers(0, 1)) :]
    document = parse(text, "a.json")
    try:
        expected = json.loads(text)
    except ValueError:
        if text.strip(" \t\r\n"):
            (problem,) = document.problems
            assert problem.code == "invalid-json"
            assert problem.place is not None
    else:
        assert document.data == whole(expected) or document.problems or document.ambiguous


WRONG = [
    ("{'a': 1}", "1:2", "double quotes"),
    ("{a: 1}", "1:2", "`a` is not a JSON value"),
    ('{"a": 1,}', "1:8", "nothing follows this comma"),
    ("[1,\n2,\n]", "2:2", "nothing follows this comma"),
    ('{"a": 1} {', "1:10", "there is text after the end"),
    ('{"a": 1', "1:1", "never closed"),
    ('{"a"', "1:4", "a `:` is missing"),
    ('{"a": }', "1:7", "a value is missing"),
    ('{"a": "x', "1:7", "never closed"),
    ('{"a": "x\ty"}', "1:9", "U+0009"),
    ('{"a": "x\ny"}', "1:7", "not closed in its line"),
    ('{"a": "\\x41"}', "1:8", "does not have this escape"),
    ('{"a": 01}', "1:7", "`01` is not a JSON value"),
    ('{"a": NaN}', "1:7", "`NaN` is not a JSON value"),
    ('{"a": True}', "1:7", "`True` is not a JSON value"),
    ('{"a": 0xff}', "1:7", "`0xff` is not a JSON value"),
    ('{"a": 1} # b', "1:10", "no comments"),
    ('// b\n{"a": 1}', "1:1", "no comments"),
    ('{"a" 1}', "1:6", "a `:` is missing"),
    ("[1 2]", "1:4", "a comma or a closing bracket"),
    ("[" * 200, "1:101", "nested more than 100"),
]


@pytest.mark.parametrize(("text", "at", "why"), WRONG, ids=[text[:16] for text, _, _ in WRONG])
def test_a_usual_mistake_has_its_words(text: str, at: str, why: str) -> None:
    (problem,) = parse(text, "a.json").problems
    assert str(problem.place) == f"a.json:{at}"
    assert why in problem.summary
    assert problem.hint


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ('{"a": 1,\n "a": 2}', "duplicate-key", "2:2"),
        ('{"a": {"\\u0062": 1, "b": 2}}', "duplicate-key", "1:21"),
        ('{"a": "\\ud83d"}', "not-text", "1:7"),
        ('{"a": "\\ud83d x \\ude00"}', "not-text", "1:7"),
    ],
)
def test_what_json_lets_pass_is_told(text: str, code: str, at: str) -> None:
    (problem,) = parse(text, "a.json").problems
    assert (problem.code, str(problem.place)) == (code, f"a.json:{at}")


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "1e999", "-1e400"])
def test_a_number_that_nobody_keeps_is_ambiguous(number: str) -> None:
    document = parse(f'{{"a": [1, {number}]}}', "a.json")
    ((_, problem),) = document.ambiguous
    assert str(problem.place) == "a.json:1:11"


def test_names_that_mean_something_to_yaml_mean_nothing_here() -> None:
    """`<<`, a long key, a key on another line than its colon, brackets in a text."""
    value = {"<<": {"a": 1}, "k" * 2000: "[" * 300, "yes": "no", "1": "~"}
    text = json.dumps(value, indent=1).replace('": ', '"\n\t:\n')
    assert parse(text, "A.JSON").data == value
