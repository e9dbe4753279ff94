"""Edits as values, and their effect on data."""

from typing import Any

import pytest

from reconciler.yamlfile.edits import Append, Edit, Remove, Set, apply_edits, edit_rounds, prefix_edits

DATA = {"a": {"b": {"c": 1}}, "list": [{"x": 1}, 2], "none": None}


@pytest.mark.parametrize(
    ("edit", "changed"),
    [
        (Set(path=("a", "b", "c"), value=2), {"a": {"b": {"c": 2}}}),
        (Set(path=("new", "map"), value=2), {"new": {"map": 2}}),
        (Set(path=("none", "map"), value=2), {"none": {"map": 2}}),
        (Set(path=("list", 0, "x"), value=2), {"list": [{"x": 2}, 2]}),
        (Append(path=("list",), value=3), {"list": [{"x": 1}, 2, 3]}),
        (Append(path=("new",), value=3), {"new": [3]}),
        (Append(path=("none",), value=3), {"none": [3]}),
        (Append(path=("list", 0, "y"), value=3), {"list": [{"x": 1, "y": [3]}, 2]}),
        (Append(path=("a", "d", "e"), value=3), {"a": {"b": {"c": 1}, "d": {"e": [3]}}}),
        (Remove(path=("list", 1)), {"list": [{"x": 1}]}),
        (Remove(path=("list", 0, "x")), {"list": [{}, 2]}),
        (Remove(path=("list", 7)), {}),
        (Remove(path=("a", "b", "nothing")), {}),
        (Remove(path=("a", "b", "c", "d")), {}),
    ],
)
def test_the_effect_of_an_edit(edit: Edit, changed: dict[str, Any]) -> None:
    """Missing maps and lists are created, missing values are not removed, and the rest stays."""
    assert apply_edits(DATA, [edit]) == {**DATA, **changed}


def test_emptied_maps_are_removed() -> None:
    """Maps above a removed key are removed if they become empty; a map that was empty stays."""
    assert apply_edits({"a": {"b": {"c": 1}}, "d": {}}, [Remove(path=("a", "b", "c"))]) == {"d": {}}
    assert apply_edits({"a": {"b": {}}}, [Remove(path=("a", "b", "c"))]) == {"a": {"b": {}}}


def test_edits_are_applied_in_order() -> None:
    """A later edit sees the result of an earlier one, and the given data is not changed."""
    before = {"a": [1]}
    assert apply_edits(before, [Append(path=("a",), value=2), Remove(path=("a", 0))]) == {"a": [2]}
    assert before == {"a": [1]}


@pytest.mark.parametrize("path", [("list", 7), ("list", "x"), ("a", 0), ("a", "b", "c", "d")])
def test_a_path_that_does_not_exist_is_an_error(path: tuple[str | int, ...]) -> None:
    """Nothing else is created instead."""
    with pytest.raises(LookupError):
        apply_edits(DATA, [Set(path=path, value=1)])


def test_prefixed_edits() -> None:
    """The paths get the path of the item as a prefix."""
    edits = (Set(path=("image",), value="x"), Remove(path=("env", "A")))
    assert [edit.path for edit in prefix_edits(("endpoints", 3), edits)] == [
        ("endpoints", 3, "image"),
        ("endpoints", 3, "env", "A"),
    ]


def test_independent_edits_share_a_round() -> None:
    """The edits within each item are a group; removed items, except the first; others alone."""

    def inside(item: int, name: str) -> Edit:
        return Set(path=("list", item, name), value=1)

    def gone(item: int) -> Edit:
        return Remove(path=("list", item))

    alone = Append(path=("list",), value=1)
    edits = [inside(5, "a"), inside(5, "b"), inside(3, "c"), alone, gone(4), gone(2), gone(0), inside(1, "d")]
    assert edit_rounds(edits) == [
        [[inside(5, "a"), inside(5, "b")], [inside(3, "c")]],
        [[alone]],
        [[gone(4)], [gone(2)]],
        [[gone(0)]],
        [[inside(1, "d")]],
    ]
