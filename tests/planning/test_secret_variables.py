"""The environment variables that values are read from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.endpoint.env_names import is_free
from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.model.values import Path
from reconciler.planning.secret_variables import Wanted, named


def want(endpoint: str, key: str, value: str) -> Wanted:
    return Wanted(endpoint=endpoint, path=("envs", key), value=value)


@pytest.mark.parametrize(
    ("wanted", "in_use", "names"),
    [
        ([want("a", "K", "1"), want("b", "K", "1")], {}, ["K", "K"]),
        ([want("a", "K", "1"), want("b", "K", "2")], {}, ["A_K", "B_K"]),
        ([want("a", "PATH", "1"), want("b", "x.y", "1")], {}, ["A_PATH", "B_X_Y"]),
        ([want("a-b", "K", "1"), want("a.b", "K", "2")], {}, ["A_B_K", "A_B_K_2"]),
        ([want("a", "B_K", "1"), want("a-b", "K", "2"), want("c", "K", "3")], {}, ["B_K", "A_B_K", "C_K"]),
        ([want("a", "K", "1"), want("b", "K", "2"), want("c", "A_K", "3")], {}, ["A_K_2", "B_K", "A_K"]),
        ([want("a", "K", "1")], {"K": "1"}, ["K"]),
        ([want("a", "K", "1")], {"K": "2"}, ["A_K"]),
        ([want("a", "K", "1")], {"K": None, "A_K": None}, ["A_K_2"]),
        ([Wanted(endpoint="a", path=COMMAND, value="x")], {}, ["A_COMMAND"]),
    ],
)
def test_a_key_names_its_variable_where_it_can(
    wanted: list[Wanted], in_use: dict[str, str | None], names: list[str]
) -> None:
    """Where all agree on the value, and nobody else means another by that name; else by the endpoint."""
    found, _ = named(wanted, in_use)
    assert [found[one.endpoint, one.path] for one in wanted] == names


def test_variables_tell_who_reads_them() -> None:
    """In the order of their names, each with its endpoints."""
    _, variables = named([want("b", "K", "1"), want("a", "K", "1"), want("a", "J", "2")], {})
    assert [(one.name, one.value, one.endpoints) for one in variables] == [
        ("J", "2", ("a",)),
        ("K", "1", ("b", "a")),
    ]


paths: st.SearchStrategy[Path] = st.sampled_from(["K", "x.y", "PATH", "A_K", "command"]).map(
    lambda key: ("envs", key)
) | st.just(COMMAND)
wishes = st.dictionaries(
    st.tuples(st.sampled_from(["a", "a-b", "a.b", "github"]), paths), st.sampled_from("12"), max_size=12
)


@given(wishes, st.dictionaries(st.sampled_from(["K", "A_K", "A_B_K"]), st.none() | st.sampled_from("12")))
def test_one_name_holds_one_value(wanted: dict[tuple[str, Path], str], in_use: dict[str, str | None]) -> None:
    """Whatever the keys and values: each name is free, and nobody reads another's value by it."""
    names, variables = named(
        [Wanted(endpoint=endpoint, path=path, value=value) for (endpoint, path), value in wanted.items()],
        in_use,
    )
    holds = {one.name: one.value for one in variables}
    assert all(map(is_free, holds))
    assert {spot: holds[name] for spot, name in names.items()} == wanted
    assert all(in_use.get(name, value) == value for name, value in holds.items())
