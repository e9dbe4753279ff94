"""Values at paths of nested data."""

from typing import Any

import pytest

from reconciler.model.values import DataPath, has_path, without_paths

DATA = {"a": {"b": [1, {"c": 2}], "d": None}, "e": 3}


@pytest.mark.parametrize(
    ("path", "exists"),
    [((), True), (("a",), True), (("a", "d"), True), (("a", "x"), False), (("e", "f"), False)],
)
def test_a_path_exists_even_if_its_value_is_null(path: DataPath, exists: bool) -> None:
    assert has_path(DATA, path) is exists


@pytest.mark.parametrize(
    ("paths", "rest"),
    [
        ([("e",)], {"a": DATA["a"]}),
        ([("a", "b", 0)], {"a": {"b": [None, {"c": 2}], "d": None}, "e": 3}),
        ([("a", "b", 1, "c"), ("e",)], {"a": {"b": [1, {}], "d": None}}),
        ([("a",), ("a", "b")], {"e": 3}),
        ([("e", "no", "such")], DATA),
        ([("x", "y")], DATA),
    ],
)
def test_data_without_some_paths(paths: list[DataPath], rest: Any) -> None:
    """A list item becomes null; a path that does not exist removes nothing."""
    assert without_paths(DATA, paths) == rest
