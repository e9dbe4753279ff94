"""Whole processes, timed from outside: wall seconds, and the kernel's figure for peak memory."""

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
from collections.abc import Callable, Iterator, Mapping, Sequence
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
"""What would change a run; installed packages have their bytecode, so a checkout may have its own."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Seconds of wall time and MB of peak memory: of one process, or the medians of several."""

    wall: float
    memory: float


def once(
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environ: Mapping[str, str] | None = None,
    expected: Sequence[int] = (0,),
    terminal: bool = False,
) -> Timing:
    """Run it to its end, with `terminal` at one. Raises RuntimeError with its words for another exit code."""
    env = {
        **{name: value for name, value in os.environ.items() if name not in UNSET},
        "PYTHONPATH": str(ROOT),
    }
    env |= {"TERM": "xterm-256color", **(environ or {})}
    ours, theirs = pty.openpty() if terminal else os.pipe()
    said: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(ours, said))
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    reader.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    reader.join()
    os.close(ours)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        words = b"".join(said).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{words}")
    return Timing(wall=wall, memory=usage.ru_maxrss / 1024)


def raced(*contestants: Callable[[], Timing], runs: int) -> list[Timing]:
    """The medians of each. They take turns, so that a machine that changes its pace does so for all alike."""
    for run in contestants:
        run()  # to warm up
    laps = [[run() for run in contestants] for _ in range(runs)]
    return [
        Timing(
            wall=statistics.median(one.wall for one in own),
            memory=statistics.median(one.memory for one in own),
        )
        for own in zip(*laps, strict=True)
    ]


@contextlib.contextmanager
def fake(count: int, latency: float = 0, *, changed: bool = False) -> Iterator[str]:
    """The URL of a fake account of `count` endpoints that takes `latency` milliseconds an answer."""
    words = [sys.executable, "-m", "benchmarks.fake", "--count", str(count), "--latency", str(latency)]
    with subprocess.Popen(
        [*words, *(["--changed"] if changed else [])],
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


def received(url: str) -> int:
    """How many requests the fake has answered, those of this function aside."""
    with urllib.request.urlopen(f"{url}/counts", timeout=10) as answer:
        counts: dict[str, int] = json.load(answer)
    return sum(count for path, count in counts.items() if path != "/counts")


def _read_all(descriptor: int, said: list[bytes]) -> None:
    while True:
        try:
            data = os.read(descriptor, 1 << 16)
        except OSError:  # how Linux says that nobody is left at the other end of a terminal
            return
        if not data:
            return
        said.append(data)
