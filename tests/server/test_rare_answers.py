"""Answers to slow bodies, too many changes and defects, and addresses of other machines."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from starlette.requests import Request

from reconciler.cli.main import run
from reconciler.model.apply_events import ChangeResult
from reconciler.server import account_service, guard, process, service
from reconciler.server.api.bodies import BadBody, json_object
from reconciler.server.settings import ServerSettings
from reconciler.simulator import Server

from .conftest import Start

ALL = "/api/v1/endpoints"
BODY = {"endpoint": "probe", "specName": "novita-5090-single", "image": "a:1"}


def test_a_body_that_does_not_arrive_in_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_TIMEOUT", 0.01)

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def read() -> None:
        await json_object(Request({"type": "http", "method": "POST", "headers": []}, receive))

    with pytest.raises(BadBody) as caught:
        asyncio.run(read())
    assert caught.value.status == 408


def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_defect(start: Start) -> None:
    server = start("--allow-unauthenticated-writes")
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST {ALL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly a part"
        connection.sendall(head.encode())
    assert server.get("/health").status == 200
    server.stop()
    assert "internal error" not in server.log.read_text()


def test_more_writes_than_can_wait_are_sent_away(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_service, "MAX_WRITES", 0)
    answer = start("--allow-unauthenticated-writes").ask("POST", ALL, BODY)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert answer.json["endpoint"] == "probe"


def test_a_defect_is_reported_without_its_text(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of an exception could hold anything, such as a value of env."""

    def break_down(*_arguments: object) -> ChangeResult:
        raise KeyError("a-secret")

    monkeypatch.setattr(service, "make_change", break_down)
    server = start("--allow-unauthenticated-writes")
    answer = server.ask("POST", ALL, BODY)
    assert answer.status == 500
    assert answer.json["error"].startswith("internal error: KeyError at test_rare_answers.py:")
    server.stop()
    assert "a-secret" not in answer.text + server.log.read_text()
    assert "internal error: KeyError" in server.log.read_text()


def test_an_endpoint_that_was_renamed_elsewhere_is_not_deleted(start: Start, sim: Server) -> None:
    server = start("--allow-unauthenticated-writes")
    assert server.ask("POST", ALL, BODY).status == 200
    sim.world.console_update(sim.world.endpoints[0]["id"], name="renamed")
    answer = server.ask("DELETE", f"{ALL}/probe")
    assert answer.status == 409
    assert "is called `renamed` now" in answer.json["error"]
    assert len(sim.world.endpoints) == 1


def test_addresses_of_other_machines_and_of_ipv6() -> None:
    settings = ServerSettings(host="::1", port=0, allowed_hosts=("infra.example.com",))
    assert settings.is_local
    for host in ("[::1]:8090", "localhost", "127.0.0.1:1", "INFRA.example.com:443"):
        assert settings.is_allowed_host(host)
    for host in ("::1.example.com", "[::1", "[", ":", "a:b:c"):
        assert not settings.is_allowed_host(host)
    everywhere = ServerSettings(host="0.0.0.0")
    assert not everywhere.is_allowed_host("0.0.0.0")
    with process.bind(settings) as listening:
        assert listening.family is socket.AF_INET6
        port = listening.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            process.bind(ServerSettings(host="::1", port=port))


@pytest.mark.parametrize("address", ["8090", "localhost", "localhost:x", ":8090", "127.0.0.1:70000"])
def test_an_address_is_a_host_and_a_port(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--listen", address]) == 64
    assert "HOST:PORT" in capsys.readouterr().err
