"""Which names a value may be read from the environment by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.endpoint.fields import COMMAND
from reconciler.kinds.variable_names import (
    SecretValue,
    assign_variables,
    is_unreserved,
    prefixed,
    reference_to,
    variable_for,
)
from reconciler.model.values import Path


@pytest.mark.parametrize(
    "name",
    [
        "HF_TOKEN",
        "MODEL_NAME",
        "CITY",
        "NODE_ENV",
        "LDAP_URL",
        "PIPELINE",
        "model",
        "_X",
        "GITEA_TOKEN",
        "CUDA_HOME",
    ],
)
def test_most_names_are_free(name: str) -> None:
    """What only looks like a name that others set is none."""
    assert is_unreserved(name)
    assert variable_for("chat", name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "USER", "SHELL", "PWD", "LANG", "LC_ALL", "TERM", "TMPDIR", "HOSTNAME", "CI", "_"),
        *("NO_COLOR", "GITHUB_TOKEN", "GITLAB_X", "CI_JOB_ID", "RUNNER_OS", "LD_PRELOAD", "PYTHONPATH"),
        *("NOVITA_API_KEY", "RECONCILER_STATE_KEY", "HTTPS_PROXY", "http_proxy", "path"),
    ],
)  # fmt: skip
def test_what_others_set_is_not(name: str) -> None:
    """A shell, CI or the loader would give the endpoint a value of theirs, so it gets a name of its own."""
    assert not is_unreserved(name)
    assert variable_for("chat", name) == f"CHAT_{name.upper()}"


@pytest.mark.parametrize(
    ("endpoint", "key", "name"),
    [
        ("my chat-é", "a.b", "MY_CHAT___A_B"),
        ("github", "TOKEN", "ENDPOINT_GITHUB_TOKEN"),
        ("5090", "K", "ENDPOINT_5090_K"),
        ("x", "proxy", "ENDPOINT_X_PROXY"),
    ],
)
def test_a_name_of_its_own_is_unreserved_too(endpoint: str, key: str, name: str) -> None:
    """Whatever the endpoint is called."""
    assert prefixed(endpoint, key) == name
    assert is_unreserved(name)


def test_a_key_that_is_no_name_gets_one() -> None:
    """`env` takes dots and hyphens, a shell does not."""
    assert reference_to(variable_for("chat", "a.b")) == "${env:CHAT_A_B}"


def secret(endpoint: str, key: str, value: str) -> SecretValue:
    return SecretValue(endpoint=endpoint, path=("envs", key), value=value)


@pytest.mark.parametrize(
    ("wanted", "in_use", "names"),
    [
        ([secret("a", "K", "1"), secret("b", "K", "1")], {}, ["K", "K"]),
        ([secret("a", "K", "1"), secret("b", "K", "2")], {}, ["A_K", "B_K"]),
        ([secret("a", "PATH", "1"), secret("b", "x.y", "1")], {}, ["A_PATH", "B_X_Y"]),
        ([secret("a-b", "K", "1"), secret("a.b", "K", "2")], {}, ["A_B_K", "A_B_K_2"]),
        (
            [secret("a", "B_K", "1"), secret("a-b", "K", "2"), secret("c", "K", "3")],
            {},
            ["B_K", "A_B_K", "C_K"],
        ),
        (
            [secret("a", "K", "1"), secret("b", "K", "2"), secret("c", "A_K", "3")],
            {},
            ["A_K_2", "B_K", "A_K"],
        ),
        ([secret("a", "K", "1")], {"K": "1"}, ["K"]),
        ([secret("a", "K", "1")], {"K": "2"}, ["A_K"]),
        ([secret("a", "K", "1")], {"K": None, "A_K": None}, ["A_K_2"]),
        ([SecretValue(endpoint="a", path=COMMAND, value="x")], {}, ["A_COMMAND"]),
    ],
)
def test_a_key_names_its_variable_where_it_can(
    wanted: list[SecretValue], in_use: dict[str, str | None], names: list[str]
) -> None:
    """Where all agree on the value, and nobody else means another by that name; else by the endpoint."""
    found, _ = assign_variables(wanted, in_use)
    assert [found[one.endpoint, one.path] for one in wanted] == names


def test_variables_tell_who_reads_them() -> None:
    """In the order of their names, each with its endpoints."""
    _, variables = assign_variables([secret("b", "K", "1"), secret("a", "K", "1"), secret("a", "J", "2")], {})
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
    names, variables = assign_variables(
        [
            SecretValue(endpoint=endpoint, path=path, value=value)
            for (endpoint, path), value in wanted.items()
        ],
        in_use,
    )
    holds = {one.name: one.value for one in variables}
    assert all(map(is_unreserved, holds))
    assert {spot: holds[name] for spot, name in names.items()} == wanted
    assert all(in_use.get(name, value) == value for name, value in holds.items())
