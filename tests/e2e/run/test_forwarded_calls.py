"""Calls of a git server that reach the replica which stands by: a load balancer does not know the leader."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from reconciler.controller.forwarded_calls import CALL, CallForwarder, ForwardedCalls
from reconciler.inventory.stores.address import open_store
from reconciler.workflow.runtime.context import Context
from tests.e2e.run.controller import Controller
from tests.e2e.run.test_listen import SECRET, TOKEN, Daemon
from tests.e2e.sandbox import Sandbox, item
from tests.postgres_server import PostgresServer
from tests.stores.gitlab_server import environment, state_server


@pytest.fixture
def context(sandbox: Sandbox) -> Context:
    return Controller(sandbox=sandbox).context


@contextmanager
def replica(sandbox: Sandbox, address: str) -> Iterator[Daemon]:
    daemon = Daemon(sandbox, "--state", address)
    try:
        yield daemon
        daemon.end()
    finally:
        daemon.process.kill()


def test_a_push_that_reaches_a_standby_is_acted_on_by_the_leader(
    sandbox: Sandbox, postgres_server: PostgresServer
) -> None:
    address = postgres_server.address("prod")
    sandbox.declare(item("chat"))
    body = b'{"ref": "refs/heads/main"}'
    signature = "sha256=" + hmac.digest(SECRET.encode(), body, hashlib.sha256).hex()
    with replica(sandbox, address) as leader, replica(sandbox, address) as standby:
        leader.await_line("A plan waits")
        standby.await_line("another process leads|leads postgres")
        sandbox.declare(item("chat"), item("embed"))
        for _ in range(300):
            assert standby.ask("POST", "/hook", body, X_Hub_Signature_256=signature)[0] == 202
        end = time.monotonic() + 30
        while "embed" not in leader.ask("GET", "/api/v1/sync", Authorization=f"Bearer {TOKEN}")[1]:
            assert time.monotonic() < end, leader.lines
            time.sleep(0.05)
        assert open_store(address, sandbox.root, {}).read_document(CALL)


def test_calls_that_come_together_are_one_and_none_is_left_behind(context: Context) -> None:
    """The first is written at once. The others wait, and the end of the process does not wait for them."""
    forwarder, leader = CallForwarder(), ForwardedCalls(context)
    assert not leader.take()
    for _ in range(1000):
        forwarder.call(context)
    end = time.monotonic() + 60
    while not leader.take():
        assert time.monotonic() < end
        time.sleep(0.005)
    assert not leader.take()
    began = time.monotonic()
    forwarder.close()
    assert time.monotonic() - began < 4, "it waited for the next time to write"
    assert context.store.holder() is None
    forwarder.call(context)
    forwarder.close()
    assert not leader.take(), "after the end nothing is written"


def test_a_new_leader_has_looked_already(context: Context) -> None:
    forwarder = CallForwarder()
    forwarder.call(context)
    end = time.monotonic() + 60
    while context.store.read_document(CALL) is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    forwarder.close()
    assert not ForwardedCalls(context).take()


def test_gitlab_keeps_the_lock_of_a_process_that_is_killed(context: Context) -> None:
    """So no lock is taken for a call: the leader finds the commit at its next poll."""
    with state_server() as server:
        address = server.gitlab("prod")
        context = replace(context, state=address, environ={**context.environ, **environment(server)})
        CallForwarder().call(context)
        assert not ForwardedCalls(context).take()
        assert server.requests == []
