"""Which endpoints a run is about."""

import pytest

from reconciler.planning.selection import EVERYTHING, Selection


@pytest.mark.parametrize(
    ("targets", "excludes", "expected"),
    [
        ((), (), ["llama-8b", "llama-70b", "sd[1]", "Sd"]),
        (("llama-*",), (), ["llama-8b", "llama-70b"]),
        (("llama-?b",), (), ["llama-8b"]),
        (("novita_endpoint.llama-8b",), (), ["llama-8b"]),
        (("novita_endpoint.*",), ("llama-70b",), ["llama-8b", "sd[1]", "Sd"]),
        (("n*",), (), []),
        (("*endpoint*",), (), []),
        ((), ("*_*",), ["llama-8b", "llama-70b", "sd[1]", "Sd"]),
        (("sd",), (), []),
        (("sd[1]",), (), ["sd[1]"]),
        (("novita_endpoint.sd[1]",), (), ["sd[1]"]),
        (("[sS]d",), (), ["Sd"]),
        (("llama-8b", "Sd"), (), ["llama-8b", "Sd"]),
        ((), ("*",), []),
        (("llama-8b",), ("llama-*",), []),
    ],
)
def test_targets_choose_and_excludes_take_away(
    targets: tuple[str, ...], excludes: tuple[str, ...], expected: list[str]
) -> None:
    """Names, addresses and globs, case and all; a name with brackets in it is also itself."""
    selection = Selection(targets=targets, excludes=excludes)
    assert [name for name in ("llama-8b", "llama-70b", "sd[1]", "Sd") if selection.has(name)] == expected


def test_a_target_that_matches_nothing_is_a_problem() -> None:
    """Mostly it is a slip of the finger; an exclude may rightly match nothing today."""
    selection = Selection(targets=("a*", "b", "c"), excludes=("d",))
    assert [one.summary for one in selection.unmatched(name for name in ("a1", "c"))] == [
        "--target b matches no endpoint"
    ]


@pytest.mark.parametrize("target", ["helo", "novita_endpoint.helo"])
def test_a_mistyped_target_gets_a_suggestion(target: str) -> None:
    """The hint names the closest endpoint."""
    (problem,) = Selection(targets=(target,)).unmatched(["hello", "world"])
    assert problem.hint == "did you mean `hello`?"


def test_everything_is_everything() -> None:
    """Any pattern makes it a selection."""
    assert EVERYTHING.is_everything
    assert not Selection(targets=("*",)).is_everything
    assert not Selection(excludes=("x",)).is_everything


def test_names_are_exact() -> None:
    """A program that means three endpoints means no glob."""
    chosen = Selection(names=frozenset({"a*"}))
    assert [chosen.has(name) for name in ("a*", "ab")] == [True, False]
    assert not chosen.is_everything
