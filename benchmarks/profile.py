"""Where the time of a no-change plan of ten goes, seen from outside the process."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from unittest import mock

from benchmarks.measure import RECONCILER, calls, fake, run_measured
from benchmarks.targets import PYTHON, Bench
from benchmarks.tls import make_certificate

COUNT = 10
LATENCY = 100
"""Milliseconds of each call."""

OURS = "reconciler"
LIBRARIES = ("click", "yaml", "jsonschema_rs", "httpx", "httpcore", "h11")
"""Packages with a line of their own; all others are those of Python."""


def profile(bench: Bench) -> Iterator[str]:
    """Yield a table of the phases of the process and one of the imports."""
    phases = _phases(bench, bench.recorded(COUNT))
    imports = _imports(bench, bench.recorded(COUNT))
    rows = [(what, f"{seconds * 1000:.0f} ms") for what, seconds in phases.items()]
    rows += [(f"import of {what}", f"{seconds * 1000:.0f} ms") for what, seconds in imports.items()]
    width = max(len(what) for what, _ in rows)
    lines = [f"| {what:<{width}} | {figure:>7} |" for what, figure in rows]
    title = (
        f"Where the time of a no-change plan of {COUNT} goes, at {LATENCY} ms a call. The phases follow one\n"
        "another; the imports are parts of them, as `-X importtime` counts them, which adds about a quarter."
    )
    yield "\n".join([title, "", f"| {'phase':<{width}} |    time |", f"| {'-' * width} | ------: |", *lines])


def _phases(bench: Bench, repo: Path) -> Mapping[str, float]:
    """Return the medians of the phases (seconds)."""
    certificate = make_certificate(bench.folder)
    plain, secure = [], []
    for _ in range(2 * bench.runs + 1):  # the first one warms up
        plain.append(_phases_of_run(bench, repo))
        with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(certificate)}):
            secure.append(_phases_of_run(bench, repo, certificate)[1])
    start, sent, wire, rest = map(statistics.median, zip(*plain[1:], strict=True))
    more = [with_tls - without[1] for with_tls, without in zip(secure, plain, strict=True)]
    return {
        "start of the interpreter": start,
        "from there to the first request": sent - start,
        "more with TLS: context and handshake": statistics.median(more[1:]),
        "calls, with imports and files read meanwhile": wire,
        "from the last answer to the end": rest,
    }


def _phases_of_run(
    bench: Bench, repo: Path, certificate: Path | None = None
) -> tuple[float, float, float, float]:
    """Return the seconds of: an empty interpreter; until the first call; the calls; after the last answer."""
    empty = run_measured([PYTHON, "-c", "pass"]).wall
    with fake(COUNT, LATENCY, tls=certificate) as url:
        plan = bench.reconciler(repo, "plan", url=url)
        started = time.monotonic()
        wall = plan().wall
        log = calls(url)
    first, last = min(begun for _, begun, _ in log), max(ended for _, _, ended in log)
    return empty, first - started, last - first, started + wall - last


def _imports(bench: Bench, repo: Path) -> Mapping[str, float]:
    """Return the seconds of the imports of a plan, by package."""
    seconds: Counter[str] = Counter()
    with fake(COUNT) as url:
        bench.reconciler(repo, "plan", url=url)()
        environ = {**os.environ, "NOVITA_API_KEY": "k", "NOVITA_BASE_URL": url}
        words = [PYTHON, "-X", "importtime", RECONCILER, "plan"]
        done = subprocess.run(words, cwd=repo, env=environ, capture_output=True, text=True, check=True)
    for line in done.stderr.splitlines():
        own, _, name = line.removeprefix("import time:").split("|")
        if own.strip().isdigit():
            package = name.strip().partition(".")[0].lstrip("_")
            seconds[package if package in (OURS, *LIBRARIES) else "Python's own modules"] += int(own)
    return {name: microseconds / 1e6 for name, microseconds in seconds.most_common()}
