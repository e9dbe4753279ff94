"""The inventory in PostgreSQL and in an object store, beside a file, with the servers of the tests."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from itertools import count

from benchmarks.measure import ROOT, Timing, delayed, fake, measure_in_turn
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, Bench, with_empty_account
from benchmarks.world import write_repo
from tests.postgres_server import PostgresServer, postgres, programs
from tests.s3_server import s3_server

TEN = 10
CREATES = 1_000
LATENCY = 20
"""Milliseconds of each call."""

NEAR, FAR = 20, 100
"""Milliseconds of a round trip to a database, and of a call to the account, for a plan."""

WIDTH = 32
"""Calls at once."""

MORE_PLAN = 0.04
"""Seconds that a plan may take longer than with a file."""

LEASE = 3.0
"""Seconds of the lease in an object store. A user has 60, which would take the benchmark minutes."""

HOLDER = """
import os, sys, time
from pathlib import Path
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
holder = current_holder(command="benchmark", environ=os.environ, clock=time.time)
print("waiting", flush=True)
with open_store(sys.argv[1], Path(), os.environ).hold(holder, timeout=60.0):
    print("held", flush=True)
    sys.stdin.read()
"""


def stores(bench: Bench) -> Iterator[Row | str]:
    """Compare plans, creates and takeovers. The rows of an engine that is not installed are left out."""
    if programs() is None:
        yield "Rows about PostgreSQL are missing: it is not installed."
    else:
        with postgres(durable=True) as server:
            yield from _on_postgres(bench, server)
    if not (find_spec("moto") and find_spec("obstore")):
        yield "Rows about object stores are missing: the extra `dev` is not installed."
        return
    with s3_server() as server:
        seconds = _takeover(
            server.new_address,
            {**server.environ(), "RECONCILER_OBJECT_STORE_LEASE_SECONDS": str(LEASE)},
            bench.runs,
        )
        yield Row(
            what="takeover after kill -9, object store", result=seconds, baseline=LEASE + 5,
            baseline_name=f"a lease of {LEASE:g} s, and 5 s", limit=1,
        )  # fmt: skip


def _on_postgres(bench: Bench, server: PostgresServer) -> Iterator[Row]:
    shared, alone = _plans(bench, server, server.port, latency=0)
    yield Row(
        what=f"no-change plan of {TEN} on PostgreSQL, 0 ms", result=shared.wall,
        baseline=alone.wall + MORE_PLAN, baseline_name=f"a file, and {MORE_PLAN * 1000:.0f} ms", limit=1,
    )  # fmt: skip
    with delayed(server.port, NEAR) as port:
        shared, alone = _plans(bench, server, port, latency=FAR)
    yield Row(
        what=f"no-change plan of {TEN} on PostgreSQL, {NEAR} ms to it and {FAR} ms to the account",
        result=shared.wall, baseline=alone.wall + 2 * NEAR / 1000 + MORE_PLAN,
        baseline_name=f"a file, 2 round trips, and {MORE_PLAN * 1000:.0f} ms", limit=1,
    )  # fmt: skip
    numbers = count()
    shared, alone = measure_in_turn(
        _creating(bench, lambda: ("--state", server.address(f"creates-{next(numbers)}", schema="bench"))),
        _creating(bench, lambda: ()),
        runs=bench.runs,
    )
    yield Row(
        what=f"{CREATES:,} creates on PostgreSQL, {LATENCY} ms, {WIDTH} at once", result=shared.wall,
        baseline=alone.wall, baseline_name="a file", limit=1.15,
    )  # fmt: skip
    seconds = _takeover(lambda: server.address(f"lock-{next(numbers)}", schema="bench"), {}, bench.runs)
    yield Row(
        what="takeover after kill -9, PostgreSQL", result=seconds, baseline=1.0, baseline_name="1 s", limit=1
    )


def _plans(bench: Bench, server: PostgresServer, port: int, latency: float) -> list[Timing]:
    """Return the timings of a plan without changes, with the server behind this port and with a file."""
    repo, address = bench.recorded(TEN), server.address(schema=f"plan_{port}", port=port)
    words = ("plan", "--detailed-exitcode")
    with fake(TEN, latency) as url:
        bench.reconciler(repo, "--state", address, "apply", "--yes", url=url)()
        return measure_in_turn(
            bench.reconciler(repo, "--state", address, *words, url=url),
            bench.reconciler(repo, *words, url=url),
            runs=MORE_RUNS * bench.runs,
        )


def _creating(bench: Bench, place: Callable[[], tuple[str, ...]]) -> Callable[[], Timing]:
    """Return an apply of creates to an empty account. place: the options that name a new inventory."""
    repo = bench.folder / f"creates-{CREATES}"
    if not repo.exists():
        write_repo(repo, CREATES)

    def run(url: str) -> Timing:
        shutil.rmtree(repo / "state", ignore_errors=True)
        words = (*place(), "apply", "--yes", "--parallelism", str(WIDTH))
        return bench.reconciler(repo, *words, url=url)()

    return lambda: with_empty_account(run, latency=LATENCY)


def _takeover(place: Callable[[], str], environ: Mapping[str, str], runs: int) -> float:
    """Return the median of the seconds from the kill of a holder until the next run has its lock."""
    seconds = []
    for _ in range(runs):
        address = place()
        with _holder(address, environ) as first:
            _read(first, "waiting", "held")
            with _holder(address, environ) as second:
                _read(second, "waiting")
                first.kill()
                start = time.perf_counter()
                _read(second, "held")
                seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _holder(address: str, environ: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, address],
        cwd=ROOT,
        env={**os.environ, **environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _read(process: subprocess.Popen[str], *lines: str) -> None:
    assert process.stdout
    for line in lines:
        assert process.stdout.readline() == f"{line}\n"
