"""Whole processes, timed from outside: wall seconds, and the kernel's figure for peak memory."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECONCILER = str(Path(sys.executable).parent / "reconciler")


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The median of several runs: seconds of wall time, MB of peak memory."""

    wall: float
    memory: float
    runs: int


def timed(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    runs: int = 5,
    expected: Sequence[int] = (0,),
    before: Sequence[str] = (),
) -> Timing:
    """Run it once to warm up and then `runs` times; `before` is run, unmeasured, ahead of each.

    Raises RuntimeError with its words when it ends otherwise than expected.
    """
    env = {**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})}
    walls, peaks = [], []
    for _ in range(runs + 1):
        if before:
            subprocess.run(before, cwd=cwd, env=env, check=True, capture_output=True)
        with (cwd / ".bench-output").open("w+b") as output:
            start = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            _, status, usage = os.wait4(process.pid, 0)
            walls.append(time.perf_counter() - start)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode not in expected:
                output.seek(0)
                said = output.read().decode(errors="replace")[-2000:]
                raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
        peaks.append(usage.ru_maxrss / 1024)
    (cwd / ".bench-output").unlink()
    return Timing(
        wall=statistics.median(walls[1:] or walls), memory=statistics.median(peaks[1:] or peaks), runs=runs
    )


@contextlib.contextmanager
def fake(count: int, latency: float = 0, *, changed: bool = False) -> Iterator[str]:
    """The URL of a fake account of `count` endpoints that takes `latency` milliseconds an answer."""
    words = [sys.executable, "-m", "benchmarks.fake", "--count", str(count), "--latency", str(latency)]
    process = subprocess.Popen(
        [*words, *(["--changed"] if changed else [])],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(timeout=30)


def received(url: str) -> dict[str, int]:
    """How many requests of each path the fake has answered."""
    import json

    with urllib.request.urlopen(f"{url}/counts", timeout=10) as answer:
        return json.load(answer)
