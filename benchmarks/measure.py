"""Measure whole processes from outside: wall time, and peak memory as the kernel reports it."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECONCILER = str(Path(sys.executable).parent / "reconciler")
UNSET = (
    "CI",
    "GITHUB_ACTIONS",
    "NOVITA_BASE_URL",
    "PYTHONDONTWRITEBYTECODE",
    "RECONCILER_STATE_KEY",
    "TF_CLI_CONFIG_FILE",
)
"""Variables that would change a run. Installed packages have bytecode, so the checkout may write its own."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Wall time (seconds) and peak memory (MB) of one process, or the medians of several."""

    wall: float
    memory: float


def run_measured(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
    terminal: bool = False,
) -> Timing:
    """Run a command, at a terminal if `terminal`.

    Raise RuntimeError with its output for an unexpected exit code.
    """
    env = {
        **{name: value for name, value in os.environ.items() if name not in UNSET},
        "PYTHONPATH": str(ROOT),
    }
    env |= {"TERM": "xterm-256color", **(environ or {})}
    read_end, write_end = pty.openpty() if terminal else os.pipe()
    output: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(read_end, output))
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=write_end, stderr=write_end
    )
    os.close(write_end)
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    reader.join()
    os.close(read_end)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        text = b"".join(output).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{text}")
    return Timing(wall=wall, memory=usage.ru_maxrss / 1024)


def measure_in_turn(*contestants: Callable[[], Timing], runs: int) -> list[Timing]:
    """Return the medians of each. The runs alternate, so that a slower machine affects all alike."""
    for run in contestants:
        run()  # to warm up
    laps = [[run() for run in contestants] for _ in range(runs)]
    return [
        Timing(
            wall=statistics.median(timing.wall for timing in timings),
            memory=statistics.median(timing.memory for timing in timings),
        )
        for timings in zip(*laps, strict=True)
    ]


@contextlib.contextmanager
def delayed(port: int | str, milliseconds: float) -> Iterator[int]:
    """Run a relay with this round-trip time in front of a port of this machine, and yield its port."""
    words = [sys.executable, "-m", "benchmarks.relay", str(port), str(milliseconds)]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as relay:
        assert relay.stdin
        assert relay.stdout
        try:
            yield int(relay.stdout.readline())
        finally:
            relay.stdin.close()


@contextlib.contextmanager
def fake(
    count: int,
    latency: float = 0,
    *,
    changed: int = 0,
    lag: float = 0,
    tls: Path | None = None,
    has_all_kinds: bool = False,
) -> Iterator[str]:
    """Serve a fake account with `latency` (milliseconds) per response, and yield its URL.

    The first `changed` endpoints differ from their declaration. Updates and deletes show after `lag` seconds.
    `tls`: the file of a certificate and its key. `has_all_kinds`: with storages and credentials.
    """
    more = ["--all-kinds"] if has_all_kinds else []
    words = [sys.executable, "-m", "benchmarks.fake", "--count", str(count), "--latency", str(latency)]
    with subprocess.Popen(
        [*words, "--lag", str(lag), "--changed", str(changed), "--tls", str(tls or ""), *more],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def calls(url: str) -> list[tuple[str, float, float]]:
    """Return the calls of a fake account since the last time: operation, received and answered (seconds)."""
    with urllib.request.urlopen(f"{url}/log", timeout=10) as answer:
        log = json.load(answer)
    urllib.request.urlopen(urllib.request.Request(f"{url}/log", method="DELETE"), timeout=10).close()
    return [(operation, begun, ended) for operation, begun, ended in log]


def in_series(times: Iterable[tuple[float, float]]) -> int:
    """Return the length of the longest chain of calls that each begin after the end of the one before.

    `times` are the begin and the end of each call (seconds).
    """
    length, end = 0, 0.0
    for began, ended in sorted(times, key=lambda call: call[1]):
        if began >= end:
            length, end = length + 1, ended
    return length


def _read_all(descriptor: int, output: list[bytes]) -> None:
    while True:
        try:
            data = os.read(descriptor, 1 << 16)
        except OSError:  # Linux: the other end of the terminal is closed
            return
        if not data:
            return
        output.append(data)
