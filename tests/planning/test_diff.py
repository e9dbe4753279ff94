"""Two trees in, the paths that differ out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.values import ABSENT, Absent, Path, leaves, value_at
from reconciler.planning.diff import differences, drop_equal, equal, scalar_differences, tree_differences
from tests.builders import KEYRING, secret

texts = st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from(
    ["__T", "a['b']", "x.y", "0", "12", "root", "", "ü", "it's", 'a"b', "\n"]
)
scalars = texts | st.integers() | st.lists(st.fixed_dictionaries({"id": texts}), max_size=2)
values = scalars | texts.map(secret) | texts.map(KEYRING.seal)
trees = st.recursive(
    st.dictionaries(texts, values, max_size=3),
    lambda inner: st.dictionaries(texts, values | inner, max_size=3),
    max_leaves=8,
)


def by_hand(have: Any, want: Any, above: Path = ()) -> list[tuple[Path, Any, Any]]:
    """The differences of two trees, the slow and obvious way."""
    found = []
    for key in {**have, **want}:
        before, after = have.get(key, ABSENT), want.get(key, ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            found += by_hand(before, after, (*above, key))
        elif getattr(before, "value", before) != getattr(after, "value", after):
            found.append(((*above, key), before, after))
    return found


words = texts | st.integers() | st.none()
plain_trees = st.recursive(
    st.dictionaries(texts, words, max_size=3),
    lambda inner: st.dictionaries(texts, words | inner, max_size=3),
    max_leaves=8,
)


@given(plain_trees, plain_trees)
def test_where_words_differ_deepdiff_would_say_the_same(have: dict[str, Any], want: dict[str, Any]) -> None:
    left, right = drop_equal(have, want)
    found = scalar_differences(left, right)
    assert found in (None, tree_differences(left, right))


def test_differing_words_are_found_at_every_depth() -> None:
    have = {"a": {"b": {"c": 1}, "d": "x"}, "e": None}
    want = {"a": {"b": {"c": 2}, "f": "x"}, "e": "y"}
    assert scalar_differences(have, want) == {("a", "b", "c"), ("a", "d"), ("a", "f"), ("e",)}


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ({"a": [1]}, {"a": [2]}),
        ({}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": "x"}),
        ({"a": "x"}, {"a": secret("x")}),
        ({"a": {"b": KEYRING.seal("x")}}, {"a": {"b": "x"}}),
    ],
)
def test_what_is_more_than_a_word_is_left_to_deepdiff(have: dict[str, Any], want: dict[str, Any]) -> None:
    assert scalar_differences(have, want) is None


@given(trees, trees)
def test_the_differences_are_those_that_anyone_can_see(have: dict[str, Any], want: dict[str, Any]) -> None:
    """Whatever the keys are called: quoted, dotted, empty, digits, or private to Python."""
    found = list(differences(have, want))
    assert sorted(found, key=lambda one: one[0]) == sorted(by_hand(have, want), key=lambda one: one[0])


@given(trees, trees)
def test_there_is_no_difference_exactly_between_equals(have: dict[str, Any], want: dict[str, Any]) -> None:
    """The cheap question and the full answer agree."""
    assert equal(have, want) is (not list(differences(have, want)))
    assert equal(have, {**have})


def test_an_env_key_that_python_would_call_private_counts() -> None:
    """`__TOKEN` is an env key like any other."""
    assert list(differences({"envs": {"__TOKEN": "1"}}, {"envs": {}})) == [(("envs", "__TOKEN"), "1", ABSENT)]


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        ({"p": [{"x": 1}]}, {"p": [{"x": 2}]}, [(("p",), [{"x": 1}], [{"x": 2}])]),
        ({"p": []}, {"p": [{"x": 2}, {"x": 3}]}, [(("p",), [], [{"x": 2}, {"x": 3}])]),
        ({"m": {}}, {"m": {"/w": {"a": 1}}}, [(("m", "/w"), ABSENT, {"a": 1})]),
        ({"m": {"a": 1}}, {}, [(("m",), {"a": 1}, ABSENT)]),
        ({"n": "1"}, {"n": 1}, [(("n",), "1", 1)]),
        ({"n": None}, {}, [(("n",), None, ABSENT)]),
        ({"t": secret("a")}, {"t": "a"}, []),
        ({"t": secret("a")}, {"t": secret("b")}, [(("t",), secret("a"), secret("b"))]),
        ({"t": KEYRING.seal("a")}, {"t": KEYRING.seal("a")}, []),
        ({"t": KEYRING.seal("a")}, {"t": "a"}, [(("t",), KEYRING.seal("a"), "a")]),
    ],
)
def test_lists_are_compared_whole_and_secrets_by_value(have: Any, want: Any, expected: Any) -> None:
    """The values that come out are those that went in, still wrapped."""
    assert list(differences(have, want)) == expected


def test_differences_are_in_the_order_of_the_wire() -> None:
    """As the create request has them, then by key; what the wire does not know comes last."""
    want = {
        "envs": {"z": "1", "a": "1"},
        "image": {"image": "i:1"},
        "workerConfig": {"maxNum": 1, "minNum": 1},
    }
    have = {"other": 1, "envs": {}, "image": {"image": "j:1"}, "workerConfig": {"maxNum": 2, "minNum": 2}}
    assert [path for path, _, _ in differences(have, want)] == [
        ("workerConfig", "minNum"),
        ("workerConfig", "maxNum"),
        ("image", "image"),
        ("envs", "a"),
        ("envs", "z"),
        ("other",),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [((), {"a": {"b": 1}}), (("a", "b"), 1), (("a", "c"), ABSENT), (("a", "b", "c"), ABSENT)],
)
def test_the_value_at_a_path(path: Path, expected: Absent | Any) -> None:
    """A path that leads nowhere has no value, which is not a null."""
    assert value_at({"a": {"b": 1}}, path) == expected


def test_leaves_are_what_is_no_map() -> None:
    """An empty map has none."""
    assert list(leaves({"a": {"b": 1, "c": {}}, "d": [2]})) == [(("a", "b"), 1), (("d",), [2])]
