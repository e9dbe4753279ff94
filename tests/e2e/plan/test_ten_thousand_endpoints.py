"""Ten thousand endpoints: nothing is quadratic, neither in time nor in memory."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.e2e.sandbox import ROOT, Sandbox, item

COUNT, NEW = 10_000, 1_000


MEASURE = """\
import os, pathlib, sys
child = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
pathlib.Path(sys.argv[1]).write_text(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Starts a command from a small process, as Linux counts the memory of the starting process too."""


def measured(sandbox: Sandbox, *args: str) -> tuple[float, float, str]:
    """Seconds, peak memory (MB) and stdout of one command that must not fail."""
    peak, log = sandbox.root / "peak", sandbox.root / "stderr"
    command = [sys.executable, "-c", MEASURE, str(peak), sys.executable, "-m", "reconciler", *args]
    started = time.perf_counter()
    with log.open("w") as stderr:
        ran = subprocess.run(
            command,
            cwd=sandbox.root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
        )
    assert ran.returncode in (0, 2), log.read_text()[-2000:]
    return time.perf_counter() - started, int(peak.read_text()) / 1024, ran.stdout


@pytest.mark.slow
def test_ten_thousand_endpoints(sandbox: Sandbox) -> None:
    """Nine thousand are found and recorded, one thousand created, and the next plan has nothing to say."""
    names = [f"e{number:05}" for number in range(COUNT)]
    sandbox.declare(*(item(name, env={"A": "1", "B": "2"}) for name in names))
    bodies = sandbox.run("preview", "--create", "--json").document
    for one in bodies[NEW:]:
        sandbox.sim.world.console_create(**one["body"]["endpoint"])
    seconds, memory, out = measured(sandbox, "plan", "--json")
    summary = json.loads(out)["summary"]
    assert (summary["create"], summary["adopt"]) == (NEW, COUNT - NEW)
    assert seconds < 45
    seconds, memory, out = measured(sandbox, "apply", "--auto-approve", "--json", "--parallelism", "32")
    assert {one["outcome"] for one in json.loads(out)["results"]} == {"done"}
    assert len(sandbox.sent()) == NEW
    assert seconds < 90
    seconds, memory, out = measured(sandbox, "plan", "--detailed-exitcode")
    assert out.startswith("No changes.")
    assert seconds < 30
    assert memory < 400
