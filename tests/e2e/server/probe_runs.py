"""Runs of `doctor --probe-api --with-writes`, and what they leave in the account."""

from __future__ import annotations

from reconciler.simulator.profile import profile_from
from tests.e2e.sandbox import Sandbox

COMMAND = ("doctor", "--probe-api", "--with-writes", "--yes")


def switch(sandbox: Sandbox, settings: list[str]) -> None:
    account = sandbox.sim.world._account
    account.profile = profile_from(settings, account.profile)


def left(sandbox: Sandbox) -> list[str]:
    return [name for name in sandbox.live() if name.startswith("reconciler-probe-")]


def remove(sandbox: Sandbox, name: str) -> None:
    """Run the commands that the probe prints, and expect that nothing is left."""
    assert sandbox.run("recover").code == 0
    if name in sandbox.live() or name in sandbox.run("state", "list").out:
        ran = sandbox.run("delete", name, "--yes")
        assert ran.code == 0, ran.err
    assert left(sandbox) == []
    assert name not in sandbox.run("state", "list").out
