"""Large files are read while the account is listed. The result is the same; only the time differs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Fault
from reconciler.workflow.runtime import config as configuration
from reconciler.workflow.runtime.account import PREFETCH_MIN_BYTES
from tests.e2e.sandbox import Sandbox, item

PADDING = "# " + "x" * PREFETCH_MIN_BYTES + "\n"


def declare(sandbox: Sandbox, *items: dict[str, Any], large: bool = True) -> None:
    sandbox.write("endpoints.yaml", (PADDING if large else "") + json.dumps({"endpoints": list(items)}))


def while_reading(sandbox: Sandbox, act: Callable[[], None]) -> None:
    """Do something when the files are about to be read."""
    load = configuration.load

    def acting(*args: Any, **options: Any) -> Any:
        act()
        return load(*args, **options)

    sandbox.monkeypatch.setattr(configuration, "load", acting)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_account_is_listed_while_large_files_are_read(sandbox: Sandbox, command: str) -> None:
    declare(sandbox, item("a"), item("b"))
    sandbox.apply()
    before = len(sandbox.sent("list"))
    assert sandbox.run(command, "--json").code == 0
    usual = len(sandbox.sent("list")) - before
    listed = threading.Event()
    sandbox.sim.faults.before("list", lambda _request: listed.set(), nth=0)
    while_reading(sandbox, lambda: listed.wait(10) or pytest.fail("it was not listed"))
    assert sandbox.run(command, "--json").code == 0
    assert len(sandbox.sent("list")) - before == 2 * usual


def test_no_request_is_sent_while_small_files_are_read(sandbox: Sandbox) -> None:
    """Reading them takes less time than a connection, and they may be invalid."""
    declare(sandbox, item("a"), large=False)
    while_reading(sandbox, lambda: None if sandbox.sim.requests == [] else pytest.fail("a request was sent"))
    assert sandbox.plan().code == 2


def test_an_invalid_large_file_is_reported_at_once(sandbox: Sandbox) -> None:
    """The listing is not waited for."""
    sandbox.sim.faults.add(Fault(operation="list", kind="hang", seconds=40.0, times=None))
    declare(sandbox, item("a", replicas="many"))
    began = time.monotonic()
    ran = sandbox.process("plan")
    assert time.monotonic() - began < 20
    assert ran.code == 1
    assert "endpoints.yaml:2:" in ran.err
    assert "replicas" in ran.err


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="list", kind="hang", seconds=40.0, times=None),
        Fault(operation="list", status=429, retry_after=40, times=None),
    ],
    ids=["hangs", "is retried"],
)
def test_a_failed_plan_does_not_wait_for_pending_pages(sandbox: Sandbox, fault: Fault) -> None:
    """The files are found invalid while a page of the listing hangs or is to be retried."""
    sandbox.sim.world.switch(max_page_size=1)
    sandbox.declare(item("a"), item("b"), item("c"))
    sandbox.apply()
    sandbox.sim.faults.after("list", lambda _request: sandbox.sim.faults.add(fault))
    pending = threading.Event()
    take = sandbox.sim.faults.take

    def reporting(operation: str) -> Fault | None:
        met = take(operation)
        if met is not None:
            pending.set()
        return met

    sandbox.monkeypatch.setattr(sandbox.sim.faults, "take", reporting)
    declare(sandbox, item("z", replicas="many"))
    script = (
        "import sys\n"
        "from reconciler.cli.main import main\n"
        "from reconciler.workflow.runtime import config\n"
        "load = config.load\n"
        "config.load = lambda *given, **options: sys.stdin.read() or load(*given, **options)\n"
        "main(['plan'])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=sandbox.root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert pending.wait(60)
            _, error = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "replicas" in error


@pytest.mark.parametrize("fault", [Fault(status=401, times=None), Fault(status=400, reason="X", times=None)])
def test_a_failed_listing_is_reported_alike_for_small_and_large_files(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.sim.faults.add(fault)
    ended = []
    for large in (False, True):
        declare(sandbox, item("a"), large=large)
        ran = sandbox.run("plan")
        ended.append((ran.code, ran.out, ran.err))
    assert ended[0] == ended[1]
    assert ended[0][0] != 0


def test_without_a_key_no_request_is_sent(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    declare(sandbox, item("a"))
    ran = sandbox.run("plan")
    assert (ran.code, sandbox.sim.requests) == (1, [])
    assert "NOVITA_API_KEY" in ran.err


def test_an_apply_lists_the_account_again_under_the_lock(sandbox: Sandbox) -> None:
    """The prefetched listing is used by the first plan alone."""
    declare(sandbox, item("a"), item("b"))
    sandbox.apply()
    declare(sandbox, item("a", image="ubuntu:24.04"), item("b"))
    sandbox.apply()
    assert sandbox.live()["a"]["image"]["image"] == "ubuntu:24.04"
    assert sandbox.plan().code == 0
