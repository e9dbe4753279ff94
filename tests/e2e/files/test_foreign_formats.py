"""Data of Novita and of Waverless that is taken for an endpoint file is recognized by its shape."""

import json
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

SECRET = "a-value-that-nobody-may-see"
OF_NOVITA = {
    "name": "chat",
    "appName": "chat",
    "workerConfig": {"minNum": 1, "maxNum": 1, "gpuNum": 1},
    "image": {"image": "a/b:1"},
    "products": [{"id": "p"}],
    "clusterID": "c",
    "envs": [{"key": "TOKEN", "value": SECRET}],
}
METADATA = {"name": "chat", "specName": "s", "image": "a:1", "status": "Running", "env": {"A": SECRET}}
SPEC = {"name": "s", "displayName": "S", "category": "gpu", "resources": {"gpu": "1"}, "platforms": {}}
IMPORT = "reconciler import --all --out endpoints.yaml"
CONVERT = " --out endpoints.yaml` writes its YAML"


@pytest.mark.parametrize("name", ["endpoints.yaml", "endpoints/all.json"])
@pytest.mark.parametrize(
    ("data", "what", "hint"),
    [
        ({"endpoint": OF_NOVITA}, "a create request of Novita's API", CONVERT),
        (OF_NOVITA, "a create request of Novita's API", CONVERT),
        ({"endpoints": [{"id": "i", **OF_NOVITA}], "total": "1"}, "a listing of Novita's API", IMPORT),
        ({"endpoint": {"id": "i", **OF_NOVITA}}, "an endpoint as Novita's API returns it", IMPORT),
        ([OF_NOVITA], "a list of endpoints as Novita's API returns them", IMPORT),
        ([METADATA, METADATA], "a listing of Waverless (GET /api/v1/endpoints)", IMPORT),
        (METADATA, "an endpoint as Waverless returns it", IMPORT),
        ([SPEC], "a listing of specs of Waverless", "specs belong in specs.yaml"),
        (SPEC, "a spec as Waverless returns it", "specs belong in specs.yaml"),
        ({"services": {"a": {"image": "a:1"}}}, "a docker-compose file", CONVERT),
        ({"type": "service", "image": "a:1"}, "a service of dstack", CONVERT),
        ({"service": {"replicas": 1}, "name": "a"}, "a service of SkyPilot", CONVERT),
        ([item("a"), item("b")], "a JSON list of deploy requests", '{"endpoints": [...]}'),
    ],
)
def test_d5_the_format_is_named(sandbox: Sandbox, data: Any, what: str, hint: str, name: str) -> None:
    """One error says what the file is and what helps; no value of env is shown."""
    sandbox.write(name, json.dumps(data))
    for command in ("validate", "plan"):
        ran = sandbox.run(command, "--json")
        (problem,) = ran.document["problems"]
        assert (ran.code, problem["code"], problem["line"]) == (1, "other-format", 1)
        assert what in problem["summary"]
        assert hint in problem["hint"]
        shown = sandbox.run(command)
        assert SECRET not in ran.out + ran.err + shown.out + shown.err


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("-f listing.json", "reconciler -C . import --all --out endpoints.yaml"),
        ("-f more.yaml -f ./listing.json", "reconciler -f more.yaml import --all --out endpoints.yaml"),
        ("-f listing.json --state s.json", "reconciler --state s.json import --all --out endpoints.yaml"),
        ("", "reconciler import --all --out endpoints.yaml"),
    ],
)
def test_d5_the_import_does_not_read_the_file_again(sandbox: Sandbox, options: str, command: str) -> None:
    """It was moved away then."""
    sandbox.write("more.yaml", {"endpoints": [item("a")]})
    sandbox.write("listing.json" if options else "endpoints.json", {"endpoints": [OF_NOVITA]})
    ran = sandbox.run("validate", *options.split())
    assert ran.code == 1
    assert f"`{command}` writes" in ran.err


@pytest.mark.parametrize(
    "data", [[], ["a"], [1], {"name": "a"}, {"endpoints": [{"name": "a"}]}, {"endpoint": "a"}]
)
def test_d5_other_data_is_no_known_format(sandbox: Sandbox, data: Any) -> None:
    sandbox.write("endpoints.yaml", json.dumps(data))
    ran = sandbox.run("validate", "--json")
    assert ran.code == 1
    assert "other-format" not in ran.codes


def test_d5_the_import_that_is_named_works(sandbox: Sandbox) -> None:
    """Once the file is moved, as the hint says."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    (sandbox.root / "state" / "novita.json").unlink()
    sandbox.write("endpoints.yaml", json.dumps([METADATA]))
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 1
    (sandbox.root / "endpoints.yaml").rename(sandbox.root / "listing.json")
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 0
    assert sandbox.plan().code == 0


def test_d5_the_conversion_that_is_named_works(sandbox: Sandbox) -> None:
    sandbox.write("endpoints.yaml", json.dumps({"endpoint": {**OF_NOVITA, "rootfsSize": 100}}))
    hint = sandbox.run("validate", "--json").document["problems"][0]["hint"]
    convert = "reconciler convert source.yaml --out endpoints.yaml"
    assert hint == f"`mv endpoints.yaml source.yaml`, then `{convert}` writes its YAML"
    (sandbox.root / "endpoints.yaml").rename(sandbox.root / "source.yaml")
    assert sandbox.run(*convert.split()[1:]).code == 0
    assert sandbox.run("validate").code == 0
