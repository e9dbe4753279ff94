"""What `init`, `import` and `doctor` do for git and for editors (E11, E12, E13)."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.e2e.sandbox import SPECS, Sandbox, item

MODELINE = "# yaml-language-server: $schema="


def git(sandbox: Sandbox, *args: str) -> str:
    return subprocess.run(
        ["git", *args], cwd=sandbox.root, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def checks(sandbox: Sandbox, *args: str) -> dict[str, dict[str, Any]]:
    """Return name -> check of `doctor`."""
    document = sandbox.run("doctor", "--json", *args).document
    return {check["name"]: check for check in document["checks"]}


@pytest.fixture
def repository(sandbox: Sandbox) -> Sandbox:
    """A git repository with a .gitignore of its own."""
    sandbox.write(".gitignore", "node_modules/\n")
    git(sandbox, "init", "-q")
    return sandbox


def test_init_in_a_repository_with_a_gitignore(repository: Sandbox) -> None:
    """E11: lock, history, journal and the simulator's file are ignored; map and schemas are committed."""
    (repository.root / "specs.yaml").unlink()
    repository.run("init")
    assert (repository.root / ".gitignore").read_text() == "node_modules/\n"
    repository.apply()
    for suffix in ("journal", "backup", "approved.json", "lock.json"):
        repository.write(f"state/novita.json.{suffix}", "{}")
    repository.write(".reconciler/simulator.json", "{}")
    git(repository, "add", "--all")
    assert set(git(repository, "ls-files", "state", ".reconciler").split()) == {
        "state/.gitignore",
        "state/novita.json",
        ".reconciler/.gitignore",
        ".reconciler/config.schema.json",
        ".reconciler/endpoints.schema.json",
        ".reconciler/specs.schema.json",
    }
    assert "git companions" not in checks(repository)


def test_doctor_finds_files_of_one_machine_in_git(repository: Sandbox) -> None:
    """E11: first what `git add` would take, then what is tracked, with the command that removes it."""
    repository.declare(item("chat"))
    repository.apply()
    found = checks(repository)["git companions"]
    assert found["grade"] == "warn"
    assert "not ignored by git, and only for this machine: novita.json.lock" in found["found"]
    assert "reconciler init" in found["way_out"]
    git(repository, "add", "--all")
    found = checks(repository)["git companions"]
    assert "in git, and only for this machine: novita.json.lock, novita.json.history.jsonl" in found["found"]
    command = found["way_out"].splitlines()[0]
    subprocess.run(command, shell=True, cwd=repository.root, check=True, capture_output=True, timeout=60)
    repository.run("init")
    assert "git companions" not in checks(repository)


def test_a_missing_key_is_never_answered_by_a_literal_key(sandbox: Sandbox) -> None:
    """E12: the hint shows a reference."""
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.declare(item("chat"))
    ran = sandbox.run("plan")
    assert "novita API key is required" in ran.err
    assert 'api_key: "${env:NOVITA_API_KEY}"' in ran.err
    assert "your-novita-api-key-here" not in ran.err


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ("novita: {api_key: sk_literal-key}", "novita.api_key"),
        (
            "environments: {dev: {default: true}, prod: {api_key: sk_literal-key}}",
            "environments.prod.api_key",
        ),
    ],
)
def test_doctor_finds_a_literal_key(repository: Sandbox, config: str, name: str) -> None:
    """E12: in a file that git tracks or would add, also of an environment that is not chosen."""
    repository.declare(item("chat"))
    repository.write("config.yaml", config)
    found = checks(repository)["key in file"]
    assert found["found"] == f"{name} holds the key itself in config.yaml, which git does not ignore"
    git(repository, "add", "--all")
    ran = repository.run("doctor")
    assert f"{name} holds the key itself in config.yaml, which is in git" in ran.out
    assert "_API_KEY}" in ran.out
    assert "literal-key" not in ran.out
    git(repository, "rm", "-q", "--cached", "config.yaml")
    repository.write(".gitignore", "config.yaml\n")
    assert "key in file" not in checks(repository)
    repository.write(".gitignore", "")
    repository.write("config.yaml", config.replace("sk_literal-key", '"${env:K}"'))
    assert "key in file" not in checks(repository)


def test_modelines_of_init(sandbox: Sandbox) -> None:
    """E13: each file names its schema, and the schema is there."""
    (sandbox.root / "config.yaml").unlink()
    (sandbox.root / "specs.yaml").unlink()
    sandbox.run("init")
    for name in ("endpoints", "specs", "config"):
        line = (sandbox.root / f"{name}.yaml").read_text().splitlines()[0]
        assert line == f"{MODELINE}.reconciler/{name}.schema.json"
        assert (sandbox.root / line.removeprefix(MODELINE)).is_file()
    assert sandbox.run("validate").code == 0


@pytest.mark.parametrize("out", ["endpoints.yaml", "endpoints/imported.yaml", "endpoints/a/b.yaml"])
def test_modelines_of_import(sandbox: Sandbox, out: str) -> None:
    """E13: the path leads from the file to the schema, which offers the specs that the import adds."""
    sandbox.sim.world.console_create(name="newcomer")
    (sandbox.root / "specs.yaml").unlink()
    ran = sandbox.run("import", "--all", "--out", out)
    assert ran.code == 0, ran.err
    file = sandbox.root / out
    line = file.read_text().splitlines()[0]
    assert line.startswith(MODELINE)
    schema = (file.parent / line.removeprefix(MODELINE)).resolve()
    assert schema == sandbox.root / ".reconciler/endpoints.schema.json"
    assert (sandbox.root / "specs.yaml").read_text().startswith(f"{MODELINE}.reconciler/specs.schema.json\n")
    assert offered_specs(schema) == ["novita-sl-serverless-3-1gpu"]
    assert "schemas" not in checks(sandbox)


def offered_specs(schema: Path) -> list[str]:
    field = json.loads(schema.read_text())["$defs"]["fields"]["properties"]["specName"]
    names: list[str] = field["anyOf"][0]["enum"]
    return names


def test_schemas_offer_what_is_accepted(sandbox: Sandbox) -> None:
    """E13: names of specs complete, and no other name is refused; refused fields are not offered."""
    document = json.loads(sandbox.run("schema", "endpoints").out)
    properties = document["$defs"]["fields"]["properties"]
    assert properties["specName"]["anyOf"][0]["enum"] == [spec["name"] for spec in SPECS["specs"]]
    assert all(properties[name]["doNotSuggest"] for name in ("volumeMounts", "shmSize", "enablePtrace"))
    assert not properties["storage"].get("doNotSuggest")
    validator = Draft202012Validator(document)
    for spec in ("small", "added-later", "${env:SPEC}"):
        assert validator.is_valid({"endpoints": [item("chat", specName=spec, volumeMounts=[])]})
    assert not validator.is_valid({"endpoints": [item("chat", specName=5)]})


def test_stale_schemas(sandbox: Sandbox) -> None:
    """E13: `doctor` notices those of another version or of other specs, and `init` updates them."""
    sandbox.run("init")
    assert "schemas" not in checks(sandbox)
    sandbox.write("specs.yaml", {"specs": SPECS["specs"][:1]})
    sandbox.write(".reconciler/config.schema.json", '{"$id": "config.schema.json"}')
    found = checks(sandbox)["schemas"]
    assert found["found"].endswith(".reconciler/endpoints.schema.json, .reconciler/config.schema.json")
    ran = sandbox.run("init", "--json").document
    assert ran["updated"] == [".reconciler/endpoints.schema.json", ".reconciler/config.schema.json"]
    assert "schemas" not in checks(sandbox)
    sandbox.write(".reconciler/specs.schema.json", "of another program")
    assert "schemas" not in checks(sandbox)
    assert ".reconciler/specs.schema.json" in sandbox.run("init", "--json").document["kept"]
