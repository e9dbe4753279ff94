"""An endpoint that another environment of the account records."""

import json
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item


@pytest.fixture
def pair(sandbox: Sandbox) -> Sandbox:
    """A folder with the environments a and b of the same names, where a has applied and is protected."""
    sandbox.write("base.yaml", {"endpoints": [item("shr", probe={})]})
    one = {"files": ["base.yaml"]}
    sandbox.write("config.yaml", {"environments": {"a": {**one, "protected": True}, "b": one}})
    sandbox.apply("-e", "a")
    return sandbox


def test_an_import_of_a_foreign_endpoint_is_refused(pair: Sandbox) -> None:
    """By its owner's name; also by --all. Nothing is recorded."""
    pair.write("none.yaml", {"endpoints": []})
    one = pair.run("-e", "b", "import", "shr", pair.id("shr"))
    every = pair.run("-e", "b", "-f", "none.yaml", "import", "--all", "--out", "all.yaml")
    for ran in (one, every):
        assert ran.code == 3, ran.err
        assert f"`shr` ({pair.id('shr')}) belongs to the environment `a`" in ran.err
    assert not (pair.root / "state/b.json").exists()
    assert not (pair.root / "all.yaml").exists()


@pytest.mark.parametrize(
    "command",
    [["update", "shr", "--image", "b:1"], ["delete", "shr"], ["destroy"]],
    ids=lambda words: words[0],
)
def test_what_both_record_is_not_changed(pair: Sandbox, command: list[str]) -> None:
    """Not even if the inventory of this environment records the endpoint too."""
    records = json.loads(Path(pair.root / "state/a.json").read_text())
    pair.write("state/b.json", {**records, "environment": "b"})
    ran = pair.run("-e", "b", *command, "--auto-approve")
    assert ran.code == 3, ran.err
    assert "belongs to the environment `a`" in ran.err
    assert "`reconciler -e b state rm shr`" in ran.err
    assert not pair.sent("update", "delete")
    assert pair.plan("-e", "b").code == 0


@pytest.mark.parametrize("command", [["probe"], ["probe", "shr"], ["output", "shr"]], ids=" ".join)
def test_an_endpoint_of_another_environment_is_not_asked(pair: Sandbox, command: list[str]) -> None:
    """Its answer and its URL would be taken for those of this environment."""
    ran = pair.run("-e", "b", *command)
    assert (ran.code, ran.out) == (3, ""), ran.err
    assert "belongs to the environment `a`" in ran.err


def test_an_empty_name_chooses_no_environment(pair: Sandbox) -> None:
    """An unset variable in a script must not choose the default; an empty RECONCILER_ENV counts as unset."""
    ran = pair.run("-e", "", "list")
    assert ran.code == 64
    assert "the name of an environment is missing" in ran.err
    pair.monkeypatch.setenv("RECONCILER_ENV", "")
    assert "no environment is chosen" in pair.run("list").err
