"""The file of the simulator holds no referenced value that nobody consented to, and is its owner's alone."""

import stat
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

SECRET = "hf_the-secret-itself"
CONSENT = "RECONCILER_SIMULATOR_KEEPS_SECRETS"


@pytest.fixture
def embedded(sandbox: Sandbox) -> Sandbox:
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    sandbox.monkeypatch.setenv("TOKEN", SECRET)
    sandbox.monkeypatch.delenv(CONSENT, raising=False)
    sandbox.write("secret.txt", SECRET)
    return sandbox


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def held(sandbox: Sandbox) -> list[str]:
    return [
        name for name, data in sandbox.files().items() if SECRET.encode() in data and name != "secret.txt"
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"env": {"T": "${env:TOKEN}"}},
        {"env": {"T": "Bearer ${env:TOKEN}"}},
        {"env": {"T": "${file:secret.txt}"}},
        {"command": "run --token ${env:TOKEN}"},
    ],
)
def test_no_secret_is_kept_without_consent(embedded: Sandbox, fields: dict[str, object]) -> None:
    """Neither by a create nor by an update; the refusal names the reference, never the value."""
    embedded.declare(item("a", **fields))
    ran = embedded.run("apply", "--yes")
    assert ran.code == 3
    assert "in plain text in .reconciler/simulator.json" in ran.err
    assert "${" in ran.err
    assert f"export {CONSENT}=yes" in ran.err
    assert SECRET not in ran.out + ran.err
    assert held(embedded) == []
    embedded.declare(item("a"))
    embedded.apply()
    embedded.declare(item("a", **fields))
    assert embedded.run("apply", "--yes").code == 3
    assert held(embedded) == []


def test_with_consent_it_is_kept_for_its_owner_alone(embedded: Sandbox) -> None:
    """And the next run finds the account as it was left."""
    embedded.monkeypatch.setenv(CONSENT, "yes")
    embedded.declare(item("a", env={"T": "${env:TOKEN}"}))
    embedded.apply()
    assert embedded.plan().code == 0
    assert held(embedded) == [".reconciler/simulator.json"]
    folder = embedded.root / ".reconciler"
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.glob("simulator.json*")} == {0o600}
    embedded.monkeypatch.delenv(CONSENT)
    assert embedded.plan().code == 0
    assert embedded.run("destroy", "--yes").code == 0


@pytest.mark.parametrize(
    "words",
    [["--env", "TOKEN"], ["--env", f"PLAIN={SECRET}"], ["--env", "PIN=1234"], ["--env-file", "the.env"]],
)
def test_what_is_given_by_hand_is_not_kept_without_consent(embedded: Sandbox, words: list[str]) -> None:
    embedded.write("the.env", f"A=word\nTOKEN={SECRET}\n")
    deploy = ["deploy", "a", "--image", "ubuntu:22.04", "--spec", "small", "--yes"]
    ran = embedded.run(*deploy, *words)
    assert ran.code == 3
    assert "in plain text in .reconciler/simulator.json" in ran.err
    assert "`env." in ran.err
    assert SECRET not in ran.out + ran.err
    assert embedded.run(*deploy, "--env", "MODEL=llama").code == 0
    assert embedded.run("update", "a", "--yes", *words).code == 3
    assert set(held(embedded)) <= {"the.env"}
    embedded.monkeypatch.setenv(CONSENT, "yes")
    assert embedded.run("update", "a", "--yes", *words).code == 0


def test_without_secrets_nobody_is_asked(embedded: Sandbox) -> None:
    """A literal is in a file already."""
    embedded.declare(item("a", env={"MODEL": "llama"}))
    embedded.apply()
    assert embedded.plan().code == 0
    assert mode(embedded.root / ".reconciler/simulator.json") == 0o600


@pytest.mark.parametrize("planted", ["simulator.json", "simulator.json.lock", ""])
def test_no_link_is_followed(embedded: Sandbox, planted: str, tmp_path: Path) -> None:
    """Neither for the file, nor for its lock, nor for the folder."""
    elsewhere = tmp_path / "elsewhere"
    folder = embedded.root / ".reconciler"
    if planted:
        elsewhere.write_text("mine")
        folder.mkdir()
        (folder / planted).symlink_to(elsewhere)
    else:
        elsewhere.mkdir()
        folder.symlink_to(elsewhere)
    embedded.declare(item("a", env={"MODEL": "llama"}))
    ran = embedded.run("apply", "--yes")
    assert "has a bug" not in ran.err
    assert planted == "simulator.json" or ran.code != 0
    assert elsewhere.read_text() == "mine" if planted else list(elsewhere.iterdir()) == []
