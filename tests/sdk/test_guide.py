"""The guide and the example do what they show."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.simulator import Server

from .conftest import KEY

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "examples" / "seed"


def test_the_code_of_the_guide_runs(
    sim: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every block of docs/sdk.md, one after the other in one program, in a copy of the seed's folder."""
    guide = (ROOT / "docs/sdk.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    shutil.copytree(SEED / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NOVITA_API_KEY", KEY)
    monkeypatch.setenv("NOVITA_BASE_URL", sim.url)
    (tmp_path / "guide.py").write_text("\n".join(blocks))
    runpy.run_path("guide.py", run_name="__main__")
    said = capsys.readouterr().out
    assert "my-inference-endpoint: Running, 2/2" in said
    assert "endpoint not found in Novita: `no-such-endpoint`" in said
    assert "there is no spec `no-such-spec`" in said
    assert "exists already" in said
    assert "logs are not supported by Novita's API" in said
    assert said.rstrip().endswith("}")
    assert sim.world.endpoints == []


def test_the_usage_section_of_the_seed_runs(sim: Server, tmp_path: Path) -> None:
    """Line by line, as a program of its own; nothing is left behind."""
    folder = tmp_path / "infra"
    shutil.copytree(SEED, folder)
    environ = {**os.environ, "NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    done = subprocess.run(
        [sys.executable, ROOT / "examples/sdk/seed_usage.py", folder],
        env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line in (
        "my-inference-endpoint: endpoint created in Novita as",
        "Status: Running, Replicas: 5/5",
        "Ready Workers: 5/5",
        "Endpoint: my-inference-endpoint, Status: Running, Replicas: 2/2",
        "] Status changed: desired=",
        "SL-serverless-3",
    ):
        assert line in done.stdout
    assert sim.world.endpoints == []
    assert [one.operation for one in sim.requests if one.method == "POST"] == [
        "create", "create", "update", "update", "delete", "delete",
    ]  # fmt: skip
