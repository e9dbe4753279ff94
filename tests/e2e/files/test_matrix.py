"""An item with `matrix` through a life: its endpoints have names, and its lines belong to all of them."""

import re

import pytest
import yaml

from reconciler.config import schema
from tests.e2e.sandbox import ROOT, SPECS, Sandbox, item

PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
ITEM = """\
endpoints:
  # one item
  - endpoint: "{model}-{region}"
    specName: small
    image: "acme/${matrix.model}:1"
    minReplicas: 1
    maxReplicas: 2
    matrix:
      region: [us, eu]
      model: [llama, qwen]
"""
NAMES = {"llama-us", "qwen-us", "llama-eu", "qwen-eu"}


@pytest.fixture
def many(sandbox: Sandbox) -> Sandbox:
    sandbox.write("endpoints.yaml", ITEM)
    return sandbox


def test_every_command_knows_the_endpoints_by_their_names(many: Sandbox) -> None:
    ran = many.plan("--target", "llama-*")
    assert ran.actions == {"llama-us": "create", "llama-eu": "create"}
    many.apply()
    assert many.live().keys() == NAMES
    assert many.plan().actions == {}
    assert {one["name"] for one in many.run("list", "--json").document} == NAMES
    assert "acme/llama:1" in many.run("get", "llama-us").out
    many.write("endpoints.yaml", ITEM + "      exclude: [{model: qwen, region: eu}]\n")
    assert many.plan().actions == {"qwen-eu": "delete"}


def test_a_problem_names_the_line_of_the_item_and_the_combination(many: Sandbox) -> None:
    many.write("endpoints.yaml", ITEM.replace("specName: small", 'specName: "spec-{region}"'))
    ran = many.run("validate")
    assert ran.code == 1
    assert "endpoints.yaml:4:15" in ran.err
    assert "there is no spec `spec-us`" in ran.err
    assert "there is no spec `spec-eu`" in ran.err


def test_files_are_not_edited_for_one_combination(many: Sandbox) -> None:
    """`scale --write` and `drift accept` name the way out, which works."""
    many.apply()
    live = many.live()["llama-us"]
    many.sim.world.console_update(live["id"], workerConfig={**live["workerConfig"], "maxNum": 7})
    for command in (("scale", "llama-us", "--max", "7", "--write", "--yes"), ("drift", "accept", "llama-us")):
        ran = many.run(*command)
        assert ran.code == 1, ran.out
        assert "`llama-us` is the combination region=us, model=llama of a `matrix`" in ran.err
        assert "declare `- endpoint: llama-us` with the changes in a later file" in ran.err
        assert (many.root / "endpoints.yaml").read_text() == ITEM
    many.write("later.yaml", "endpoints:\n  - endpoint: llama-us\n    port: 8000\n")
    files = ("-f", "endpoints.yaml", "-f", "later.yaml")
    ran = many.run("drift", "accept", "llama-us", *files)
    assert ran.code == 0, ran.err
    assert "maxReplicas: 7" in (many.root / "later.yaml").read_text()
    assert many.plan(*files, "--allow-other-files").actions == {}


def test_a_deleted_combination_is_not_removed_from_the_file(many: Sandbox) -> None:
    many.apply()
    many.sim.world.console_delete(many.live()["llama-us"]["id"])
    ran = many.run("drift", "accept", "llama-us")
    assert ran.code == 1
    assert "Add it to `exclude`" in ran.err
    assert (many.root / "endpoints.yaml").read_text() == ITEM


def test_an_endpoint_made_elsewhere_is_recorded_for_a_combination(many: Sandbox) -> None:
    """`import` edits no file for it."""
    many.declare(item("llama-us", image="acme/llama:1", minReplicas=1, maxReplicas=2))
    many.apply()
    object_id = many.live()["llama-us"]["id"]
    (many.root / "state/novita.json").unlink()
    many.write("endpoints.yaml", ITEM)
    assert many.run("import", "llama-us", object_id).code == 0
    assert many.plan().actions.keys() == NAMES - {"llama-us"}


def test_an_environment_gives_the_combinations_its_names(many: Sandbox) -> None:
    """Problems name the combination there too, and the way out has the name of the file."""
    many.write("config.yaml", {"environments": {"prod": {"name": "{name}-prod"}}})
    assert many.plan("-e", "prod").actions.keys() == {f"{name}-prod" for name in NAMES}
    many.apply("-e", "prod")
    ran = many.run("scale", "llama-us-prod", "3", "--write", "--yes", "-e", "prod")
    assert "`llama-us-prod` is the combination region=us, model=llama" in ran.err
    assert "declare `- endpoint: llama-us` with" in ran.err
    many.declare(item("{port}", port="${matrix.port}", matrix={"port": [80, 99999]}))
    (problem,) = many.run("validate", "-e", "prod", "--json").document["problems"]
    assert problem["address"] == "novita_endpoint.99999-prod"
    assert problem["detail"] == "The combination of `matrix` is port=99999."


def test_the_page_is_as_it_says(sandbox: Sandbox) -> None:
    """Its YAML is valid, and its commands run."""
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    specs = [{**SPECS["specs"][0], "name": f"novita-5090-{region}"} for region in ("us", "eu")]
    sandbox.write("specs.yaml", {"specs": specs})
    sandbox.write("endpoints.yaml", text)
    document = yaml.safe_load(text)
    document["endpoints"][0] |= {"appName": "app-{model.name}-{region}", "renamedFrom": "old-{region}"}
    assert list(schema.validation_errors("endpoints", document)) == [], "editors accept it too"
    assert sandbox.run("validate", "--json").document["endpoints"] == ["llama-us", "qwen-us", "llama-eu"]
    commands = re.findall(r"^\$ reconciler (.*)$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        assert sandbox.run(*command.replace("'", "").split()).code == 0
    sandbox.apply()
    workers = {name: one["workerConfig"]["maxNum"] for name, one in sandbox.live().items()}
    assert workers == {"llama-us": 3, "qwen-us": 1, "llama-eu": 3}
