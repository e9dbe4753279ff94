"""Start commands that are not to be written down."""

import pytest

from reconciler.kinds.secret_text import holds_credential


@pytest.mark.parametrize(
    "command",
    [
        "serve --token abc",
        "serve --hf-token=abc",
        "HF_TOKEN='abc' serve",
        "serve --api-key abc",
        "serve --password: abc",
        "curl -H 'Authorization: Bearer abc'",
        "serve --db postgres://me:pass@host/db",
        "serve --name hf_a_long_one",
    ],
)
def test_a_credential_is_seen(command: str) -> None:
    """By its option, its header, its place in an URL, or because `env` has it too."""
    assert holds_credential(command, ["hf_a_long_one", "short"])


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve --max-tokens 4096 --tokenizer auto",
        "serve --token $HF_TOKEN",
        'serve --token "${HF_TOKEN}"',
        "serve --url https://host:8080/x",
        "serve --name short",
        "python -m secretary",
    ],
)
def test_most_commands_hold_none(command: str) -> None:
    """A variable of the shell is none, and neither is a short env value that stands there by chance."""
    assert not holds_credential(command, ["hf_a_long_one", "short"])
