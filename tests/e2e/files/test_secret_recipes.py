"""The recipes of docs/secrets.md, run with programs that have the interfaces of the real ones."""

import os
import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.sandbox import ROOT, SPECS, Sandbox

PAGE = (ROOT / "docs" / "secrets.md").read_text(encoding="utf-8")
STORES = {
    "op": {"op://infra/chat/hf-token": "of 1password"},
    "vault": {"secret infra/chat value": "of vault"},
    "aws": {
        "secret infra/chat-token": "of the secrets manager",
        "parameter /infra/chat/token": "of ssm",
    },
    "sops": {'/srv/infra/secrets.enc.yaml ["chat_token"]': "of sops"},
    "pass": {"infra/chat/token": "of pass\nlogin: chat"},
}
PARSERS = {
    "op": """
words = [word for word in sys.argv[1:] if word not in ("-n", "--no-newline")]
wanted = words[1] if words[:1] == ["read"] and len(words) == 2 else None
missing = '[ERROR] 2026/11/28 15:00:00 could not read secret: "infra" isn\\'t a vault in this account', 1
""",
    "vault": """
flags = dict(word.lstrip("-").split("=", 1) for word in sys.argv[3:] if word.startswith("-"))
paths = [word for word in sys.argv[3:] if not word.startswith("-")]
is_get = sys.argv[1:3] == ["kv", "get"] and len(paths) == 1 and flags.keys() == {"mount", "field"}
wanted = f"{flags['mount']} {paths[0]} {flags['field']}" if is_get else None
missing = f"No value found at secret/data/{paths[0] if paths else ''}", 2
""",
    "aws": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("service", choices=["secretsmanager", "ssm"])
parser.add_argument("command", choices=["get-secret-value", "get-parameter"])
for option in ("--secret-id", "--name", "--query", "--output"):
    parser.add_argument(option)
parser.add_argument("--with-decryption", action="store_true")
given = parser.parse_args()
shape = (given.service, given.command, given.query, given.output, given.with_decryption)
wanted = {
    ("secretsmanager", "get-secret-value", "SecretString", "text", False): f"secret {given.secret_id}",
    ("ssm", "get-parameter", "Parameter.Value", "text", True): f"parameter {given.name}",
}.get(shape)
missing = "An error occurred (ResourceNotFoundException): can't find the specified secret.", 254
""",
    "sops": """
is_get = sys.argv[1:3] == ["decrypt", "--extract"] and len(sys.argv) == 5
wanted = f"{sys.argv[4]} {sys.argv[3]}" if is_get else None
missing = "error extracting value: component not found", 91
""",
    "pass": """
wanted = sys.argv[2] if sys.argv[1:2] == ["show"] and len(sys.argv) == 3 else None
missing = f"Error: {wanted} is not in the password store.", 1
""",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def stored(sandbox: Sandbox) -> Sandbox:
    """A sandbox of a user who has registered all helpers of the page."""
    home = sandbox.root.parent / "home"
    for name, store in STORES.items():
        path = home / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"#!/usr/bin/env python3\nimport sys\nstore = {store!r}\n{PARSERS[name]}\n"
            "if wanted in store:\n    print(store[wanted])\nelse:\n"
            "    print(missing[0], file=sys.stderr)\n    sys.exit(missing[1])\n"
        )
        path.chmod(0o755)
    config, _, first = (*blocks("yaml"),)
    helpers = config + first.partition("\n")[2]
    file = home / ".config/reconciler/config.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(helpers)
    file.chmod(0o600)
    sandbox.monkeypatch.setenv("HOME", str(home))
    sandbox.monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    sandbox.monkeypatch.delenv("RECONCILER_SECRET_HELPERS", raising=False)
    sandbox.monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    sandbox.write("specs.yaml", {"specs": [{**SPECS["specs"][0], "name": "novita-5090-single"}]})
    return sandbox


def test_each_recipe_gives_its_value(stored: Sandbox) -> None:
    stored.write("endpoints.yaml", blocks("yaml")[1])
    stored.apply()
    values = {env["key"]: env["value"] for env in stored.live()["chat"]["envs"]}
    assert values == {
        "FROM_1PASSWORD": "of 1password",
        "FROM_VAULT": "of vault",
        "FROM_SECRETS_MANAGER": "of the secrets manager",
        "FROM_PARAMETER_STORE": "of ssm",
        "FROM_SOPS": "of sops",
        "FROM_PASS": "of pass\nlogin: chat",
    }


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("op:chat/none", ["exit status 1", "isn't a vault", "op read op://infra/chat/none"]),
        ("vault:none", ["exit status 2", "No value found at secret/data/infra/none"]),
        ("aws:none", ["exit status 254", "ResourceNotFoundException"]),
        ("sops:none", ["exit status 91", "component not found", """sops decrypt --extract '["none"]'"""]),
        ("pass:none", ["exit status 1", "infra/none is not in the password store."]),
    ],
)
def test_a_missing_secret_is_explained_by_its_program(
    stored: Sandbox, reference: str, words: list[str]
) -> None:
    text = blocks("yaml")[1].partition("    env:")[0] + f'    env: {{A: "${{exec:{reference}}}"}}\n'
    stored.write("endpoints.yaml", text)
    ran = stored.run("plan")
    assert ran.code == 1
    assert [word for word in words if word not in ran.err] == []
    assert f"${{exec:{reference}}} has no value" in ran.err


def test_a_shell_gets_the_argument_as_a_parameter(stored: Sandbox) -> None:
    """The recipe of the page for the first line of an entry."""
    text = blocks("yaml")[1].partition("    env:")[0] + '    env: {A: "${exec:first:chat/token}"}\n'
    stored.write("endpoints.yaml", text)
    stored.apply()
    assert stored.live()["chat"]["envs"] == [{"key": "A", "value": "of pass"}]


def test_the_commands_of_the_page_run(stored: Sandbox) -> None:
    """Its exports and commands, in order; then its list of what is allowed."""
    stored.write("endpoints.yaml", blocks("yaml")[1].partition("      FROM_VAULT")[0])
    lines = [line for block in blocks("console") for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)]
    assert len(lines) == 2
    for line in lines:
        first, *rest = shlex.split(line)
        if first == "export":
            stored.monkeypatch.setenv(*rest[0].split("=", 1))
        else:
            assert stored.run(*rest).code == 0
    (allowed,) = re.findall(r"`export RECONCILER_ALLOW_EXEC='(.*?)'`", PAGE)
    stored.monkeypatch.setenv("RECONCILER_ALLOW_EXEC", allowed)
    assert stored.run("plan").code == 0
    stored.write("endpoints.yaml", blocks("yaml")[1])
    assert {problem["code"] for problem in stored.plan().document["problems"]} == {"reference-refused"}
    assert Path(stored.root, "state").exists() is False
