"""Calls of the hook: only those of the git server count, and many are one."""

from __future__ import annotations

import hashlib
import hmac
import threading
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from reconciler.controller.hook import HookSecret, HookSignal
from reconciler.model.errors import InvalidConfig
from reconciler.model.sync import durations

SECRET = "a-secret-that-nobody-can-guess"
BODY = b'{"ref":"refs/heads/main"}'


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    seconds: float = 1_800_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.seconds += seconds
        return event.is_set()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def secret(clock: Clock) -> HookSecret:
    return HookSecret(SECRET, "HOOK_SECRET", clock)


def of_github(body: bytes, key: str = SECRET) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}


def of_standard(clock: Clock, body: bytes, key: bytes = SECRET.encode(), age: int = 0) -> dict[str, str]:
    sent = str(int(clock.seconds) - age)
    signature = hmac.new(key, f"msg_1.{sent}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": sent,
        "webhook-signature": f"v1a,other v1,{b64encode(signature).decode()}",
    }


def test_the_example_of_githubs_documentation(clock: Clock) -> None:
    """It proves that the signature is GitHub's, and not only that of this test."""
    secret = HookSecret("It's a Secret to Everybody", "HOOK_SECRET", clock)
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert secret.is_authentic({"x-hub-signature-256": signature}, b"Hello, World!")


def test_the_example_of_standard_webhooks(clock: Clock) -> None:
    secret = HookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "HOOK_SECRET", clock)
    clock.seconds = 1614265330
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert secret.is_authentic(headers, b'{"test": 2432232314}')


def test_each_sender_is_recognized(secret: HookSecret, clock: Clock) -> None:
    assert secret.is_authentic(of_github(BODY), BODY)
    assert secret.is_authentic(of_standard(clock, BODY), BODY)
    assert secret.is_authentic({"x-gitlab-token": SECRET}, BODY)


def test_nobody_else_is(secret: HookSecret, clock: Clock) -> None:
    others = {
        "nothing": {},
        "an empty signature": {"x-hub-signature-256": ""},
        "an empty token": {"x-gitlab-token": ""},
        "another key": of_github(BODY, "another-secret-of-somebody"),
        "another body": of_github(BODY + b" "),
        "no signature": {"x-hub-signature-256": "sha256="},
        "odd letters": {"x-hub-signature-256": "sha256=\udcff\u00e9"},
        "SHA-1": {"x-hub-signature": "sha1=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest()},
        "another token": {"x-gitlab-token": SECRET[:-1]},
        "a bad signature beside a good token": {**of_github(b""), "x-gitlab-token": SECRET},
        "a standard signature of another body": of_standard(clock, b"other"),
        "an old one": of_standard(clock, BODY, age=int(durations.HOOK_AGE) + 1),
        "one of the future": of_standard(clock, BODY, age=-int(durations.HOOK_AGE) - 1),
        "one without a time": {**of_standard(clock, BODY), "webhook-timestamp": ""},
        "one with an odd time": {**of_standard(clock, BODY), "webhook-timestamp": "\u0661"},
    }
    assert [name for name, headers in others.items() if secret.is_authentic(headers, BODY)] == []


@pytest.mark.parametrize("text", ["", "  ", "short", "f\u00fcnfzehn-Zeichen-lang"])
def test_a_secret_that_can_be_guessed_is_refused(text: str, clock: Clock) -> None:
    with pytest.raises(InvalidConfig) as caught:
        HookSecret(text, "HOOK_SECRET", clock)
    assert caught.value.problem.summary.startswith("HOOK_SECRET ")
    assert not text.strip() or text not in str(caught.value.problem)


def test_a_newline_at_the_end_of_a_secret_is_no_part_of_it(clock: Clock) -> None:
    """Files of secrets end with one."""
    assert HookSecret(f"{SECRET}\n", "HOOK_SECRET", clock).is_authentic(of_github(BODY), BODY)


def test_a_storm_is_one(clock: Clock) -> None:
    """1,000 calls within a second from many threads."""
    wake = threading.Event()
    signal = HookSignal(clock, wake)
    threads = [threading.Thread(target=lambda: [signal.call() for _ in range(100)]) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wake.is_set()
    assert not signal.take()
    assert signal.seconds_left() == durations.HOOK_DELAY
    clock.seconds += durations.HOOK_DELAY
    assert signal.seconds_left() == 0
    assert [signal.take() for _ in range(5)] == [True, False, False, False, False]
    assert signal.seconds_left() is None


def test_an_endless_storm_neither_delays_nor_hurries(clock: Clock) -> None:
    """A call every 10 ms for a minute: the first action comes after a second, then one every 5 s."""
    signal = HookSignal(clock, threading.Event())
    start, actions = clock.seconds, []
    for _ in range(6000):
        signal.call()
        clock.seconds += 0.01
        if signal.take():
            actions.append(round(clock.seconds - start))
    assert actions == [1, *range(6, 60, 5)]


def test_a_call_during_the_action_is_not_lost(clock: Clock) -> None:
    """It may tell of a commit that the action no longer saw."""
    signal = HookSignal(clock, threading.Event())
    signal.call()
    clock.seconds += durations.HOOK_DELAY
    assert signal.take()
    signal.call()
    assert signal.seconds_left() == durations.HOOK_INTERVAL
    clock.seconds += durations.HOOK_INTERVAL
    assert signal.take()
