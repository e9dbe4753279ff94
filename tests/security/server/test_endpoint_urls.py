"""What is sent to the URL of an endpoint, which the account names: no key, and nothing to odd addresses."""

import socket
import threading
from dataclasses import replace
from functools import partial

import pytest

from reconciler.novita.http.limits import NotSendable
from reconciler.novita.http.sockets import Address, Socket
from reconciler.serving.address import Trust, endpoint_url
from tests.e2e.endpoints.test_call import chat, give_url
from tests.e2e.sandbox import KEY, Sandbox
from tests.scripted_server import scripted_server

__all__ = ["chat"]


def answer(connection: socket.socket, _over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


def test_no_credential_of_the_run_is_sent(chat: Sandbox) -> None:
    """Neither the API key, nor those of a proxy, a .netrc file or an earlier answer."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        chat.monkeypatch.setenv(name, "http://user:proxy-password@127.0.0.1:9")
    chat.write(".netrc", "machine 127.0.0.1 login user password netrc-password\n")
    chat.monkeypatch.setenv("NETRC", str(chat.root / ".netrc"))
    with scripted_server(answer) as endpoint:
        give_url(chat, endpoint.url)
        assert chat.run("call", "chat", "{}", "-v").code == 0
    (request,) = endpoint.received
    head = request.partition(b"\r\n\r\n")[0].decode().lower()
    names = [line.partition(":")[0] for line in head.split("\r\n")[1:]]
    assert sorted(names) == [
        "accept", "accept-encoding", "content-length", "content-type", "host", "user-agent",
    ]  # fmt: skip
    assert KEY not in head


@pytest.mark.parametrize(
    "arguments", [[f"x {KEY}"], ["--header", f"Authorization: Bearer {KEY}"], ["--path", f"/{KEY}"]]
)
def test_the_api_key_is_refused_anywhere_in_a_request(chat: Sandbox, arguments: list[str]) -> None:
    ran = chat.run("call", "chat", *arguments)
    assert (ran.code, "holds the API key" in ran.err, KEY in ran.err) == (1, True, False)
    assert chat.sent("call") == []


def test_a_header_takes_a_secret_from_a_reference(chat: Sandbox) -> None:
    """So that it is on no command line; the key of the account cannot be referenced."""
    chat.monkeypatch.setenv("CHAT_KEY", "sk-of-the-model")
    assert chat.run("call", "chat", "--header", "Authorization: Bearer ${env:CHAT_KEY}").code == 0
    (sent,) = chat.sent("call")
    assert sent.headers["authorization"] == "Bearer sk-of-the-model"
    ran = chat.run("call", "chat", "--header", "Authorization: Bearer ${env:NOVITA_API_KEY}")
    assert (ran.code, "references never read NOVITA_API_KEY" in ran.err) == (1, True)
    chat.monkeypatch.setenv("CHAT_KEY", "two\nlines-of-a-secret")
    ran = chat.run("call", "chat", "--header", "X-Key: ${env:CHAT_KEY}")
    assert (ran.code, "has a control character" in ran.err, "lines-of" in ran.err) == (1, True, False)
    assert len(chat.sent("call")) == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("file:///etc/passwd", "is neither https nor http"),
        ("http://example.com", "is not https"),
        ("https://user:pass@example.com", "has a user name"),
        ("https://example.com/?key=1", "has a query"),
        ("https://169.254.169.254/latest", "is not a public address"),
        ("https://[::ffff:169.254.169.254]/", "is not a public address"),
        ("https://10.0.0.1", "is not a public address"),
        ("https://[fe80::1]", "is not a public address"),
        ("https://2852039166", "is not usable"),
        ("https://224.0.0.1", "is not a public address"),
        ("http://127.0.0.1:0", "is not a URL"),
        ("https://exa mple.com", "is not usable"),
        ("https://example.com:x", "is not a URL"),
        ("\x1b]0;x\x07", "is not a URL"),
    ],
)
def test_odd_urls_get_nothing(chat: Sandbox, url: str, says: str) -> None:
    give_url(chat, url)
    ran = chat.run("call", "chat")
    assert (ran.code, says in ran.err, "\x1b" in ran.err) == (1, True, False), ran.err


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://localhost", "https://[::1]:8000"])
def test_novita_cannot_point_at_this_machine(url: str) -> None:
    """Only a server that is itself on this machine can."""
    assert endpoint_url(url, Trust(is_local=True)).geturl() == url
    with pytest.raises(Exception, match="is on this machine, and Novita is not"):
        endpoint_url(url, Trust())


def test_a_name_that_resolves_to_a_private_address_gets_nothing() -> None:
    """The IP address is checked once there is a connection, before the first byte is sent."""
    with scripted_server(answer) as endpoint:
        address = Address(
            host="localhost",
            port=endpoint.port,
            context=lambda: None,
            connect_timeout=5,
            accepts=partial(Trust().accepts, "localhost"),
        )
        refused = Socket(address)
        refused.limits.start(5, 100)
        with pytest.raises(NotSendable, match=r"localhost has the address 127\.0\.0\.1, which is not public"):
            refused.open()
        allowed = Socket(replace(address, accepts=partial(Trust(is_local=True).accepts, "localhost")))
        allowed.limits.start(5, 100)
        assert allowed.open() is False
        allowed.close()


def test_trusted_hosts_may_have_private_addresses() -> None:
    trust = Trust(hosts=("*.internal.example.com",))
    assert trust.accepts("a.internal.example.com", "10.0.0.1")
    assert not trust.accepts("a.example.com", "10.0.0.1")
