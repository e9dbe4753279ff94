"""A Retry-After is waited for in full or told at once, and read by the clock of whoever sent it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.response_proxy import CannedResponse, ResponseProxy, response_proxy

BUSY = json.dumps({"code": 429, "reason": "RATE_LIMIT_EXCEEDED", "message": "slow down"}).encode()


@pytest.fixture
def proxy(sandbox: Sandbox) -> Iterator[ResponseProxy]:
    """A relay in front of the account."""
    with response_proxy(sandbox.sim.url) as found:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", found.url)
        yield found


def busy(status: int = 429, times: int | None = 1, **headers: str) -> CannedResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return CannedResponse(status=status, body=BUSY, headers=named, times=times)


def moment(clock: datetime, seconds: float) -> str:
    return format_datetime(clock + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("120", "120 s"),
        ("120.2", "121 s"),
        ("3600", "3600 s"),
        ("99999999999999999999", "more than 30 years"),
        ("1e400", "more than 30 years"),
    ],
)
@pytest.mark.parametrize("call", ["endpoints", "create", "update"])
def test_a_wait_that_is_too_long_is_told(
    sandbox: Sandbox, proxy: ResponseProxy, call: str, asked: str, said: str, status: int
) -> None:
    """The run ends at once with the number, and nothing is sent before that time is over."""
    sandbox.declare(item("chat"))
    if call == "update":
        sandbox.apply()
        sandbox.declare(item("chat", replicas=2))
    proxy.seen.clear()
    proxy.canned[call] = busy(status, times=None, Retry_After=asked)
    began = time.monotonic()
    ran = sandbox.run("apply", "--auto-approve", "-v")
    assert time.monotonic() - began < 200
    assert ran.code in (1, 4, 5)
    assert f"Novita asks to wait {said}" in ran.out + ran.err
    assert f"wait {said}" in next(line for line in ran.err.splitlines() if f" {status} " in line)
    assert len(proxy.times_of(call)) == 1
    later = [name for name, when in proxy.seen if when > proxy.times_of(call)[0]]
    assert set(later) <= {"endpoints-1", "limit", "products", "detail"}, "only what was under way"


@pytest.mark.parametrize("call", ["endpoints", "create", "update", "delete"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_within_the_budget_is_waited(
    sandbox: Sandbox, proxy: ResponseProxy, call: str, status: int
) -> None:
    """Nothing comes before it is over but what was under way, and then the run succeeds."""
    sandbox.declare(item("chat"), item("old"))
    if call != "create":
        sandbox.apply()
        sandbox.declare(item("chat", replicas=2))
    proxy.seen.clear()
    proxy.canned[call] = busy(status, Retry_After="1")
    sandbox.apply()
    first = proxy.times_of(call)[0]
    assert min(when for _, when in proxy.seen if when > first + 0.2) - first >= 0.98


def test_parallel_calls_wait_as_well(sandbox: Sandbox, proxy: ResponseProxy) -> None:
    """What one call is asked, all keep to, but those that were under way."""
    sandbox.declare(*(item(f"e{number:02}") for number in range(12)))
    proxy.canned["create"] = busy(Retry_After="1")
    sandbox.apply("--parallelism", "4")
    first = proxy.times_of("create")[0]
    early = [when for when in proxy.times_of("create") if first + 0.3 < when < first + 0.95]
    assert early == []
    assert len(sandbox.live()) == 12


def test_parallel_calls_are_not_sent_at_all(sandbox: Sandbox, proxy: ResponseProxy) -> None:
    """Twelve creates, and a wait of an hour: those that had not begun are not tried one by one."""
    sandbox.declare(*(item(f"e{number:02}") for number in range(12)))
    proxy.canned["create"] = busy(times=None, Retry_After="3600")
    ran = sandbox.run("apply", "--auto-approve", "--parallelism", "2")
    assert ran.code == 4
    assert len(proxy.times_of("create")) <= 2
    assert "was not sent, because an earlier response asked for this wait" in ran.out
    assert sandbox.live() == {}


@pytest.mark.parametrize("asked", ["", "0", "-5", "soon", "nan", "Tue, 99 Foo", "\u0661", "1 2"])
def test_what_asks_for_nothing(sandbox: Sandbox, proxy: ResponseProxy, asked: str) -> None:
    """Nonsense and the past change nothing."""
    sandbox.declare(item("chat"))
    proxy.canned["endpoints"] = busy(Retry_After=asked.encode().decode("latin-1"))
    began = time.monotonic()
    assert sandbox.plan().code == 2
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns"])
@pytest.mark.parametrize("off", [0, -86_400, 86_400 * 400])
def test_a_moment_is_read_by_the_clock_of_the_answer(
    sandbox: Sandbox, proxy: ResponseProxy, off: int, zone: str
) -> None:
    """Whatever this machine's clock and time zone say, the wait is what lies between Date and Retry-After."""
    clock = datetime.now(UTC) + timedelta(seconds=off)
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("TZ", zone)
    proxy.canned["endpoints"] = busy(Date=moment(clock, 0), Retry_After=moment(clock, 1))
    ran = sandbox.process("plan")
    assert ran.code == 0, ran.err
    first, second, *_ = proxy.times_of("endpoints")
    assert 0.98 <= second - first < 3
    proxy.seen.clear()
    proxy.canned["endpoints"] = busy(Date=moment(clock, 0), Retry_After=moment(clock, 300))
    ran = sandbox.process("plan")
    assert ran.code == 1
    assert "Novita asks to wait 300 s" in ran.err


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/St_Johns"])
@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%a, %d %b %Y %H:%M:%S -0000", "%c"])
def test_the_clock_row_knows_no_time_zone(
    sandbox: Sandbox, proxy: ResponseProxy, zone: str, form: str
) -> None:
    """`doctor` compares moments, in whichever of HTTP's forms the server writes its own."""
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("TZ", zone)
    body = json.dumps({"endpoints": [], "total": 0}).encode()
    proxy.canned["endpoints"] = CannedResponse(body=body, headers={"Date": datetime.now(UTC).strftime(form)})
    assert "within 60 s of Novita's" in sandbox.process("doctor").out
    late = (datetime.now(UTC) - timedelta(hours=2)).strftime(form)
    proxy.canned["endpoints"] = CannedResponse(body=body, headers={"Date": late})
    assert "s ahead of Novita's" in sandbox.process("doctor").out


@pytest.mark.parametrize("date", ["", "soon", "Tue, 14 Nov 2023 22:13:50 +99999999999999999999", ", , ,"])
def test_a_date_that_is_none(sandbox: Sandbox, proxy: ResponseProxy, date: str) -> None:
    """`doctor` goes on without it."""
    sandbox.declare(item("chat"))
    body = json.dumps({"endpoints": [], "total": 0}).encode()
    proxy.canned["endpoints"] = CannedResponse(body=body, headers={"Date": date})
    assert "no response contained a date" in sandbox.run("doctor").out
