"""What a server says of a failure reaches whoever reads, and an error under 200 is that error."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.inventory.session import load
from reconciler.inventory.stores.file.store import FileStore
from tests.e2e.sandbox import CommandResult, Sandbox, item
from tests.response_proxy import CannedResponse, ResponseProxy, response_proxy

WORDS = "insufficient balance"
REPORTS = [word for kind in ("json", "markdown", "html", "junit") for word in (f"--{kind}-into", f"r/{kind}")]
UNDER_200: dict[str, Any] = {
    "code": {"code": 403, "message": WORDS},
    "code as text": {"code": "403", "message": WORDS},
    "code with null data": {"code": 403, "message": WORDS, "data": None},
    "code with a request id": {"code": 403, "msg": WORDS, "request_id": "r-1"},
    "word": {"code": "INSUFFICIENT_BALANCE", "message": WORDS},
    "error": {"error": WORDS},
    "error object": {"error": {"code": "no_money", "message": WORDS}},
    "errors": {"errors": [{"message": WORDS}]},
    "success": {"success": False, "message": WORDS},
    "success as text": {"success": "false", "errmsg": WORDS},
    "reason": {"reason": "NOT_ENOUGH_BALANCE", "message": WORDS},
    "base_resp": {"base_resp": {"status_code": 1008, "status_msg": WORDS}},
    "status": {"status": 402, "detail": WORDS},
    "status word": {"status": "error", "message": WORDS},
    "nested status": {"status": {"code": 7, "message": WORDS}},
    "empty list": {"code": 403, "message": WORDS, "endpoints": [], "total": 0},
}


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[ResponseProxy]:
    """A relay in front of the account."""
    with response_proxy(sandbox.sim.url) as found:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", found.url)
        yield found


def says(body: Any, **more: Any) -> CannedResponse:
    return CannedResponse(body=json.dumps(body).encode(), **more)


def everywhere(sandbox: Sandbox, ran: CommandResult) -> list[str]:
    """Where a run and its reports speak to people or programs."""
    return [ran.out + ran.err, *((sandbox.root / name).read_text() for name in REPORTS[1::2])]


@pytest.mark.parametrize("style", UNDER_200)
@pytest.mark.parametrize("call", ["create", "update", "delete"])
def test_a_write_refused_under_200(sandbox: Sandbox, proxy: ResponseProxy, call: str, style: str) -> None:
    """It is not taken for done: it failed, with the words in the text, in JSON, and in every report."""
    if call != "create":
        sandbox.declare(item("chat"), item("old"))
        sandbox.apply()
    sandbox.declare(item("chat", replicas=2))
    proxy.canned[call] = says(UNDER_200[style])
    for options in (("-v",), ("--json",)):
        ran = sandbox.run("apply", "--auto-approve", *REPORTS, *options)
        assert ran.code in (4, 8), ran.out + ran.err
        assert "accepted the write" not in ran.out + ran.err
        assert "without an answer" not in ran.out + ran.err
        missing = [said for said in everywhere(sandbox, ran) if WORDS not in said]
        assert not missing
    assert not load(FileStore(sandbox.root / "state/novita.json")).intents
    assert ("chat" in sandbox.live()) == (call != "create")
    assert proxy.times_of(call)
    assert len(proxy.times_of(call)) <= 3 * (3 if call == "create" else 1)


@pytest.mark.parametrize("style", UNDER_200)
def test_a_read_refused_under_200(sandbox: Sandbox, proxy: ResponseProxy, style: str) -> None:
    """A listing that is an error is no listing that is in motion."""
    sandbox.declare(item("chat"))
    proxy.canned["endpoints"] = says(UNDER_200[style])
    for options in ((), ("-v",), ("--json",)):
        ran = sandbox.run("plan", *options)
        assert ran.code in (1, 8)
        assert WORDS in ran.out + ran.err
        assert "creating or deleting" not in ran.out + ran.err


@pytest.mark.parametrize("style", ["code", "base_resp", "error"])
def test_one_endpoint_refused_under_200(sandbox: Sandbox, proxy: ResponseProxy, style: str) -> None:
    """Asking for one endpoint tells the error as well, and does not conclude that it is gone."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(list_lag_seconds=3600.0)  # so that it is asked for by its ID
    proxy.canned["endpoint"] = says(UNDER_200[style])
    ran = sandbox.plan()
    assert ran.code in (1, 8)
    assert WORDS in ran.out
    assert ran.actions == {}


def test_limits_refused_under_200(sandbox: Sandbox, proxy: ResponseProxy) -> None:
    """What a run can do without is told under -v and ends nothing."""
    sandbox.declare(item("chat"))
    proxy.canned["limit"] = says({"code": 1, "message": "limits are being counted"})
    ran = sandbox.run("plan", "-v")
    assert ran.code == 0
    assert "/endpoint/limit 200" in ran.err
    assert "limits are being counted" in ran.err


@pytest.mark.parametrize(
    "body",
    [
        {"code": 500, "message": WORDS},
        {"code": 7, "message": "odd"},
        {"error": "upstream timed out"},
        {"id": "made", "error": "still pulling"},
        {"id": "made", "code": 403, "message": WORDS},
        {"message": "something else"},
    ],
)
def test_a_create_in_doubt_is_looked_for(sandbox: Sandbox, proxy: ResponseProxy, body: Any) -> None:
    """An error under 200 that does not prove that nothing was made is a lost answer: it is recorded."""
    sandbox.declare(item("chat"))
    proxy.canned["create"] = says(body, forwards=True)
    sandbox.apply()
    assert len(proxy.times_of("create")) == 1
    assert sandbox.inventory["chat"]["id"] == sandbox.id("chat")


@pytest.mark.parametrize(
    "body",
    [
        b'{"code": 500, "reason": "UNKNOWN", "message": "database is down"}',
        b'{"error": {"message": "database is down"}}',
        b'{"detail": [{"msg": "database is down"}]}',
        b'{"hint": "database is down"}',
        b"database is down",
        b"<html><h1>database is down</h1></html>",
    ],
)
def test_a_create_that_always_fails_says_why(sandbox: Sandbox, proxy: ResponseProxy, body: bytes) -> None:
    """The status and the words of the last answer, not that there was none."""
    sandbox.declare(item("chat"))
    proxy.canned["create"] = CannedResponse(status=500, body=body)
    for options in ((), ("-v",), ("--json",)):
        ran = sandbox.run("apply", "--auto-approve", *REPORTS, *options)
        assert ran.code == 4
        assert "without an answer" not in ran.out + ran.err
        assert not [said for said in everywhere(sandbox, ran) if "database is down" not in said]
        assert not [said for said in everywhere(sandbox, ran) if "500 Internal Server Error" not in said]


def test_a_create_without_any_answer_says_so(sandbox: Sandbox, proxy: ResponseProxy) -> None:
    """Silence is still called silence."""
    sandbox.declare(item("chat"))
    proxy.canned["create"] = CannedResponse(body=b"", headers={"Content-Length": "10", "Connection": "close"})
    ran = sandbox.run("apply", "--auto-approve")
    assert ran.code == 4
    assert "sent 3 times without an answer and made nothing" in ran.err


@pytest.mark.parametrize(
    "words", ["x" * 100_000, "a\x1b[2J\r\nError: forged\u2028\u202e" * 50, "\x00" * 1000]
)
def test_hostile_words_are_bounded(sandbox: Sandbox, proxy: ResponseProxy, words: str) -> None:
    """Long ones are cut, and none moves the cursor or begins a line."""
    sandbox.declare(item("chat"))
    proxy.canned["create"] = says({"code": 400, "reason": words, "message": words}, status=400)
    ran = sandbox.run("apply", "--auto-approve", "-v")
    assert ran.code == 4
    said = ran.out + ran.err
    assert len(said) < 6000
    assert not {"\x1b", "\u2028", "\u202e", "\x00"} & set(said)
    assert "\nError: forged" not in said


def test_what_is_no_listing_is_quoted(sandbox: Sandbox, proxy: ResponseProxy) -> None:
    """JSON that is neither a listing nor an error says at least what it is."""
    sandbox.declare(item("chat"))
    proxy.canned["endpoints"] = says({"hello": "this is a parking page"})
    ran = sandbox.run("plan")
    assert ran.code == 1
    assert "this is a parking page" in ran.err
