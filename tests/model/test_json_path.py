"""Paths into JSON values."""

from typing import Any

import pytest

from reconciler.model.json_path import parse_json_path, value_at

VALUE = {"a": [{"b c": 1, "d-e": None}, 2], "é": {"x": "y"}, "": 0}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", VALUE),
        ("$.a[1]", 2),
        ("$.a[-2].d-e", None),
        ('$.a[0]["b c"]', 1),
        ("$['a'][0]['b c']", 1),
        ("$.é.x", "y"),
        ("$['']", 0),
    ],
)
def test_a_value_is_found(path: str, found: Any) -> None:
    assert value_at(VALUE, parse_json_path(path)) == found


@pytest.mark.parametrize("path", ["$.b", "$.a[2]", "$.a[-3]", "$.a.x", "$[0]", "$.a[1].x", "$.é.x[0]"])
def test_there_is_no_value(path: str) -> None:
    with pytest.raises(LookupError):
        value_at(VALUE, parse_json_path(path))


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("a", "begins with"),
        ("$a", "neither"),
        ("$.", "neither"),
        ("$..a", "neither"),
        ("$[*]", "neither"),
        ("$.1", "neither"),
        ("$[99999999999]", "neither"),
    ],
)
def test_other_paths_are_refused(path: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_json_path(path)
