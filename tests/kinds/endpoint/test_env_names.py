"""Which names a value may be read from the environment by."""

import pytest

from reconciler.kinds.endpoint.env_names import is_free, prefixed, reference_to, variable_for


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
    assert is_free(name)
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
    assert not is_free(name)
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
def test_a_name_of_its_own_is_free_too(endpoint: str, key: str, name: str) -> None:
    """Whatever the endpoint is called."""
    assert prefixed(endpoint, key) == name
    assert is_free(name)


def test_a_key_that_is_no_name_gets_one() -> None:
    """`env` takes dots and hyphens, a shell does not."""
    assert reference_to(variable_for("chat", "a.b")) == "${env:CHAT_A_B}"
