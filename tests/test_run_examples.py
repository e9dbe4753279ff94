"""The files of examples/run: valid by the tools of their field, and without rights."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import kubernetes_validate
import pytest

from reconciler.cli.commands.run import run
from reconciler.controller.git.address import GitAddress
from reconciler.yamlfile.reader import read
from tests.release.containerfile import environment, instructions

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / "examples" / "run"
UNIT = RUN / "reconciler.service"
MANIFESTS = sorted((RUN / "kubernetes").iterdir())
KUBERNETES = "1.31"
"""The oldest version that is still maintained somewhere."""


def manifest(path: Path) -> dict[str, Any]:
    """Return a manifest. Unlike YAML's own rules, this refuses a key that stands there twice."""
    document = read(path, path.name)
    assert document.problems == ()
    assert isinstance(document.data, dict)
    return document.data


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        spec = manifest(path)["spec"]
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield path.name, spec["template"]["spec"]


def command_lines() -> dict[str, list[str]]:
    """Return the arguments of each example by its file."""
    (start,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)", UNIT.read_text(), re.MULTILINE)
    words = shlex.split(start.replace("\\\n", " "))
    assert words[0] == "/opt/reconciler/bin/reconciler"
    found = {UNIT.name: words[1:]}
    for name, pod in pods():
        (container,) = pod["containers"]
        found[name] = container["args"]
    return found


@pytest.mark.parametrize("name", ["reconciler.service", "deployment.yaml", "cronjob.yaml"])
def test_the_options_exist_and_the_values_are_valid(name: str) -> None:
    command, *arguments = command_lines()[name]
    assert command == "run"
    values = run.make_context("run", arguments).params
    assert GitAddress.parse(values["git_url"], values["ref"], values["path"]).protocol == "ssh"
    assert values["once"] == (name == "cronjob.yaml")


def test_every_example_is_looked_at() -> None:
    assert set(command_lines()) == {"reconciler.service", "deployment.yaml", "cronjob.yaml"}
    assert isinstance(run, click.Command)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_is_valid(path: Path) -> None:
    """By the schema of the API server, which knows every field."""
    kubernetes_validate.validate(manifest(path), KUBERNETES, strict=True)


def test_the_schema_of_kubernetes_is_strict() -> None:
    wrong = manifest(RUN / "kubernetes" / "service.yaml")
    wrong["spec"]["port"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES, strict=True)


@pytest.mark.parametrize(("name", "pod"), list(pods()), ids=[name for name, _ in pods()])
def test_a_pod_has_no_rights(name: str, pod: dict[str, Any]) -> None:
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["terminationGracePeriodSeconds"] > 30
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
    assert mounts["cache"] == environment()["XDG_CACHE_HOME"]


def test_selectors_find_the_pods() -> None:
    deployment = manifest(RUN / "kubernetes" / "deployment.yaml")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    service = manifest(RUN / "kubernetes" / "service.yaml")["spec"]
    assert service["selector"] == labels
    (container,) = deployment["template"]["spec"]["containers"]
    assert service["ports"][0]["targetPort"] in [port["name"] for port in container["ports"]]
    listen = next(word for word in container["args"] if word.startswith("--listen="))
    assert listen.endswith(f":{container['ports'][0]['containerPort']}")
    budget = manifest(RUN / "kubernetes" / "disruption-budget.yaml")["spec"]
    assert budget["selector"]["matchLabels"] == labels
    assert budget["minAvailable"] < deployment["replicas"]


def test_no_secret_stands_in_an_example() -> None:
    for path in (UNIT, *MANIFESTS):
        text = path.read_text()
        assert not re.search(r"(?i)(?:password|token|api_key|secret)\"?\s*[:=]\s*[^\s#]*\d", text), path


def test_the_unit_is_valid_and_exposes_little(tmp_path: Path) -> None:
    """systemd-analyze looks for the program, which is not installed here."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/reconciler/bin/reconciler", sys.executable))
    for words in (["verify"], ["security", "--offline=yes", "--threshold=20"]):
        done = subprocess.run(
            ["systemd-analyze", *words, str(unit)], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ignoring" not in done.stderr


def test_the_unit_gives_time_to_finish() -> None:
    assert re.search(r"^KillMode=mixed$", UNIT.read_text(), re.MULTILINE)
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(seconds) > 30


def test_a_pod_runs_as_the_user_of_the_image() -> None:
    (user,) = [rest for name, rest in instructions() if name == "USER"]
    for _, pod in pods():
        security = pod["securityContext"]
        assert f"{security['runAsUser']}:{security['runAsGroup']}" == user
        assert security["fsGroup"] == security["runAsGroup"]
