"""A reference to something empty leads to nothing, unless `:-` says that it may be empty."""

import pytest

from tests.e2e.desk import Sandbox, item

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
def test_an_empty_variable_counts_as_unset(desk: Sandbox, field: dict[str, object], value: str) -> None:
    """Nothing is sent, and the message tells it from one that is not there at all."""
    desk.monkeypatch.setenv("NAME", value)
    desk.declare(item("chat", **field))
    for command in ("plan", "apply --auto-approve"):
        ran = desk.run(*command.split())
        assert ran.code == 1
        assert "the environment variable NAME is set, but empty" in ran.err
        assert "endpoints.yaml:" in ran.err
        assert "${env:NAME:-}" in ran.err
    assert desk.sent() == []
    assert desk.run("validate").code == 0
    assert "is set, but empty" in desk.run("validate").err


@pytest.mark.parametrize("value", [*BLANK, None], ids=repr)
@pytest.mark.parametrize("default", ["", "latest"])
def test_a_default_stands_in_for_it(desk: Sandbox, value: str | None, default: str) -> None:
    """As `:-` does in a shell; the empty default is a word that empty is meant."""
    if value is not None:
        desk.monkeypatch.setenv("NAME", value)
    desk.declare(
        item("chat", image="a/b:x${env:NAME:-" + default + "}", env={"A": "${env:NAME:-" + default + "}"})
    )
    desk.apply()
    live = desk.live()["chat"]
    assert live["image"]["image"] == f"a/b:x{default}"
    assert live["envs"] == [{"key": "A", "value": default}]
    assert desk.plan().code == 0


@pytest.mark.parametrize(
    "content", [b"", b"\n", b" \n", b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"], ids=repr
)
def test_an_empty_file_says_nothing(desk: Sandbox, content: bytes) -> None:
    """A secret that was never written would wipe the live one."""
    (desk.root / "token").write_bytes(content)
    desk.declare(item("chat", env={"A": "${file:token}"}))
    ran = desk.run("apply", "--auto-approve")
    assert (ran.code, desk.sent()) == (1, [])
    assert "the file token is empty" in ran.err


def test_an_empty_spec_or_setting(desk: Sandbox) -> None:
    """Specs and settings are no exception."""
    desk.monkeypatch.setenv("NAME", "")
    desk.declare(item("chat"))
    specs = (desk.root / "specs.yaml").read_text()
    desk.write("specs.yaml", specs.replace("us-dallas-nas-2", "${env:NAME}"))
    assert "NAME is set, but empty" in desk.run("plan").err
    desk.write("specs.yaml", specs)
    desk.write("config.yaml", {"novita": {"base_url": "${env:NAME}"}})
    desk.monkeypatch.delenv("NOVITA_BASE_URL")
    assert "NAME is set, but empty" in desk.run("plan").err


def test_a_secret_that_becomes_empty_is_seen_to(desk: Sandbox) -> None:
    """In the text, the Markdown, the page, and as the empty text in JSON; a removed one as well."""
    desk.monkeypatch.setenv("NAME", "hf_1")
    fields = {"A": "${env:NAME:-}", "B": "Bearer ${env:NAME:-}", "C": "${env:NAME:-}"}
    desk.declare(item("chat", env=fields, command="serve ${env:NAME:-}"))
    desk.apply()
    desk.monkeypatch.setenv("NAME", "")
    desk.declare(item("chat", env={"A": fields["A"], "B": fields["B"]}))
    ran = desk.run("plan", "--markdown-into", "p.md", "--html-into", "p.html", "--json-into", "p.json")
    assert "envs.A        = (sensitive value) -> (empty)" in ran.out
    assert 'envs.B        = (sensitive value) -> "Bearer "' in ran.out
    assert "- envs.C        = (sensitive value)" in ran.out
    assert "image.command = (sensitive value) -> (empty)" in ran.out
    markdown, page = ((desk.root / name).read_text() for name in ("p.md", "p.html"))
    assert "- envs.A = (sensitive value)\n+ envs.A = (empty)" in markdown
    assert "<td>(sensitive value)<td>(empty)" in page
    found = {one["path"][-1]: one for one in desk.plan().document["resource_changes"][0]["fields"]}
    assert (found["A"]["before"], found["A"]["after"]) == ("(sensitive value)", "")
    assert found["A"]["sensitive"] is True
    assert "hf_1" not in ran.out + markdown + page
    desk.apply()
    assert desk.plan().code == 0


def test_drift_needs_no_secret(desk: Sandbox) -> None:
    """A drift check whose job has no secrets goes on working: what was applied is known by fingerprint."""
    desk.monkeypatch.setenv("NAME", "hf_1")
    desk.declare(item("chat", env={"A": "${env:NAME}"}))
    desk.apply()
    desk.monkeypatch.setenv("NAME", "")
    ran = desk.run("drift")
    assert (ran.code, ran.err) == (0, "")
