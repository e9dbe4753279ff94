"""A network path to this machine that can be dropped silently, as by a dead router: nothing is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.postgres_server import missing


@dataclass(frozen=True)
class NetworkPath:
    """A network namespace, which is another machine for TCP. `prefix` runs a command there."""

    name: str
    device: str
    server: str
    client: str

    @property
    def prefix(self) -> Sequence[str]:
        return ("ip", "netns", "exec", self.name)

    def drop(self) -> None:
        """Let no packet arrive any more: each end sends to a hardware address that nobody has."""
        nobody = ("lladdr", "02:00:00:00:00:99", "nud", "permanent")
        _ip("neigh", "replace", self.client, "dev", self.device, *nobody)
        _ip("-n", self.name, "neigh", "replace", self.server, "dev", "eth", *nobody)


@contextmanager
def network_path() -> Iterator[NetworkPath]:
    """Make a path and remove it afterwards. It needs root, or the test is skipped."""
    if shutil.which("ip") is None:
        missing("iproute2")
    number = os.getpid() % 250
    path = NetworkPath(f"rec-{os.getpid()}", f"rec{os.getpid()}", f"10.251.{number}.1", f"10.251.{number}.2")
    if os.getuid() != 0 or not _try_ip("netns", "add", path.name):
        pytest.skip("only root of a whole machine may make network namespaces")
    try:
        _ip("link", "add", path.device, "type", "veth", "peer", "name", "eth", "netns", path.name)
        _ip("addr", "add", f"{path.server}/24", "dev", path.device)
        _ip("link", "set", path.device, "up")
        _ip("-n", path.name, "addr", "add", f"{path.client}/24", "dev", "eth")
        _ip("-n", path.name, "link", "set", "eth", "up")
        yield path
    finally:
        _ip("netns", "del", path.name)
        _try_ip("link", "del", path.device)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=20)


def _try_ip(*arguments: str) -> bool:
    return subprocess.run(["ip", *arguments], capture_output=True, timeout=20).returncode == 0
