"""Ten thousand endpoints: nothing is quadratic, neither in time nor in memory."""

import json
import os
import time

import pytest

from tests.e2e.sandbox import Sandbox, item

COUNT, NEW = 10_000, 1_000


def measured(sandbox: Sandbox, *args: str) -> tuple[float, float, str]:
    """Seconds, peak memory (MB) and stdout of one command that must not fail."""
    log = sandbox.root / "stderr"
    started = time.perf_counter()
    with log.open("w") as stderr:
        process = sandbox.start(*args, stderr=stderr)
    assert process.stdout
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds, process.returncode = time.perf_counter() - started, os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 2), log.read_text()[-2000:]
    return seconds, usage.ru_maxrss / 1024, out


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
    assert memory < 800
