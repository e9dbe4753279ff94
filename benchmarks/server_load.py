"""`reconciler serve` under load: readers of the list, pages that follow events, and nobody.

The server, the account and the clients are processes of their own. Processor time and memory are those of the
server alone, as /proc has them. A client that fails ends the measurement.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import RECONCILER, ROOT, UNSET, calls, fake
from benchmarks.rows import Row
from benchmarks.targets import PAGE, Bench

COUNT = 1_000
READERS, PAGES = 200, 500
"""Connections that ask for the list, and pages that follow events (count)."""

INTERVAL = 10.0
"""Seconds between two listings, as by default."""

REST, ALONE, PACED, TOGETHER, FOLLOWED = 20.0, 10.0, 20.0, 60.0, 60.0
"""Seconds without a client, with one reader, with all readers as below, and with all pages."""

PAUSE = 1.0
"""Seconds between two requests of a reader; without it, readers measure how long they wait for each other."""

GOAL = "the goal"


class Serve:
    """A server in a process. `url`: where it listens."""

    def __init__(self, repo: Path, account: str) -> None:
        environ = {name: value for name, value in os.environ.items() if name not in UNSET}
        environ |= {"PYTHONPATH": str(ROOT), "NOVITA_API_KEY": "sk_bench", "NOVITA_BASE_URL": account}
        self._process = subprocess.Popen(
            [RECONCILER, "-C", str(repo), "serve", "--listen", "127.0.0.1:0", "--quiet"],
            env=environ, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout
        self.url = self._process.stdout.readline().split()[4].rstrip(",")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)
        assert self._process.stdout
        self._process.stdout.close()

    def seconds(self) -> float:
        """Return the processor time of all its threads so far (seconds)."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def peak_memory(self) -> float:
        """Return the peak of its resident memory (MB)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024


@contextmanager
def serving(repo: Path, account: str) -> Iterator[Serve]:
    server = Serve(repo, account)
    try:
        yield server
    finally:
        server.close()


def clients(url: str, count: int, seconds: float, pause: float = 0) -> dict[str, float]:
    """Run the clients in a process, and return what they saw. Raise RuntimeError if one of them failed."""
    words = ["--clients", str(count), "--seconds", str(seconds), "--pause", str(pause)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.clients", url, *words],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    seen: dict[str, float] = json.loads(done.stdout)
    if not seen["fewest"]:
        raise RuntimeError("a client got no answer")
    return seen


def server_load(bench: Bench) -> Iterator[Row]:
    repo = bench.recorded(COUNT)
    (repo / "config.yaml").write_text(f"novita: {{poll_interval: {INTERVAL:g}}}\n")
    with fake(COUNT) as account, serving(repo, account) as server:
        before = server.seconds()
        time.sleep(REST)
        resting = (server.seconds() - before) / REST
        listed = f"{server.url}/api/v1/endpoints"
        clients(listed, 1, 0)  # the first reader waits for the first listing
        alone = clients(listed, 1, ALONE)
        paced = clients(listed, READERS, PACED, PAUSE)
        began = time.perf_counter()
        together = clients(listed, READERS, TOGETHER)
        rate = together["answers"] / (time.perf_counter() - began)
        calls(account)
        before, began = server.seconds(), time.perf_counter()
        clients(f"{server.url}/events", PAGES, FOLLOWED)
        elapsed = time.perf_counter() - began
        following = (server.seconds() - before) / elapsed
        requests = sum(operation == "/endpoints" for operation, *_ in calls(account))
        memory = server.peak_memory()
    listings = requests / (-(-COUNT // PAGE) + 1)
    for what, result, unit, baseline, of, limit in (
        (f"GET list of {COUNT:,}, 99 %, one reader", alone["p99"], "s", 0.05, GOAL, 1),
        (f"GET list of {COUNT:,}, 99 %, {READERS} readers, 1/s", paced["p99"], "s", 0.05, GOAL, None),
        (f"{READERS} readers without a pause, {TOGETHER:g} s", rate, "a second", READERS, "one each", None),
        (f"listings while {PAGES} pages follow", listings, "", elapsed / INTERVAL + 1, "intervals", 1),
        (f"server while {PAGES} pages follow", 100 * following, "% of a core", 100, "a core", None),
        ("server at rest", 100 * resting, "% of a core", 1, GOAL, 1),
        ("its peak memory", memory, "MB", 200, GOAL, 1),
    ):  # fmt: skip
        yield Row(what=what, result=result, baseline=baseline, baseline_name=of, limit=limit, unit=unit)
