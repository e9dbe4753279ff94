"""What a plan without changes imports: each import costs time at every start."""

from __future__ import annotations

import subprocess
import sys

from tests.e2e.sandbox import Sandbox

SCRIPT = """
import sys
before = set(sys.modules)
from reconciler.cli.main import run
assert run(["plan"]) == 0
print(*(set(sys.modules) - before), file=sys.stderr)
"""

THIRD_PARTY = {"click", "jsonschema_rs"}
"""Plain YAML needs no yaml."""

NOT_NEEDED = {"asyncio", "concurrent", "logging", "shutil", "tempfile", "urllib.request"}
"""Of the standard library."""

OTHER_KINDS = {"kinds.network_storage", "kinds.registry_credential"}
"""Packages of `reconciler` for what is not declared."""

OF_CHANGES = {"apply", "reports.html", "simulator", "workflow.apply", "workflow.saved_plan", "planning.steps"}
"""Packages and modules of `reconciler` that only a change needs."""

MAX_MODULES = 164
"""Modules of `reconciler` (count). Each takes 0.15 ms before it does anything."""


PLAIN_SPECS = """\
specs:
  - name: small
    resources: {gpu: "1", ephemeralStorage: "50"}
    platforms:
      novita: {productId: "SL-serverless-3", region: "us-dallas-nas-2"}
"""
PLAIN_ENDPOINT = """\
  - endpoint: svc-{}
    specName: small
    image: ubuntu:22.04
"""


def test_a_plan_without_changes_imports_only_what_it_needs(sandbox: Sandbox) -> None:
    sandbox.write("config.yaml", "novita:\n  settle_seconds: 0.05\n")
    sandbox.write("specs.yaml", PLAIN_SPECS)
    sandbox.write("endpoints.yaml", "endpoints:\n" + "".join(map(PLAIN_ENDPOINT.format, range(10))))
    sandbox.apply()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=sandbox.root, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split("\n")[-2].split())
    ours = {name for name in loaded if name.partition(".")[0] == "reconciler"}
    packages = {name.partition(".")[0] for name in loaded - ours if "cython" not in name}
    assert packages - sys.stdlib_module_names - {"org"} == THIRD_PARTY
    assert loaded & NOT_NEEDED == set()
    assert {name for name in OF_CHANGES | OTHER_KINDS if f"reconciler.{name}" in ours} == set()
    assert len(ours) <= MAX_MODULES
