"""docs/storage.md says what happens."""

import re
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.e2e.sandbox import ROOT, Sandbox

from .support import live

PAGE = (ROOT / "docs/storage.md").read_text(encoding="utf-8")
YAML = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SHELL = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def guide(sandbox: Sandbox) -> Sandbox:
    """A folder as `init` writes it, with the first YAML of the page."""
    for file in ("specs.yaml", "config.yaml"):
        (sandbox.root / file).unlink()
    assert run(["init"]) == 0
    sandbox.write("endpoints.yaml", YAML[0])
    return sandbox


def test_the_commands_of_the_page_run(guide: Sandbox) -> None:
    """Each succeeds, in the order of the page."""
    commands = [line.partition("#")[0].split()[1:] for line in SHELL[0].splitlines()]
    assert len(commands) == 4
    for command in commands:
        ran = guide.run(*command)
        assert ran.code == 0, ran.err
    assert live(guide)["weights"]["storageSize"] == 200
    assert "chat" in guide.run("pvcs").out


def test_growing_and_renaming_is_one_call(guide: Sandbox) -> None:
    """And changes no endpoint."""
    guide.apply()
    renamed = YAML[0].replace("name: weights,", "name: models,")
    text = YAML[1] + "\nendpoints:" + renamed.split("endpoints:")[1]
    guide.write("endpoints.yaml", text)
    assert guide.plan().actions == {"models": "update"}
    guide.apply()
    assert live(guide)["models"]["storageSize"] == 300


def test_the_guard_of_the_page_is_a_real_one(guide: Sandbox) -> None:
    """Apart from the ID."""
    guide.apply()
    path = Path(guide.root / "endpoints.yaml")
    path.write_text(YAML[0].replace("sizeGb: 200", "sizeGb: 200\n    lifecycle: {preventDestroy: false}"))
    guide.apply()
    shown = re.search(r"^Error: .*\n", PAGE, re.MULTILINE)
    assert shown is not None
    ran = guide.run("destroy", "--auto-approve")
    assert ran.code == 3
    assert re.sub(r"\([0-9a-f]{16}\)", "(ID)", shown[0]) in re.sub(r"\([0-9a-f]{16}\)", "(ID)", ran.err)


@pytest.mark.parametrize("field", ["storages", "storages.sizeGb", "registries.password", "storage.name"])
def test_fields_are_explained(guide: Sandbox, field: str) -> None:
    """By their paths, also in sections beside the endpoints."""
    ran = guide.run("explain", field)
    assert ran.code == 0
    assert guide.run("explain", "storages.sizeGb", "--json").document["wire_paths"] == ["storageSize"]
