"""A file that cannot be read is the cause, and is told alone: nothing is concluded from what it lacks."""

import pytest

from tests.e2e.sandbox import SPECS, Sandbox, item

BROKEN = [
    "specs: [\n",
    "specs: {a: 1}\n",
    "specs\n",
    "a: b: c\n",
    "specs: [{nmae: small}]\n",
    b"\xff\xfe\xff",
]


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("command", ["validate", "plan"])
def test_specs_that_cannot_be_read(sandbox: Sandbox, text: str | bytes, command: str) -> None:
    sandbox.declare(item("chat"), item("embed", specName="large"))
    (sandbox.root / "specs.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    problems = sandbox.run(command, "--json").document["problems"]
    assert {problem["file"] for problem in problems} == {"specs.yaml"}
    assert len(problems) == 1


def test_a_spec_that_is_not_there_is_told_beside_one_that_is_broken(sandbox: Sandbox) -> None:
    sandbox.write("specs.yaml", {"specs": [*SPECS["specs"], {"name": "bad", "resources": {"gpu": [1]}}]})
    sandbox.declare(item("chat", specName="smal"))
    problems = sandbox.run("validate", "--json").document["problems"]
    assert [problem["code"] for problem in problems] == ["unknown-spec", "wrong-type"]


@pytest.mark.parametrize("text", ["novita: [\n", "- a\n", "novita: 5\n", "novita: {config_dir: 5}\n"])
def test_a_config_that_cannot_be_read(sandbox: Sandbox, text: str) -> None:
    """Where it would have led to is not known: neither are the specs, nor the key, nor the address."""
    (sandbox.root / "specs.yaml").rename(sandbox.root / "elsewhere.yaml")
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.declare(item("chat"))
    sandbox.write("config.yaml", text)
    for command in (["validate"], ["plan"], ["list"]):
        document = sandbox.run(*command, "--json").document
        assert {problem["file"] for problem in document["problems"]} == {"config.yaml"}, command
        assert len(document["problems"]) == 1
    told = sandbox.run("doctor").out
    assert "API key is required" not in told


@pytest.mark.parametrize("base", ["endpoints: [\n", "- a\n", "defaults: 5\n", "endpoints: {chat: {}}\n"])
def test_a_layer_that_cannot_be_read(sandbox: Sandbox, base: str) -> None:
    """What the items above it seem to lack may be in it."""
    sandbox.write("base.yaml", base)
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "minReplicas": 20}]})
    document = sandbox.run("-f", "base.yaml", "-f", "prod.yaml", "validate", "--json").document
    assert [problem["file"] for problem in document["problems"]] == ["base.yaml"]


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("declared", [[], [item("embed")]], ids=["nothing declared", "another declared"])
def test_a_deploy_tells_what_is_wrong_with_the_specs(
    sandbox: Sandbox, text: str | bytes, declared: list[dict[str, str]]
) -> None:
    sandbox.declare(*declared)
    (sandbox.root / "specs.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = sandbox.run("deploy", "chat", "--image", "ubuntu:22.04", "--spec", "small", "--auto-approve")
    assert ran.code == 1
    assert "specs.yaml:1:" in ran.err
    assert "there is no spec" not in ran.err
    assert sandbox.sent() == []


def test_a_deploy_with_a_spec_that_is_broken(sandbox: Sandbox) -> None:
    sandbox.write("specs.yaml", {"specs": [{"name": "bad", "resources": {"gpu": [1]}}]})
    ran = sandbox.run("deploy", "chat", "--image", "ubuntu:22.04", "--spec", "bad", "--auto-approve")
    assert (ran.code, "specs.yaml:" in ran.err, "gpu" in ran.err) == (1, True, True)


@pytest.mark.parametrize("text", ["specs: []\n", ""])
def test_a_deploy_when_the_file_holds_no_specs(sandbox: Sandbox, text: str) -> None:
    sandbox.write("specs.yaml", text)
    ran = sandbox.run("deploy", "chat", "--image", "ubuntu:22.04", "--spec", "small", "--auto-approve")
    assert (ran.code, "there is no spec `small` in specs.yaml" in ran.err) == (1, True)


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize("words", [["specs"], ["specs", "small"]], ids=" ".join)
def test_specs_tells_what_is_wrong_with_its_file_alone(
    sandbox: Sandbox, text: str | bytes, words: list[str]
) -> None:
    (sandbox.root / "specs.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = sandbox.run(*words)
    assert ran.code == 1
    assert ran.err.startswith("Error: ")
    assert "specs.yaml:1:" in ran.err
    assert "no specs" not in ran.err
    assert "there is no spec" not in ran.err
