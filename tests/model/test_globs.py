"""Globs in paths: `*` stands for any characters, in linear time."""

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.values import is_below, matches_glob, paths_of_glob

words = st.text(st.sampled_from("ab*"), max_size=8)


@given(st.text(st.sampled_from("ab"), max_size=8), words)
def test_a_glob_is_that_of_fnmatch(text: str, glob: str) -> None:
    assert matches_glob(text, glob) == fnmatchcase(text, glob)


def test_the_time_is_linear() -> None:
    begin = time.process_time()
    assert not matches_glob("a" * 100_000, "*a" * 1_000 + "*b")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("path", "prefix", "is_inside"),
    [
        (("envs", "W_A"), ("envs", "W_*"), True),
        (("envs", "W_A"), ("envs",), True),
        (("envs",), ("envs", "W_*"), False),
        (("envs", "X"), ("envs", "W_*"), False),
        (("envs", "X"), ("envs", "X"), True),
    ],
)
def test_paths_below_a_glob(path: tuple[str, ...], prefix: tuple[str, ...], is_inside: bool) -> None:
    assert is_below(path, prefix) is is_inside


def test_the_paths_of_a_glob_are_those_of_all_trees() -> None:
    trees = ({"envs": {"W_A": "1", "X": "2"}}, {"envs": {"W_B": "1"}}, {"other": 1})
    assert paths_of_glob(("envs", "W_*"), *trees) == (("envs", "W_A"), ("envs", "W_B"))
    assert paths_of_glob(("envs", "X"), *trees) == (("envs", "X"),)
