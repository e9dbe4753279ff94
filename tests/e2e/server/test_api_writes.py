"""`doctor --probe-api --with-writes` names the switch that was set, and leaves nothing behind."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.address import open_store
from reconciler.model.problem import ExitCode
from tests.e2e.sandbox import Sandbox, item
from tests.e2e.server.probe_runs import COMMAND, left, switch

SWITCHES = (
    "request_timeout_fill=60", "cuda_fill=12.4", "update_omitted=keep", "immutable=refuse",
    "check_references=true", "clamp.workerConfig.freeTimeout=1000", "clamp.policy.value=500",
    "env_order=reversed", "env_order=shuffled", "drain_offered=false", "delete_key=id", "delete_key=name",
    "delete_key=strict", "delete_key=strict-name", "cluster_inactive_tries=2", "number_style=int",
)  # fmt: skip
LAGS = (
    "get_lag_seconds", "list_lag_seconds", "update_lag_seconds", "get_behind_seconds", "list_behind_seconds",
    "terminating_seconds",
)  # fmt: skip


def options(document: dict[str, Any]) -> list[str]:
    return [word for word in document["simulator"].split()[2:] if word != "--set"]


@pytest.mark.parametrize("setting", ["", *SWITCHES])
def test_the_report_names_the_switch_that_is_set(
    sandbox: Sandbox, moments: list[float], setting: str
) -> None:
    switch(sandbox, setting.split())

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    assert options(ran.document) == setting.split()
    assert left(sandbox) == []


@pytest.mark.parametrize("name", LAGS)
def test_the_report_names_the_lag_that_is_set(sandbox: Sandbox, moments: list[float], name: str) -> None:
    switch(sandbox, [f"{name}=2"])

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    (found,) = options(ran.document)
    key, _, seconds = found.partition("=")
    assert key == name
    assert 2 <= float(seconds) <= 2.8  # the pauses between reads are up to 0.3 s after two seconds


@pytest.mark.parametrize("seed", range(4))
def test_the_report_names_each_switch_of_a_mixture(sandbox: Sandbox, moments: list[float], seed: int) -> None:
    chosen = {one.partition("=")[0]: one for one in random.Random(seed).sample(SWITCHES, 5)}
    switch(sandbox, list(chosen.values()))

    ran = sandbox.run(*COMMAND, "--json")

    assert ran.code == 0, ran.err
    assert sorted(options(ran.document)) == sorted(chosen.values())


def test_nothing_is_written_without_the_word(sandbox: Sandbox) -> None:
    ran = sandbox.run("doctor", "--probe-api", "--with-writes", typed="yes\nyes\n")

    assert ran.code == 1
    assert sandbox.sent() == []
    assert "Only 'create' will be accepted" in ran.err
    assert "at most $0.035" in ran.err
    assert "reconciler doctor --probe-api --with-writes --yes" in ran.err


def test_yes_alone_writes_nothing(sandbox: Sandbox) -> None:
    assert sandbox.run("doctor", "--probe-api", "--yes").code == 0
    assert sandbox.sent() == []


def test_other_endpoints_are_not_touched(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply()
    before = sandbox.live()

    assert sandbox.run(*COMMAND).code == 0
    assert sandbox.live() == before
    assert sandbox.plan().code == 0


@pytest.mark.parametrize(
    ("setting", "why"),
    [("balance=0", "the balance of $0.00 is not enough"), ("limits.minRootfsSize=200", "200")],
)
def test_it_refuses_without_money_or_quota(sandbox: Sandbox, setting: str, why: str) -> None:
    switch(sandbox, [setting])

    ran = sandbox.run(*COMMAND)

    assert ran.code == 1
    assert why in ran.err
    assert sandbox.sent() == []


def test_it_waits_for_no_other_writer(sandbox: Sandbox) -> None:
    store = open_store(sandbox.root / "state" / "novita.json", sandbox.root, {})
    holder = current_holder(command="reconciler apply", environ={}, clock=time.time, who="")
    with store.hold(holder, timeout=0):
        ran = sandbox.run(*COMMAND)

    assert ran.code == ExitCode.LOCKED
    assert sandbox.sent() == []
