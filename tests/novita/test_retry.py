"""When the same request goes out again, how long the waits are, and when it never does."""

import logging
import math

import pytest

from reconciler.model.errors import (
    AnswerLost,
    ApiError,
    Refused,
    ServerError,
    Throttled,
    Unreachable,
)
from reconciler.model.request import Request
from reconciler.novita.http.client import Client
from reconciler.novita.http.retry import Timing, parse_http_date, parse_retry_after

from .support import (
    CREATE,
    DELETE,
    GET,
    UPDATE,
    ManualTime,
    Reply,
    Stub,
    client_of,
    refusal,
    reply,
    secret,
    told,
)

OK = reply(200, {"id": "new"})
BUSY = refusal(429, "RATE_LIMIT_EXCEEDED")
ASLEEP = refusal(400, "X", "serverless cluster is not active")
DOWN = ConnectionRefusedError("[Errno 111] Connection refused")
LATE = TimeoutError("read timed out")
CUT = ConnectionResetError("reset by peer")


@pytest.mark.parametrize("request_", [GET, UPDATE, DELETE], ids=["get", "update", "delete"])
@pytest.mark.parametrize("trouble", [BUSY, reply(502, "<html>"), reply(200, "<html>"), DOWN, LATE, CUT])
def test_safe_requests_survive_four_bad_attempts(request_: Request, trouble: Reply | Exception) -> None:
    """Reads, updates and deletes are sent up to five times, whatever went wrong."""
    client, stub = client_of(trouble, trouble, trouble, trouble, OK)
    with client:
        assert client.send(request_) == {"id": "new"}
    assert len(stub.seen) == 5


@pytest.mark.parametrize("trouble", [BUSY, DOWN, ASLEEP, refusal(400, "OPERATION_LIMIT")])
def test_a_create_is_repeated_after_proof_that_nothing_was_made(trouble: Reply | Exception) -> None:
    """A 429, a refused connection and the passing states say that nothing exists yet."""
    client, stub = client_of(trouble, trouble, OK)
    with client:
        assert client.send(CREATE) == {"id": "new"}
    assert len(stub.seen) == 3


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (LATE, AnswerLost),
        (CUT, AnswerLost),
        (reply(500, "x"), ServerError),
        (reply(504, "<html>"), ServerError),
        (reply(200, '{"id": "n'), AnswerLost),
    ],
)
def test_a_create_is_never_repeated_after_a_lost_answer(
    trouble: Reply | Exception, kind: type[ApiError]
) -> None:
    """After a timeout, a reset or a 5xx the endpoint may exist: one request, and the doubt goes up."""
    client, stub = client_of(trouble, OK)
    with client, pytest.raises(kind):
        client.send(CREATE)
    assert len(stub.seen) == 1


def test_a_lost_answer_of_a_later_attempt_ends_a_create() -> None:
    """A create that may be repeated after a 429 may not be after the timeout that followed."""
    client, stub = client_of(BUSY, LATE, OK)
    with client, pytest.raises(AnswerLost):
        client.send(CREATE)
    assert len(stub.seen) == 2


@pytest.mark.parametrize(
    ("script", "waits"),
    [
        ([reply(500, "")], [0.5, 1, 2, 4]),
        ([ASLEEP], [0.5, 1, 2, 4, 8, 8, 8]),
        ([refusal(400, "CLUSTER_STATUS")], [0.5, 1, 2]),
        ([refusal(429, "X", retry_after="7"), OK], [7]),
        ([refusal(429, "X", retry_after="0"), OK], [0.5]),
        ([refusal(429, "X", retry_after="-3"), OK], [0.5]),
        ([refusal(429, "X", retry_after="soon"), OK], [0.5]),
        ([refusal(429, "X", retry_after="Tue, 14 Nov 2023 22:13:50 GMT"), OK], [30]),
        ([refusal(429, "X", retry_after="80"), OK], [80]),
        ([reply(503, "", retry_after="20")], [20, 20, 20, 20]),
        ([refusal(429, "X", retry_after="40")], [40, 40]),
        ([refusal(429, "X", retry_after="3600")], []),
        ([refusal(429, "X", retry_after="inf")], []),
        ([refusal(429, "X", retry_after="50"), refusal(429, "X", retry_after="50")], [50]),
    ],
)
def test_the_waits(script: list[Reply], waits: list[float]) -> None:
    """Waits double up to eight seconds, a Retry-After is waited for in full, all within ninety."""
    time = ManualTime()
    client, _ = client_of(*script, time=time)
    with client:
        if script[-1] is OK:
            client.send(GET)
        else:
            with pytest.raises(ApiError):
                client.send(GET)
    assert time.slept == pytest.approx(waits)


def test_slow_calls_use_up_the_budget() -> None:
    """Calls that take a minute each are not made five times."""
    time = ManualTime(cost=60.0)
    client, stub = client_of(LATE, time=time)
    with client, pytest.raises(AnswerLost):
        client.send(GET)
    assert len(stub.seen) < 3


def test_jitter_spreads_the_waits() -> None:
    """The jitter lengthen a wait by up to half, and never past the longest one."""
    time = ManualTime()
    stub = Stub([ASLEEP])
    timing = Timing(sleep=time.sleep, clock=time.clock, jitter=lambda: 1.0)
    with Client("https://api.test", secret(), app=stub, timing=timing) as client, pytest.raises(Refused):
        client.send(UPDATE)
    assert time.slept == pytest.approx([0.75, 1.5, 3, 6, 8, 8, 8])


def test_different_failures_in_sequence() -> None:
    """Each failure is judged by its own rules, whatever came before it."""
    client, stub = client_of(DOWN, BUSY, ASLEEP, refusal(400, "VALIDATOR_PARAM"), OK)
    with client, pytest.raises(Refused, match="VALIDATOR_PARAM"):
        client.send(CREATE)
    assert len(stub.seen) == 4


def test_without_retries_there_is_one_attempt() -> None:
    """An optional request is sent once."""
    client, stub = client_of(BUSY, OK)
    with client, pytest.raises(Throttled):
        client.send(GET, retries=False)
    assert len(stub.seen) == 1


def test_an_interrupted_wait_is_an_interrupt() -> None:
    """Ctrl-C during a wait ends the call, and nothing more is sent."""

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    stub = Stub([BUSY])
    with (
        Client("https://api.test", secret(), app=stub, timing=Timing(sleep=interrupt)) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.send(GET)
    assert len(stub.seen) == 1


def test_an_unreachable_address_has_a_hint() -> None:
    """An unreachable address is named, with the attempts and a hint."""
    client, stub = client_of(DOWN)
    with client, pytest.raises(Unreachable) as caught:
        client.send(CREATE)
    text = told(caught.value)
    assert len(stub.seen) == 5
    for words in (
        "cannot reach api.test",
        "Connection refused",
        "Nothing was sent",
        "HTTPS_PROXY",
        "reconciler plan",
    ):
        assert words in text


def test_an_invalid_certificate_is_not_retried() -> None:
    """A certificate does not get better by asking."""
    client, stub = client_of(ConnectionRefusedError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    with client, pytest.raises(Unreachable) as caught:
        client.send(GET)
    assert len(stub.seen) == 1
    assert "SSL_CERT_FILE" in caught.value.problem.hint


def test_retries_write_nothing_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    """The warnings of stamina go only to a configured logger."""
    client, _ = client_of(BUSY, OK)
    with client:
        client.send(GET)
    assert capfd.readouterr().err == ""
    assert len(logging.getLogger("stamina").handlers) <= 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("1.5", 1.5),
        ("nan", 0.0),
        ("", 0.0),
        ("inf", math.inf),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0),
        ("Thu, 01 Jan 1970 00:01:40 -0000", 90.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 99 Jan 1970 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str, seconds: float) -> None:
    """Seconds or an HTTP date; nonsense and the past ask for nothing."""
    assert parse_retry_after(header, now=10.0) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "0",
        "Tue, 14 Nov 2023 22:13:50 +99999999999999999999",
        "Tue, 14 Nov 99999 22:13:50 GMT",
        "Tue, 14 Nov 2023 99:99:99 GMT",
        ", , ,",
        "\x00",
    ],
)
def test_invalid_dates(text: str) -> None:
    """Whatever a server writes is a date or is none."""
    assert parse_http_date(text) is None


def test_all_calls_pause() -> None:
    """A call that begins while Novita wants none waits, or says that it does not and was not sent."""
    time = ManualTime()
    client, stub = client_of(refusal(503, "X", retry_after="30"), OK, time=time)
    with client:
        with pytest.raises(ServerError, match="503"):
            client.send(CREATE)
        client.send(GET)
        assert time.slept == pytest.approx([30])
        assert len(stub.seen) == 2
    client, stub = client_of(refusal(503, "X", retry_after="120"), OK, time=time)
    with client:
        with pytest.raises(ServerError):
            client.send(CREATE)
        with pytest.raises(Throttled, match="asks to wait 120 s"):
            client.send(GET)
    assert len(stub.seen) == 1


def test_a_call_without_retries_causes_no_pause() -> None:
    """Its wish for a pause is its own."""
    time = ManualTime()
    client, _ = client_of(refusal(503, "X", retry_after="120"), OK, time=time)
    with client:
        with pytest.raises(ServerError, match="503"):
            client.send(GET, retries=False)
        assert client.send(GET) == {"id": "new"}
    assert time.slept == []
