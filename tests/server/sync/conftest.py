"""A server of `run` over boards whose states the test makes, without a loop."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.controller.approval import sealed
from reconciler.controller.board import Board
from reconciler.controller.clock import SystemClock
from reconciler.controller.hook import HookSecret, HookSignal
from reconciler.controller.state import EndpointSync, RoundResult, SyncState, SyncStatus, WaitingPlan
from reconciler.model.settings import Environment
from reconciler.server.app import create_controller_app
from reconciler.server.controller_metrics import ControllerMetrics
from reconciler.server.process import BackgroundServer, bind
from reconciler.server.settings import ServerSettings
from reconciler.server.sync.view import Controlled
from reconciler.server.tokens import read_tokens
from reconciler.simulator import Server
from reconciler.workflow.runtime.context import Context
from tests.server.conftest import KEY, TOKENS, Client

SECRET = "the-secret-of-the-git-server"
DIGEST = "ab" * 32
NOW = datetime.now(UTC).replace(microsecond=0)
TEXT = """\
Plan: 1 to add, 1 to change, 0 to destroy.

  # endpoint.rerank will be created
  + resource "endpoint" "rerank" {
      + image = "ghcr.io/acme/rerank:0.9.0"
    }

  # endpoint.chat will be updated in place
  ~ resource "endpoint" "chat" {
      ~ maxReplicas = 3 -> 5
    }
"""


class Controller(Client):
    """The server, and the boards that it shows."""

    def __init__(self, boards: Sequence[Board], **settings: Any) -> None:
        self.boards = tuple(boards)
        clock = SystemClock()
        self.signals = [HookSignal(clock, board.wake) for board in boards]
        self.controlled = Controlled(
            boards=self.boards,
            metrics=ControllerMetrics(),
            hook=HookSecret(SECRET, "HOOK_SECRET", clock),
            receivers=[signal.call for signal in self.signals],
        )
        tokens = read_tokens({"RECONCILER_API_TOKENS": TOKENS})
        self.settings = ServerSettings(port=0, access_log=False, **{"tokens": tokens, **settings})
        listening = bind(self.settings)
        self.port = listening.getsockname()[1]
        self._server = BackgroundServer(create_controller_app(self.controlled, self.settings), listening)
        self._server.start()

    @property
    def board(self) -> Board:
        return self.boards[0]

    def stop(self) -> int:
        self._server.stop()
        self._server.join()
        return 0


def endpoints(count: int) -> tuple[EndpointSync, ...]:
    """Return that many endpoints, of which most are as declared."""

    def one(number: int) -> EndpointSync:
        address = f"novita_endpoint.model-{number:04d}"
        if number % 97 == 1:
            why = "outside of the allow window until 2026-11-30 06:00 UTC"
            return EndpointSync(address=address, status=SyncStatus.BLOCKED, why=why)
        if number % 31 == 2:
            why = "image and maxReplicas were changed in the console by somebody else"
            return EndpointSync(address=address, status=SyncStatus.DRIFTED, drifted_fields=2, why=why)
        if number % 53 == 3:
            return EndpointSync(address=address, status=SyncStatus.PENDING, why="waits for an approval")
        return EndpointSync(address=address, status=SyncStatus.SYNCED)

    return tuple(one(number) for number in range(count))


def a_state(environment: str = "", *, count: int = 3, **fields: Any) -> SyncState:
    given = {
        "leader": "deploy@host-1 (pid 7)",
        "revision": "0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293",
        "checked_at": NOW - timedelta(seconds=40),
        "succeeded_at": NOW - timedelta(minutes=3),
        "next_round_at": NOW + timedelta(minutes=7),
        "result": RoundResult.NO_CHANGE,
        "endpoints": endpoints(count),
    }
    return SyncState(environment=environment, **{**given, **fields})


def a_plan(context: Context, **fields: Any) -> WaitingPlan:
    given = {
        "digest": DIGEST,
        "since": NOW - timedelta(minutes=2),
        "revision": "0c1d2e3f4a5b",
        "summary": "1 to add, 1 to change, 0 to destroy",
        "text": TEXT,
    }
    return sealed(context, WaitingPlan(**{**given, **fields}))


Serve = Callable[..., Controller]


@pytest.fixture
def context(tmp_path: Path, sim: Server) -> Context:
    root = tmp_path / "infra"
    root.mkdir()
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    return Context(root=root, environ=environ, state=tmp_path / "novita.json")


def in_environment(context: Context, name: str, *, is_confirmed: bool = False) -> Context:
    names = {one: {"state": f"{one}.json"} for one in ("dev", "staging", "prod")}
    (context.root / "config.yaml").write_text(json.dumps({"environments": names}))
    environment = Environment(name=name, state=context.root / f"{name}.json", is_confirmed=is_confirmed)
    return replace(context, environment=environment, state=environment.state)


def a_board(context: Context, state: SyncState | None) -> Board:
    """Return the board of a process that leads; without a state, that of one that stands by."""
    board = Board(context, threading.Event())
    if state is None:
        board.stand_by()
    else:
        board.lead()
        board.show(state, context)
    return board


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server for these boards; all are stopped at the end."""
    servers: list[Controller] = []

    def serve(*boards: Board, **settings: Any) -> Controller:
        servers.append(Controller(boards, **settings))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()
