"""Strict JSON: the data of json.loads, or an explained error with its place."""

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


def as_integers(value: Any) -> Any:
    """Return 1200 for 1200.0, as the reader does."""
    match value:
        case float() if value.is_integer() and abs(value) < 2**53:
            return int(value)
        case dict():
            return {key: as_integers(item) for key, item in value.items()}
        case list():
            return [as_integers(item) for item in value]
        case _:
            return value


@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 0, 2, "\t"]), st.sampled_from(["\n", "\r\n", "\r"]))
def test_written_json_is_read(value: Any, ascii_only: bool, indent: Any, end: str) -> None:
    """Into data and into a tree, in any layout; each value has its place."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent).replace("\n", end)
    document = parse(text, "a.json")
    assert document.problems == ()
    assert document.data == as_integers(value)
    root = json_parser.parse_tree(text)
    assert json.loads(text[root.start_mark.index : root.end_mark.index]) == value  # type: ignore[attr-defined]
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
def test_invalid_json_is_reported(value: Any, data: st.DataObject) -> None:
    """A changed, missing or added character is refused if json refuses it, with a place."""
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
        assert document.data == as_integers(expected) or document.problems or document.ambiguous


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
def test_common_mistakes_are_explained(text: str, at: str, why: str) -> None:
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
def test_problems_that_json_accepts(text: str, code: str, at: str) -> None:
    (problem,) = parse(text, "a.json").problems
    assert (problem.code, str(problem.place)) == (code, f"a.json:{at}")


@pytest.mark.parametrize("number", ["9" * 400, "9" * 5000, "1e999", "-1e400"])
def test_a_number_too_large_to_keep_is_ambiguous(number: str) -> None:
    document = parse(f'{{"a": [1, {number}]}}', "a.json")
    ((_, problem),) = document.ambiguous
    assert str(problem.place) == "a.json:1:11"


def test_yaml_syntax_has_no_meaning_in_json() -> None:
    """`<<`, a long key, a key on another line than its colon, brackets in a text."""
    value = {"<<": {"a": 1}, "k" * 2000: "[" * 300, "yes": "no", "1": "~"}
    text = json.dumps(value, indent=1).replace('": ', '"\n\t:\n')
    assert parse(text, "A.JSON").data == value
