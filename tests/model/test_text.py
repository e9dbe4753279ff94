"""Pattern maps, suggestions, and limits of listed problems."""

import pytest

from reconciler.model.problem import MAX_LISTED as LISTED
from reconciler.model.problem import Problem, Severity, limit_problems
from reconciler.model.text import MAX_CANDIDATES, MAX_WORD_LENGTH, PatternMap, closest_match


@pytest.mark.parametrize(
    ("name", "about"),
    [("a", [1, 3]), ("a*", [0, 1]), ("ab", [1, 2, 4]), ("b", []), ("a[b]", [1, 4])],
)
def test_pattern_map_keeps_the_order(name: str, about: list[int]) -> None:
    patterns = ("a*" if name == "a*" else "x", "a*", "ab", "a", "a[b]")
    assert PatternMap((pattern, at) for at, pattern in enumerate(patterns)).matching(name) == about


def test_the_closest_name_is_suggested() -> None:
    assert closest_match("imgae", ["port", "image"]) == "image"
    assert closest_match("imgae", ["port"]) == ""
    assert closest_match("imgae", ["image"], cutoff=0.9) == ""


def test_long_names_are_not_compared() -> None:
    assert closest_match("a" * MAX_WORD_LENGTH, ["a" * MAX_WORD_LENGTH]) == "a" * MAX_WORD_LENGTH
    assert closest_match("a" * (MAX_WORD_LENGTH + 1), ["a" * MAX_WORD_LENGTH]) == ""
    assert closest_match("a" * MAX_WORD_LENGTH, ["a" * (MAX_WORD_LENGTH + 1)]) == ""
    assert closest_match("image", [*("x" * MAX_CANDIDATES), "image"]) == ""


def test_the_most_severe_problems_are_listed() -> None:
    def problem(number: int, severity: Severity) -> Problem:
        return Problem(code=str(number), summary="", severity=severity)

    few = [problem(number, Severity.NOTE) for number in range(LISTED)]
    assert limit_problems(few) == few
    many = [*few, problem(LISTED, Severity.WARNING), problem(LISTED + 1, Severity.ERROR)]
    limited = limit_problems(many)
    assert len(limited) == LISTED
    assert [entry.code for entry in limited[:3]] == [str(LISTED + 1), str(LISTED), "0"]
    assert limited[-1].code == "more-problems"
    assert limited[-1].summary == "3 more problems are not listed, 0 of them errors"
