"""Terraform with a real provider in Go, whose source is beside this file, for the same endpoints and account.

It is built with Go and the libraries that Debian packages. It has less to do than one made with Terraform's
SDK, and than reconciler: no defaults, no proof that a listing is complete, nothing read back after a create.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Timing, fake, run_measured
from benchmarks.terraform import ENVIRON, OPTIONS
from benchmarks.world import declared

NEEDED = (
    "the provider for Terraform needs the Debian packages golang-go, golang-google-grpc-dev, "
    "golang-github-hashicorp-go-plugin-dev and golang-github-zclconf-go-cty-dev, which "
    "`.ci/programs bench` installs"
)

BUILDING = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "CGO_ENABLED": "0"}

HEAD = 'terraform {\n  required_providers {\n    bench = { source = "bench/bench" }\n  }\n}\n'
NAMES = {
    "name": "endpoint",
    "image": "image",
    "command": "command",
    "min_replicas": "minReplicas",
    "max_replicas": "maxReplicas",
    "free_timeout": "freeTimeout",
    "request_timeout": "requestTimeout",
    "max_concurrent": "maxConcurrent",
    "port": "port",
    "health_path": "healthPath",
    "env": "env",
}
"""The attributes of the resource, and the fields of the YAML that have the same values."""


@functools.cache
def missing() -> str:
    """Build the provider, once in a process, and return the reason if there is none."""
    if shutil.which("terraform") is None:
        return "terraform is not installed"
    if shutil.which("go") is None:
        return f"{NEEDED} (go is not installed)"
    words = ["go", "build", "-o", f"{_folder().name}/terraform-provider-bench", "."]
    done = subprocess.run(
        words, cwd=Path(__file__).parent, env={**os.environ, **BUILDING}, capture_output=True, text=True
    )
    if done.returncode:
        return f"{NEEDED} ({done.stderr.strip().splitlines()[0]})"
    return ""


def creates(folder: Path, count: int) -> Callable[[str], Timing]:
    """Write the resources, and return an apply that creates all of them in the account at its URL."""
    _write(folder, count)

    def run(url: str) -> Timing:
        (folder / "terraform.tfstate").unlink(missing_ok=True)
        return _run(folder, url, "apply", "-auto-approve")

    return run


def no_change(folder: Path, count: int, url: str) -> Callable[[], Timing]:
    """Return a plan that must be empty; it fails if there is a change."""
    with fake(0) as empty:
        creates(folder, count)(empty)
    state = json.loads((folder / "terraform.tfstate").read_text())
    for resource in state["resources"]:
        # the IDs of the account at `url`, whatever the order of the creates was
        number = int(resource["name"].removeprefix("endpoint-"))
        resource["instances"][0]["attributes"]["id"] = f"{number:016x}"
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    return lambda: _run(folder, url, "plan", "-detailed-exitcode")


def _write(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(HEAD + "".join(map(_resource, range(count))))
    override = f'dev_overrides {{ "bench/bench" = {json.dumps(_folder().name)} }}'
    (folder / "terraform.rc").write_text(f"provider_installation {{\n  {override}\n  direct {{}}\n}}\n")


def _resource(number: int) -> str:
    one = declared(number)
    storage = [
        {
            "type": mount["type"],
            "id": mount.get("id", ""),
            "size_gb": mount.get("sizeGb", 0),
            "mount_path": mount["mountPath"],
        }
        for mount in one["storage"]
    ]
    values = {name: one[field] for name, field in NAMES.items()}
    values |= {"policy_type": one["policy"]["type"], "policy_value": one["policy"]["value"]}
    lines = [f"  {name} = {json.dumps(value)}" for name, value in {**values, "storage": storage}.items()]
    return "\n".join([f'resource "bench_endpoint" "{one["endpoint"]}" {{', *lines, "}\n"])


def _run(folder: Path, url: str, *words: str) -> Timing:
    environ = {**ENVIRON, "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"), "BENCH_URL": url}
    return run_measured(["terraform", *words, *OPTIONS], cwd=folder, environ=environ)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return the folder of the provider, which is removed at the end of the process."""
    return tempfile.TemporaryDirectory(prefix="terraform-provider-")
