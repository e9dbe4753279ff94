"""octoDNS with comparable work: its YAML files and a provider that lists the same account.

One TXT record an endpoint, four lines of YAML instead of twenty-seven: a planner with less to read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Timing, run_measured
from benchmarks.world import declared

ZONE = "bench.test"


def no_change(folder: Path, count: int, url: str) -> Callable[[], Timing]:
    """Return a dry run of `octodns-sync` that must be empty; it fails if there is a change."""
    (folder / "zones").mkdir(parents=True)
    (folder / "zones" / f"{ZONE}.yaml").write_text("---\n" + "".join(map(_record, range(count))))
    (folder / "config.yaml").write_text(
        "providers:\n"
        "  yaml:\n"
        "    class: octodns.provider.yaml.YamlProvider\n"
        "    directory: ./zones\n"
        "  account:\n"
        "    class: benchmarks.octodns_peer.provider.AccountProvider\n"
        f"    url: {url}\n"
        "zones:\n"
        f"  {ZONE}.:\n"
        "    sources: [yaml]\n"
        "    targets: [account]\n"
    )
    command = [sys.executable, "-m", "benchmarks.octodns_peer.sync", "config.yaml"]
    return lambda: run_measured(command, cwd=folder)


def _record(number: int) -> str:
    one = declared(number)
    return f"{one['endpoint']}:\n  ttl: 300\n  type: TXT\n  value: {one['image']}\n"
