"""The requests of the client, the addresses that it refuses, and the secrecy of the key."""

import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import respx

from reconciler import __version__
from reconciler.model.errors import AnswerLost, ApiError, InvalidConfig, Refused, Unreachable
from reconciler.model.request import API_ROOT, Request
from reconciler.model.secrets import Secret
from reconciler.novita.http.client import USER_AGENT, CallInfo, Client

from .conftest import RawServer, answers, says
from .support import (
    CREATE,
    GET,
    KEY,
    LIST,
    UPDATE,
    ManualTime,
    Stub,
    client_of,
    refusal,
    reply,
    secret,
    told,
)

BASE = "https://api.novita.test"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the machine that runs the tests must not take part in them."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_read_on_the_wire(raw_server: RawServer) -> None:
    """A read carries the key, the user agent and its query, and no body."""
    raw_server.behaviours.append(answers(b'{"endpoint":{"id":"abc123"}}'))
    with Client(raw_server.url, secret()) as client:
        assert client.send(GET) == {"endpoint": {"id": "abc123"}}
    (sent,) = raw_server.requests
    head, _, body = sent.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    assert first == f"GET {API_ROOT}/endpoint?id=abc123 HTTP/1.1"
    assert dict(line.split(": ", 1) for line in lines) == {
        "Host": raw_server.url.removeprefix("http://"),
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Connection": "keep-alive",
        "User-Agent": USER_AGENT,
        "Authorization": f"Bearer {KEY}",
    }
    assert body == ""


@respx.mock
def test_a_write_on_the_wire() -> None:
    """A write carries UTF-8 JSON, with secrets revealed only there."""
    route = respx.post(f"{BASE}{API_ROOT}/endpoint/update").respond(status_code=200, content=b"")
    request = Request(
        method="POST",
        path=f"{API_ROOT}/endpoint/update",
        body={"id": "ü", "envs": [{"key": "T", "value": Secret("hidden", "${env:T}")}]},
    )
    with Client(BASE, secret()) as client:
        assert client.send(request) == {}
    sent = route.calls.last.request
    assert sent.content == request.body_bytes()
    assert b"hidden" in sent.content
    assert sent.headers["content-type"] == "application/json"


@pytest.mark.parametrize("request_", [LIST, UPDATE], ids=["read", "write"])
@pytest.mark.parametrize(
    ("base", "prefix"),
    [
        ("", ""),
        ("/", ""),
        ("/proxy", "/proxy"),
        ("/proxy/", "/proxy"),
        (API_ROOT, ""),
        (f"{API_ROOT}/", ""),
        (f"/proxy{API_ROOT}", "/proxy"),
        ("/a b/%20/%zz/\u00fc", "/a%20b/%20/%25zz/%C3%BC"),
    ],
)
def test_a_base_url_may_have_a_path(raw_server: RawServer, base: str, prefix: str, request_: Request) -> None:
    """A path of a gateway is kept, and the API's own root is not doubled."""
    raw_server.behaviours.append(answers(b"{}"))
    with Client(f" {raw_server.url}{base}", secret()) as client:
        client.send(request_)
    target = raw_server.requests[0].split()[1].decode()
    assert target.partition("?")[0] == prefix + request_.path


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_a_path_and_a_query_hold_stays_in_them(raw_server: RawServer, method: str) -> None:
    """No space or line break of theirs reaches the head of the request."""
    raw_server.behaviours.append(answers(b"{}"))
    request = Request(method=method, path="/a b?c#d/\u00fc", query={"id": "x y\r\nHost: evil&z=\u00fc"})
    with Client(raw_server.url, secret()) as client:
        client.send(request)
    first = raw_server.requests[0].partition(b"\r\n")[0].decode()
    assert first == f"{method} /a%20b%3Fc%23d/%C3%BC?id=x+y%0D%0AHost%3A+evil%26z%3D%C3%BC HTTP/1.1"


@pytest.mark.parametrize("request_", [GET, UPDATE], ids=["read", "write"])
def test_no_cookie_is_sent_back(raw_server: RawServer, request_: Request) -> None:
    """The key alone identifies the client."""
    raw_server.behaviours.append(
        says(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=1; Path=/\r\nContent-Length: 2\r\n\r\n{}")
    )
    with Client(raw_server.url, secret()) as client:
        client.send(request_)
        client.send(request_)
    assert len(raw_server.requests) == 2
    assert b"cookie" not in raw_server.requests[1].lower()


@pytest.mark.parametrize("request_", [GET, UPDATE], ids=["read", "write"])
def test_redirects_are_not_followed(raw_server: RawServer, request_: Request) -> None:
    """The key does not travel to where a redirect points."""
    elsewhere = f"HTTP/1.1 307 X\r\nLocation: {raw_server.url}/x\r\nContent-Length: 0\r\n\r\n"
    raw_server.behaviours.append(says(elsewhere.encode()))
    with Client(raw_server.url, secret()) as client, pytest.raises(Refused):
        client.send(request_)
    assert len(raw_server.requests) == 1


@respx.mock
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ConnectTimeout(""), Unreachable),
        (httpx.PoolTimeout("no free connection"), Unreachable),
        (httpx.ProxyError("407"), Unreachable),
        (httpx.ReadTimeout("slow"), AnswerLost),
        (httpx.WriteTimeout("slow"), AnswerLost),
        (httpx.ReadError("reset"), AnswerLost),
        (httpx.WriteError(""), AnswerLost),
        (httpx.RemoteProtocolError("Server disconnected"), AnswerLost),
        (httpx.DecodingError("bad gzip"), AnswerLost),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_unsent_requests_and_lost_answers(trouble: Exception, kind: type[ApiError]) -> None:
    """Trouble before the first byte is Unreachable, trouble after it AnswerLost."""
    respx.post(f"{BASE}{API_ROOT}/endpoint/create").mock(side_effect=trouble)
    with Client(BASE, secret(), timing=ManualTime().timing()) as client, pytest.raises(kind) as caught:
        client.send(CREATE)
    assert type(caught.value) is kind
    assert "endpoint/create" in told(caught.value)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://api.novita.ai", "insecure-base-url"),
        ("http://10.0.0.8:8080", "insecure-base-url"),
        ("http://localhost.evil.test", "insecure-base-url"),
        ("", "invalid-base-url"),
        ("api.novita.ai", "invalid-base-url"),
        ("ftp://api.novita.ai", "invalid-base-url"),
        ("https://", "invalid-base-url"),
        ("https://[::1", "invalid-base-url"),
        ("https://api.novita.ai:99999", "invalid-base-url"),
        ("https://api.novita.ai/?key=1", "invalid-base-url"),
        ("https://api.novita.ai/#x", "invalid-base-url"),
        ("https://me:hunter2@api.novita.ai", "invalid-base-url"),
        ("https://xn--\u00e4\u2028.test", "invalid-base-url"),
        ("simulator", "invalid-base-url"),
    ],
)
def test_unsafe_base_urls_are_refused(url: str, code: str) -> None:
    """The key goes over TLS, or to this machine, or nowhere."""
    with pytest.raises(InvalidConfig) as caught:
        Client(url, secret())
    problem = caught.value.problem
    assert problem.code == code
    assert "base_url" in problem.summary + problem.hint
    assert "hunter2" not in repr(problem)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:1", "http://LOCALHOST.", "http://127.8.8.8", "http://[::1]:80", "https://10.0.0.8"],
)
def test_base_urls_that_are_safe(url: str) -> None:
    """Plain HTTP is fine within this machine, TLS everywhere."""
    Client(url, secret()).close()


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_a_header_is_refused(key: str) -> None:
    """Such a key is refused before httpx could quote it in a complaint."""
    with pytest.raises(InvalidConfig) as caught:
        Client(BASE, secret(key))
    text = repr(caught.value.problem)
    assert "API key" in text
    assert not key.strip() or key not in text


def test_a_missing_key_is_reported() -> None:
    """The message for a missing key says where to put one and where to get it."""
    with pytest.raises(InvalidConfig, match="novita API key is required") as caught:
        Client(BASE, secret(""))
    assert "Get API key from Novita Console" in caught.value.problem.hint


def test_white_space_around_a_key_is_dropped() -> None:
    """A key read from a file ends with a newline."""
    stub = Stub([reply(200, {})])
    with Client(BASE, secret(f" {KEY}\n"), app=stub) as client:
        client.send(GET)
    assert stub.headers[0]["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", "nonsense://me:hunter2@proxy.test"), ("SSL_CERT_FILE", "/nowhere/ca.pem")],
)
def test_an_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A broken proxy or certificate variable is a problem of the configuration, and is not quoted."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidConfig) as caught:
        Client(BASE, secret())
    assert name in caught.value.problem.hint
    assert "hunter2" not in repr(caught.value.problem)


def test_loopback_ignores_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would carry the key, unencrypted, off this machine."""
    monkeypatch.setenv("HTTP_PROXY", "nonsense://proxy.test")
    Client("http://127.0.0.1:9", secret()).close()


@pytest.mark.parametrize("echo", [KEY, f"Bearer {KEY}", f"{'x' * 192}{KEY}", f"a {KEY} b {KEY}"])
@pytest.mark.parametrize("style", ["message", "reason", "text", "location"])
def test_an_echoed_key_is_masked(echo: str, style: str) -> None:
    """A server that repeats the key does not get it printed, not even the half before the cut."""
    answer = {
        "message": refusal(400, "X", echo),
        "reason": refusal(400, echo),
        "text": reply(400, echo),
        "location": reply(302, "", location=f"https://x.test/?key={echo}".replace(" ", "+")),
    }[style]
    client, _ = client_of(answer)
    with client, pytest.raises(Refused) as caught:
        client.send(GET)
    assert KEY not in told(caught.value)
    assert KEY[:8] not in told(caught.value)
    assert "(sensitive value)" in told(caught.value) or len(echo) > 80


def test_echoed_secrets_of_a_body_are_masked() -> None:
    """A secret of a request is masked in the answer, also as JSON or a URL encodes it."""
    request = Request(method="POST", path="/x", body={"envs": [Secret('p"w d', "${env:P}")]})
    client, _ = client_of(reply(400, 'raw p"w d, json p\\"w d, url p%22w%20d'))
    with client, pytest.raises(Refused) as caught:
        client.send(request)
    text = caught.value.problem.detail
    assert text.count("(sensitive value)") == 3


def test_the_key_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    """Logging at its loudest, and printing the client, do not show the key."""
    caplog.set_level(logging.DEBUG)
    client, _ = client_of(refusal(429, "X"), reply(200, {}))
    with client:
        client.send(GET)
        assert KEY not in repr(client)
        assert repr(client) == "Client('https://api.test')"
    assert KEY not in caplog.text
    assert all(KEY not in repr(vars(record)) for record in caplog.records)


def test_each_attempt_is_reported_once() -> None:
    """-v shows every attempt with its status, the lost ones without."""
    calls: list[CallInfo] = []
    client, _ = client_of(TimeoutError("slow"), reply(503, ""), reply(200, {}), on_call=calls.append)
    with client:
        client.send(UPDATE)
    assert [(call.attempt, call.status) for call in calls] == [(1, None), (2, 503), (3, 200)]
    assert {(call.method, call.path) for call in calls} == {("POST", UPDATE.path)}
    assert all(call.seconds >= 0 for call in calls)


def test_the_date_of_an_answer_is_reported() -> None:
    """As the server wrote it, and "" where it wrote none or there was no answer."""
    calls: list[CallInfo] = []
    date = "Tue, 24 Nov 2026 21:00:00 GMT"
    client, _ = client_of(TimeoutError(), reply(503, ""), reply(200, {}, Date=date), on_call=calls.append)
    with client:
        client.send(UPDATE)
    assert [call.date for call in calls] == ["", "", date]


@pytest.mark.parametrize("url", ["simulator", "https://api.novita.ai", "http://sim.test"])
def test_an_app_in_this_process_takes_the_place_of_the_network(url: str) -> None:
    """The app gets method, target, headers and body, and may give its headers as pairs."""

    def app(
        method: str, target: str, headers: object, body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        assert method == "GET"
        assert target == f"{API_ROOT}/endpoint?id=abc123"
        assert isinstance(headers, dict)
        return 200, [("Content-Type", "application/json")], b'{"ok":true}'

    with Client(url, secret(), app=app) as client:
        assert client.send(GET) == {"ok": True}


def test_many_threads_share_a_client() -> None:
    """One client serves threads at once without mixing up their answers."""
    barrier = threading.Barrier(8, timeout=60)

    def app(method: str, target: str, headers: object, body: bytes) -> tuple[int, dict[str, str], bytes]:
        barrier.wait()
        return 200, {}, target.rpartition("=")[2].encode()

    def ask(number: int) -> object:
        return client.send(Request(method="GET", path="/x", query={"n": str(number)}))

    with Client(BASE, secret(), app=app) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == list(range(8))


def test_the_user_agent_is_stable() -> None:
    """The CDN refuses unknown libraries, so the product, its version and its home are named."""
    assert USER_AGENT.startswith(f"novita-reconciler/{__version__} (+https://")


def test_importing_the_client_imports_no_http() -> None:
    """httpx and stamina are loaded when they are used, so that --help starts fast."""
    code = "import sys, reconciler.novita.account; print({'httpx', 'stamina'} & set(sys.modules))"
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "set()"
