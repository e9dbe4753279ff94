"""Edits as values, and what data is after them."""

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
def test_an_edit_changes_what_it_names(edit: Edit, changed: dict[str, Any]) -> None:
    """Missing maps and lists are made; what is not there is not removed; the rest stays."""
    assert apply_edits(DATA, [edit]) == {**DATA, **changed}


def test_what_an_edit_empties_goes() -> None:
    """The maps above a removed key, as far as nothing else is in them; a map that was empty stays."""
    assert apply_edits({"a": {"b": {"c": 1}}, "d": {}}, [Remove(path=("a", "b", "c"))]) == {"d": {}}
    assert apply_edits({"a": {"b": {}}}, [Remove(path=("a", "b", "c"))]) == {"a": {"b": {}}}


def test_edits_come_one_after_the_other() -> None:
    """A later one sees what an earlier one did, and the data that was given stays as it was."""
    before = {"a": [1]}
    assert apply_edits(before, [Append(path=("a",), value=2), Remove(path=("a", 0))]) == {"a": [2]}
    assert before == {"a": [1]}


@pytest.mark.parametrize("path", [("list", 7), ("list", "x"), ("a", 0), ("a", "b", "c", "d")])
def test_a_path_that_leads_nowhere_is_an_error(path: tuple[str | int, ...]) -> None:
    """Nothing is made in the place of something else."""
    with pytest.raises(LookupError):
        apply_edits(DATA, [Set(path=path, value=1)])


def test_edits_of_an_item_are_edits_of_its_file() -> None:
    """They move below the path of the item."""
    edits = (Set(path=("image",), value="x"), Remove(path=("env", "A")))
    assert [one.path for one in prefix_edits(("endpoints", 3), edits)] == [
        ("endpoints", 3, "image"),
        ("endpoints", 3, "env", "A"),
    ]


def test_edits_that_are_nothing_to_each_other_share_a_round() -> None:
    """The first inside of each item, then the second; items that leave, but for the first; the rest alone."""

    def inside(item: int, name: str) -> Edit:
        return Set(path=("list", item, name), value=1)

    def gone(item: int) -> Edit:
        return Remove(path=("list", item))

    alone = Append(path=("list",), value=1)
    edits = [inside(5, "a"), inside(5, "b"), inside(3, "c"), alone, gone(4), gone(2), gone(0), inside(1, "d")]
    assert edit_rounds(edits) == [
        [inside(5, "a"), inside(3, "c")],
        [inside(5, "b")],
        [alone],
        [gone(4), gone(2)],
        [gone(0)],
        [inside(1, "d")],
    ]
