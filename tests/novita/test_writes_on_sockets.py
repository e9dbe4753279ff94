"""A write over a shared socket: it leaves in one piece, with few system calls, and its answer is found."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from reconciler.model.errors import AnswerLost
from reconciler.model.request import Request
from reconciler.model.values import Value
from reconciler.novita.http import sockets
from reconciler.novita.http.client import Client
from reconciler.novita.http.sockets import Socket
from tests.scripted_server import serving

from .support import CREATE, ManualTime, secret
from .test_shared_sockets import ANSWER, KeepAliveServer


@pytest.fixture
def server() -> Iterator[KeepAliveServer]:
    found = KeepAliveServer()
    with serving(found.serve, found.listener, found.over):
        yield found


def client_of(server: KeepAliveServer) -> Client:
    return Client(server.url, secret(), timing=ManualTime().timing())


def test_headers_and_body_leave_together(server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    send = Socket.send

    def noted(self: Socket, data: bytes) -> None:
        sent.append(data)
        send(self, data)

    monkeypatch.setattr(Socket, "send", noted)
    with client_of(server) as client:
        client.send(CREATE)
        client.send(CREATE)
    assert [piece.partition(b"\r\n\r\n")[2] for piece in sent] == [CREATE.body_bytes()] * 2


def test_the_timeout_of_a_socket_is_set_once_for_several_writes(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time is a system call, at which another thread may take the interpreter."""
    times: list[float | None] = []
    settimeout = socket.socket.settimeout
    monkeypatch.setattr(sockets, "TIMEOUT_MARGIN", 60.0)  # as the machine may be slow

    def noted(self: socket.socket, value: float | None) -> None:
        if self.getpeername()[1] == server.listener.getsockname()[1]:
            times.append(value)
        settimeout(self, value)

    with client_of(server) as client:
        client.send(CREATE)
        monkeypatch.setattr(socket.socket, "settimeout", noted)
        for _ in range(5):
            client.send(CREATE)
    assert times == []
    assert server.connections == 1


def test_the_answer_of_a_server_that_did_not_read_everything_is_found(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Socket.send

    def cut(self: Socket, data: bytes) -> None:
        send(self, data)
        raise BrokenPipeError

    monkeypatch.setattr(Socket, "send", cut)
    with client_of(server) as client:
        assert client.send(CREATE) == {}
    assert len(server.requests) == 1


def test_a_request_that_cannot_be_sent_may_have_arrived(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Socket, _data: bytes) -> None:
        self.close()
        raise BrokenPipeError

    monkeypatch.setattr(Socket, "send", refuse)
    with client_of(server) as client, pytest.raises(AnswerLost, match="closed"):
        client.send(CREATE)


def test_a_socket_is_asked_once_for_each_write(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the server has closed it is a question before a call; after it, nobody needs the answer."""
    asked: list[socket.socket] = []
    is_readable = sockets._is_readable

    def noted(opened: socket.socket) -> bool:
        asked.append(opened)
        return is_readable(opened)

    with client_of(server) as client:
        client.send(CREATE)
        monkeypatch.setattr(sockets, "_is_readable", noted)
        for _ in range(5):
            client.send(CREATE)
    assert len(asked) == 5


@pytest.mark.parametrize("body", [None, {"name": "\u00fc"}], ids=["none", "some"])
def test_the_length_of_a_body_is_told(
    server: KeepAliveServer, monkeypatch: pytest.MonkeyPatch, body: Value
) -> None:
    sent: list[bytes] = []
    monkeypatch.setattr(Socket, "send", lambda _self, data: sent.append(data))
    monkeypatch.setattr(Socket, "receive", lambda _self: ANSWER)
    request = Request(method="POST", path="/x", body=body)
    with client_of(server) as client:
        client.send(request)
    head = sent[0].partition(b"\r\n\r\n")[0].lower().split(b"\r\n")
    assert b"content-length: %d" % len(request.body_bytes()) in head
    assert (b"content-type: application/json" in head) == (body is not None)
