"""The store under test on the state server of the tests, and what several test modules need."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.terraform_http import TerraformHttpStore
from reconciler.inventory.stores.terraform_http.address import parse_address
from reconciler.inventory.stores.terraform_http.server import StateServer as Calls
from reconciler.model.errors import InventoryError
from tests.stores.gitlab_server import PASSWORD, StateServer, environment, state_server

HOLDER = LockHolder(
    who="alice",
    host="runner-7",
    pid=4242,
    command="apply",
    since="2026-11-28T12:00:00+00:00",
    ci_run_url="https://gitlab.example/infra/-/jobs/991",
    version="1.0",
)


@pytest.fixture(scope="module")
def running_server() -> Iterator[StateServer]:
    with state_server() as served:
        yield served


@pytest.fixture
def server(running_server: StateServer) -> StateServer:
    """A server without states and faults."""
    fresh = StateServer(port=running_server.port)
    for name in ("states", "faults", "requests", "authorizations", "bodies"):
        setattr(running_server, name, getattr(fresh, name))
    running_server.max_size, running_server.ignores_locks, running_server.clock = 0, False, 0.0
    running_server.retry_after = ""
    return running_server


@pytest.fixture(params=["gitlab", "plain"])
def address(request: pytest.FixtureRequest, server: StateServer) -> str:
    return server.gitlab("prod") if request.param == "gitlab" else server.plain("prod")


def _short(seconds: float) -> None:
    time.sleep(seconds / 20)


def store(server: StateServer, address: str, sleep: Callable[[float], None] = _short) -> TerraformHttpStore:
    """Return a store whose pauses are short."""
    variables = environment(server)
    state = parse_address(address, variables)
    calls = Calls(state, pauses=(0.01, 0.01, 0.01), sleep=sleep)
    return TerraformHttpStore(state, variables, server=calls)


def error_of(caught: pytest.ExceptionInfo[InventoryError]) -> str:
    """Return the whole text of a problem, which never has a credential."""
    problem = caught.value.problem
    text = f"{problem.summary}\n{problem.detail}\n{problem.hint}"
    assert PASSWORD not in text
    return text
