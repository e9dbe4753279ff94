"""The usage section of the seed, as a script of its curl lines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest

from reconciler.simulator import Server

from .conftest import ROOT, Start

SCRIPT = ROOT / "examples/sdk/seed_usage.sh"
TOKEN = "a-token-that-nobody-can-guess"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the script calls curl")
@pytest.mark.parametrize("with_token", [True, False])
def test_every_line_of_the_usage_section_is_answered(start: Start, sim: Server, with_token: bool) -> None:
    if with_token:
        server = start(RECONCILER_API_TOKENS=f"ci:{TOKEN}:write")
        environ = {"API_TOKEN": TOKEN}
    else:
        server, environ = start("--allow-unauthenticated-writes"), {}
    done = subprocess.run(
        [SCRIPT], env={**os.environ, "SERVER": server.url, **environ},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    preview, _, rest = done.stdout.partition("\n}\n")
    body = json.loads(preview + "}")["endpoint"]
    assert (body["name"], body["workerConfig"]["maxNum"], body["envs"]) == ("base-test", 3, [])
    made, scaled, details, status, listed, updated, deleted = map(json.loads, rest.splitlines())
    assert list(made) == ["createdAt", "endpoint", "message"]
    assert re.fullmatch(r"Endpoint deployed successfully \(ID: \w+\)", made["message"])
    assert scaled == {"endpoint": "base-test", "message": "Endpoint scaled successfully"}
    assert (details["name"], details["replicas"], details["specName"]) == (
        "base-test",
        5,
        "novita-5090-single",
    )
    assert details["env"] == {"MODEL_NAME": "(sensitive value)"}
    assert list(status) == ["endpoint", "status", "readyReplicas", "availableReplicas", "totalReplicas"]
    assert listed == [details]
    assert updated == {"endpoint": "base-test", "message": "Endpoint updated successfully"}
    assert deleted == {"message": "Endpoint deleted successfully", "name": "base-test"}
    assert sim.world.endpoints == []


def test_the_script_has_every_curl_line_of_the_python_example_s_section() -> None:
    """One line for each operation of the section."""
    lines = re.findall(r'^curl (?:-X (\w+) )?"\$SERVER(\S+)"', SCRIPT.read_text(), re.MULTILINE)
    one = "/api/v1/endpoints/base-test"
    assert sorted((method or "GET", path) for method, path in lines) == sorted(
        [
            ("POST", "/api/v1/endpoints"),
            ("POST", "/api/v1/endpoints/preview"),
            ("POST", f"{one}/scale"),
            ("GET", one),
            ("GET", f"{one}/status"),
            ("GET", "/api/v1/endpoints"),
            ("DELETE", one),
            ("PATCH", f"{one}/deployment"),
        ]
    )
