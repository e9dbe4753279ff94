"""A reference to something empty leads to nothing, unless `:-` says that it may be empty."""

import pytest

from tests.e2e.sandbox import Sandbox, item

BLANK = ["", " ", "\n", "\t\r\n"]


@pytest.mark.parametrize("value", BLANK, ids=repr)
@pytest.mark.parametrize(
    "field",
    [
        {"env": {"HF_TOKEN": "${env:NAME}"}},
        {"env": {"HF_TOKEN": "Bearer ${env:NAME}"}},
        {"image": "ghcr.io/acme/chat:${env:NAME}"},
        {"command": "serve --token ${env:NAME}"},
        {"healthPath": "/${env:NAME}"},
        {"port": "${env:NAME}"},
    ],
    ids=str,
)
def test_an_empty_variable_counts_as_unset(sandbox: Sandbox, field: dict[str, object], value: str) -> None:
    """Nothing is sent, and the message tells it from one that is not there at all."""
    sandbox.monkeypatch.setenv("NAME", value)
    sandbox.declare(item("chat", **field))
    for command in ("plan", "apply --auto-approve"):
        ran = sandbox.run(*command.split())
        assert ran.code == 1
        assert "the environment variable NAME is set, but empty" in ran.err
        assert "endpoints.yaml:" in ran.err
        assert "${env:NAME:-}" in ran.err
    assert sandbox.sent() == []
    assert sandbox.run("validate").code == 0
    assert "is set, but empty" in sandbox.run("validate").err


@pytest.mark.parametrize("value", [*BLANK, None], ids=repr)
@pytest.mark.parametrize("default", ["", "latest"])
def test_a_default_stands_in_for_it(sandbox: Sandbox, value: str | None, default: str) -> None:
    """As `:-` does in a shell; the empty default is a word that empty is meant."""
    if value is not None:
        sandbox.monkeypatch.setenv("NAME", value)
    sandbox.declare(
        item("chat", image="a/b:x${env:NAME:-" + default + "}", env={"A": "${env:NAME:-" + default + "}"})
    )
    sandbox.apply()
    live = sandbox.live()["chat"]
    assert live["image"]["image"] == f"a/b:x{default}"
    assert live["envs"] == [{"key": "A", "value": default}]
    assert sandbox.plan().code == 0


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"], ids=repr
)
def test_an_empty_file_says_nothing(sandbox: Sandbox, content: bytes) -> None:
    """A secret that was never written would wipe the live one."""
    (sandbox.root / "token").write_bytes(content)
    sandbox.declare(item("chat", env={"A": "${file:token}"}))
    ran = sandbox.run("apply", "--auto-approve")
    assert (ran.code, sandbox.sent()) == (1, [])
    assert "the file token is empty" in ran.err


def test_an_empty_spec_or_setting(sandbox: Sandbox) -> None:
    """Specs and settings are no exception."""
    sandbox.monkeypatch.setenv("NAME", "")
    sandbox.declare(item("chat"))
    specs = (sandbox.root / "specs.yaml").read_text()
    sandbox.write("specs.yaml", specs.replace("us-dallas-nas-2", "${env:NAME}"))
    assert "NAME is set, but empty" in sandbox.run("plan").err
    sandbox.write("specs.yaml", specs)
    sandbox.write("config.yaml", {"novita": {"base_url": "${env:NAME}"}})
    sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
    assert "NAME is set, but empty" in sandbox.run("plan").err


def test_a_secret_that_becomes_empty_is_seen_to(sandbox: Sandbox) -> None:
    """In the text, the Markdown, the page, and as the empty text in JSON; a removed one as well."""
    sandbox.monkeypatch.setenv("NAME", "hf_1")
    fields = {"A": "${env:NAME:-}", "B": "Bearer ${env:NAME:-}", "C": "${env:NAME:-}"}
    sandbox.declare(item("chat", env=fields, command="serve ${env:NAME:-}"))
    sandbox.apply()
    sandbox.monkeypatch.setenv("NAME", "")
    sandbox.declare(item("chat", env={"A": fields["A"], "B": fields["B"]}))
    ran = sandbox.run("plan", "--markdown-into", "p.md", "--html-into", "p.html", "--json-into", "p.json")
    assert "env.A   = (sensitive value) -> (empty)" in ran.out
    assert 'env.B   = (sensitive value) -> "Bearer "' in ran.out
    assert "- env.C   = (sensitive value)" in ran.out
    assert "command = (sensitive value) -> (empty)" in ran.out
    markdown, page = ((sandbox.root / name).read_text() for name in ("p.md", "p.html"))
    assert "- env.A = (sensitive value)\n+ env.A = (empty)" in markdown
    assert "<td>(sensitive value)<td>(empty)" in page
    found = {one["path"][-1]: one for one in sandbox.plan().document["resource_changes"][0]["fields"]}
    assert (found["A"]["before"], found["A"]["after"]) == ("(sensitive value)", "")
    assert found["A"]["sensitive"] is True
    assert "hf_1" not in ran.out + markdown + page
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_drift_needs_no_secret(sandbox: Sandbox) -> None:
    """A drift check whose job has no secrets goes on working: what was applied is known by fingerprint."""
    sandbox.monkeypatch.setenv("NAME", "hf_1")
    sandbox.declare(item("chat", env={"A": "${env:NAME}"}))
    sandbox.apply()
    sandbox.monkeypatch.setenv("NAME", "")
    ran = sandbox.run("drift")
    assert (ran.code, ran.err) == (0, "")
