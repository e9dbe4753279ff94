"""The commands of docs/server.md run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from reconciler.simulator import Server

from .conftest import ROOT, TOKENS, WRITER, Start

GUIDE = (ROOT / "docs/server.md").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide calls curl")
def test_the_commands_of_the_guide_run(start: Start, sim: Server) -> None:
    (commands,) = re.findall(r"^<!-- commands -->\n```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    server = start(RECONCILER_API_TOKENS=TOKENS)
    script = commands.replace("http://localhost:8090", server.url).replace(
        "curl ", "curl -sS --fail-with-body "
    )
    done = subprocess.run(
        ["sh", "-ec", script], env={**os.environ, "API_TOKEN": WRITER},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"env":{"MODEL_VERSION":"v2"}' in done.stdout
    assert "novita_reconciler_reconcile_total" in done.stdout
    assert sim.world.endpoints == []
