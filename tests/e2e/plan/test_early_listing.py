"""The account is listed while the files are read. The result is the same; only the time differs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.inventory import session as inventory_session
from reconciler.novita.messages import Masker
from reconciler.simulator import Fault
from reconciler.workflow.runtime import config as configuration
from tests.e2e.registries.credentials import PASSWORD, credential
from tests.e2e.sandbox import Sandbox, item
from tests.e2e.storages.support import storage


def while_reading(sandbox: Sandbox, act: Callable[[], None]) -> None:
    """Do something when the files are about to be read."""
    load = configuration.load

    def acting(*args: Any, **options: Any) -> Any:
        act()
        return load(*args, **options)

    sandbox.monkeypatch.setattr(configuration, "load", acting)


LISTING_COMMANDS = {
    "plan": ["plan"],
    "preview": ["preview"],
    "apply": ["apply", "--auto-approve"],
    "drift": ["drift"],
    "drift accept": ["drift", "accept", "a"],
    "drift revert": ["drift", "revert", "--auto-approve"],
    "list": ["list"],
    "import": ["import", "--all", "--out", "imported.yaml"],
    "update": ["update", "a", "--task-timeout", "77", "--auto-approve"],
    "scale": ["scale", "a", "2", "--auto-approve"],
    "delete": ["delete", "a", "--auto-approve"],
    "destroy": ["destroy", "--auto-approve"],
}


@pytest.mark.parametrize("command", LISTING_COMMANDS)
def test_the_account_is_listed_while_the_files_are_read(sandbox: Sandbox, command: str) -> None:
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    if command in ("drift accept", "drift revert"):
        sandbox.sim.world.console_update(sandbox.id("a"), workerConfig={"minNum": 1, "maxNum": 5})
    listed = threading.Event()
    sandbox.sim.faults.before("list", lambda _request: listed.set(), nth=0)
    while_reading(sandbox, lambda: listed.wait(10) or pytest.fail("it was not listed"))
    before = len(sandbox.sent("list"))
    assert sandbox.run(*LISTING_COMMANDS[command]).code == 0
    assert len(sandbox.sent("list")) > before


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_recorded_kinds_are_listed_while_the_files_are_read(sandbox: Sandbox, command: str) -> None:
    """Each of them once: the inventory mentions them before it is parsed."""
    sandbox.monkeypatch.setenv("HUB_PASSWORD", PASSWORD)
    sandbox.declare(item("a"), storages=[storage()], registries=[credential()])
    sandbox.apply()
    listed = {operation: threading.Event() for operation in ("storages", "auths")}
    for operation, event in listed.items():
        sandbox.sim.faults.before(operation, lambda _request, event=event: event.set())
    while_reading(
        sandbox,
        lambda: all(event.wait(10) for event in listed.values()) or pytest.fail("they were not listed"),
    )
    before = {operation: len(sandbox.sent(operation)) for operation in listed}
    assert sandbox.run(command).code == 0
    sent = {operation: len(sandbox.sent(operation)) - before[operation] for operation in listed}
    assert sent == {"storages": 2, "auths": 1}


@pytest.mark.parametrize("command", ["list", "status", "output"])
def test_a_command_about_endpoints_lists_no_other_kind(sandbox: Sandbox, command: str) -> None:
    sandbox.declare(item("a"), storages=[storage()])
    sandbox.apply()
    before = len(sandbox.sent("storages"))
    assert sandbox.run(command).code == 0
    assert len(sandbox.sent("storages")) == before


def test_a_large_inventory_is_not_searched_for_other_kinds(sandbox: Sandbox) -> None:
    """They are listed when it is parsed."""
    sandbox.monkeypatch.setattr(inventory_session, "MAX_SEARCHED", 10)
    sandbox.declare(item("a"), storages=[storage()])
    sandbox.apply()
    before = len(sandbox.sent("storages"))
    assert sandbox.run("plan").code == 0
    assert len(sandbox.sent("storages")) - before == 2


@pytest.mark.parametrize("command", ["plan", "list", "drift"])
def test_the_early_listing_is_the_only_one(sandbox: Sandbox, command: str) -> None:
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    before = len(sandbox.sent("list"))
    assert sandbox.run(command).code == 0
    assert len(sandbox.sent("list")) - before == 2


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (["validate"], True),
        (["preview", "--create"], True),
        (["plan", "--bind-commit"], True),
        (["plan"], False),
        (["apply", "--auto-approve"], False),
        (["apply", "missing.plan"], True),
        (["scale", "a"], True),
        (["scale", "a", "2", "--write"], True),
        (["state", "list"], True),
    ],
)
def test_no_request_is_sent_by_a_command_that_does_not_list(
    sandbox: Sandbox, arguments: list[str], files: bool
) -> None:
    if files:
        sandbox.declare(item("a"))
    sandbox.run(*arguments)
    assert sandbox.sim.requests == []


def test_a_status_reads_no_endpoint_file(sandbox: Sandbox) -> None:
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    before = sandbox.run("status", "--json").document
    while_reading(sandbox, lambda: pytest.fail("the files were read"))
    assert sandbox.run("status", "--json").document == before
    assert [status["endpoint"] for status in before] == ["a", "b"]
    assert len(sandbox.sent("list")) > 0


def test_an_error_of_the_early_listing_is_masked_with_the_secrets_of_the_files(sandbox: Sandbox) -> None:
    """They are not known when the answer comes."""
    sandbox.monkeypatch.setenv("TOKEN", "a-token-of-the-files")
    sandbox.declare(item("a", env={"TOKEN": "${env:TOKEN}"}))
    failed = threading.Event()
    quote = Masker.quote

    def reporting(*given: Any) -> str:
        failed.set()
        return quote(*given)

    sandbox.monkeypatch.setattr(Masker, "quote", reporting)
    sandbox.sim.faults.add(
        Fault(operation="list", status=400, reason="BAD", message="no a-token-of-the-files", times=None)
    )
    while_reading(sandbox, lambda: failed.wait(10) or pytest.fail("it was not listed"))
    ran = sandbox.run("plan")
    assert ran.code == 1
    assert "BAD" in ran.err
    assert "a-token-of-the-files" not in ran.err


def test_an_invalid_file_is_reported_at_once(sandbox: Sandbox) -> None:
    """The listing is not waited for."""
    sandbox.sim.faults.add(Fault(operation="list", kind="hang", seconds=120.0, times=None))
    sandbox.declare(item("a", replicas="many"))
    began = time.monotonic()
    ran = sandbox.process("plan")
    assert time.monotonic() - began < 60
    assert ran.code == 1
    assert "endpoints.yaml:" in ran.err
    assert "replicas" in ran.err


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="list", kind="hang", seconds=120.0, times=None),
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

    def reporting(*given: Any) -> Fault | None:
        met = take(*given)
        if met is not None:
            pending.set()
        return met

    sandbox.monkeypatch.setattr(sandbox.sim.faults, "take", reporting)
    sandbox.declare(item("z", replicas="many"))
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
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert "replicas" in error


def test_without_a_key_no_request_is_sent(sandbox: Sandbox) -> None:
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.declare(item("a"))
    ran = sandbox.run("plan")
    assert (ran.code, sandbox.sim.requests) == (1, [])
    assert "NOVITA_API_KEY" in ran.err


def test_an_apply_lists_the_account_again_under_the_lock(sandbox: Sandbox) -> None:
    """The early listing is used by the first plan alone."""
    sandbox.declare(item("a"), item("b"))
    sandbox.apply()
    sandbox.declare(item("a", image="ubuntu:24.04"), item("b"))
    sandbox.apply()
    assert sandbox.live()["a"]["image"]["image"] == "ubuntu:24.04"
    assert sandbox.plan().code == 0
