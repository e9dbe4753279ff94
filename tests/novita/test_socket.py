"""Below HTTP: connections that are refused, reset, cut short, silent or nonsense, over a real socket."""

import re
import socket
import threading

import pytest

from reconciler.model.errors import AnswerLost, Unreachable
from reconciler.novita.http.client import Client

from .conftest import Behaviour, RawServer, answers, resets, says
from .support import CREATE, GET, UPDATE, ManualTime, secret, told

GOOD = answers(b'{"id":"new"}')
BROKEN: dict[str, Behaviour] = {
    "closed": lambda connection: None,
    "reset": resets,
    "truncated": answers(b'{"id":', length=500),
    "half a header": says(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "not http": says(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "bad gzip": says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
}


def client_of(server: RawServer, *behaviours: Behaviour, read_timeout: float = 5.0) -> Client:
    server.behaviours.extend(behaviours)
    return Client(server.url, secret(), read_timeout=read_timeout, timing=ManualTime().timing())


@pytest.mark.parametrize("how", BROKEN)
def test_a_create_without_an_answer_goes_out_once(raw_server: RawServer, how: str) -> None:
    """Whatever cut the answer off, the create is not repeated and the doubt is told."""
    with client_of(raw_server, BROKEN[how], GOOD) as client, pytest.raises(AnswerLost) as caught:
        client.send(CREATE)
    assert len(raw_server.requests) == 1
    assert "may or may not" in told(caught.value)
    assert "reconciler plan" in caught.value.problem.hint


@pytest.mark.parametrize("how", BROKEN)
def test_a_safe_request_is_retried(raw_server: RawServer, how: str) -> None:
    """Reads and full updates are sent again until an answer comes."""
    with client_of(raw_server, BROKEN[how], BROKEN[how], GOOD) as client:
        assert client.send(GET) == {"id": "new"}
        assert client.send(UPDATE) == {"id": "new"}
    assert len(raw_server.requests) == 4


def test_a_timeout_is_a_lost_answer(raw_server: RawServer) -> None:
    """A server that never answers costs the read timeout and no second create."""
    client = client_of(raw_server, raw_server.hang, read_timeout=0.1)
    with client, pytest.raises(AnswerLost, match=r"no answer within 0\.1 s"):
        client.send(CREATE)
    assert len(raw_server.requests) == 1


def test_a_refused_connection() -> None:
    """A refused connection says that nothing was sent, and how to start the simulator."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = Client(f"http://127.0.0.1:{port}", secret(), timing=ManualTime().timing())
    with client, pytest.raises(Unreachable) as caught:
        client.send(CREATE)
    assert "Nothing was sent" in told(caught.value)
    assert "reconciler simulator" in caught.value.problem.hint


def test_a_name_that_does_not_resolve() -> None:
    """An unknown host is Unreachable, and named."""
    client = Client("https://no-such-host.invalid", secret(), timing=ManualTime().timing())
    with client, pytest.raises(Unreachable) as caught:
        client.send(GET)
    assert "cannot reach no-such-host.invalid" in told(caught.value)


def test_a_failed_tls_handshake() -> None:
    """A handshake that fails has sent nothing of the request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close()).start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, secret()) as client, pytest.raises(Unreachable) as caught:
            client.send(CREATE, retries=False)
    assert "Nothing was sent" in told(caught.value)


def test_requests_on_the_socket(raw_server: RawServer) -> None:
    """One request is HTTP/1.1 with the key, and its body whole."""
    with client_of(raw_server, GOOD) as client:
        client.send(CREATE)
    (raw,) = raw_server.requests
    assert raw.startswith(b"POST /gpu-instance/openapi/v1/endpoint/create HTTP/1.1\r\n")
    assert raw.endswith(b"\r\n\r\n" + CREATE.body_bytes())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"", "the connection was closed before"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "closed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "closed"),
    ],
)
def test_a_lost_answer_to_a_write_is_told_without_the_words_of_libraries(
    raw_server: RawServer, answer: bytes, words: str
) -> None:
    """A reader does not know h11, bytearray or Errno."""
    with client_of(raw_server, says(answer)) as client, pytest.raises(AnswerLost) as caught:
        client.send(CREATE)
    assert words in told(caught.value)
    assert not re.search(r"bytearray|Errno|expected 10|disconnected", told(caught.value))


def test_a_refused_connection_is_told_without_its_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", secret()) as client, pytest.raises(Unreachable) as caught:
        client.send(CREATE, retries=False)
    assert "Connection refused" in told(caught.value)
    assert "Errno" not in told(caught.value)
