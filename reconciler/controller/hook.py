"""Calls of `POST /hook`, by which a git server says that something was pushed."""

from __future__ import annotations

import hashlib
import hmac
import threading
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from reconciler.controller.clock import Clock
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.sync import durations

MIN_SECRET: Final = 16
"""Characters. A call and its signature are no longer secret once a proxy has logged them."""

MAX_SIGNATURES: Final = 8
"""Signatures of one message that are looked at. Senders have two while they replace a secret."""

_STANDARD_PREFIX: Final = "whsec_"


class HookSecret:
    """The secret that a git server shares. Its name is that of the variable that holds it.

    A call is signed as GitHub, Gitea and Forgejo do (`X-Hub-Signature-256`), or as https://www.standardwebhooks.com/
    says, which GitLab's signing token does; or it has the secret itself, as GitLab's secret token
    (`X-Gitlab-Token`).
    """

    def __init__(self, secret: str, variable: str, clock: Clock) -> None:
        """Raise InvalidConfig if the secret is missing or short."""
        secret = secret.strip()
        if len(secret) < MIN_SECRET or not secret.isascii():
            reason = "is not set" if not secret else f"has not {MIN_SECRET} ASCII characters or more"
            hint = f"make one, for the git server and for {variable}: `openssl rand -hex 32`"
            raise InvalidConfig(
                Problem(
                    code="hook-secret",
                    summary=f"{variable} {reason}",
                    hint=hint,
                    exit_code=ExitCode.USAGE,
                )
            )
        self._secret = secret.encode()
        self._standard_key = _standard_key(secret)
        self._clock = clock

    def is_authentic(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Return whether the sender knows the secret. `headers`: by names in lower case."""
        if signature := headers.get("x-hub-signature-256"):
            expected = hmac.digest(self._secret, body, "sha256").hex()
            return _is_equal(signature.removeprefix("sha256="), expected)
        if signatures := headers.get("webhook-signature"):
            return self._is_standard(headers, signatures, body)
        return _is_equal(headers.get("x-gitlab-token", ""), self._secret.decode())

    def _is_standard(self, headers: Mapping[str, str], signatures: str, body: bytes) -> bool:
        """Return whether one of the signatures is that of this message, and the message is new."""
        number, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not (sent.isascii() and sent.isdecimal() and len(sent) < 12):
            return False
        if abs(self._clock.now().timestamp() - int(sent)) > durations.HOOK_AGE:
            return False
        signed = f"{number}.{sent}.".encode(errors="replace") + body
        expected = "v1," + b64encode(hmac.digest(self._standard_key, signed, hashlib.sha256)).decode()
        return any(_is_equal(one, expected) for one in signatures.split()[:MAX_SIGNATURES])


class HookSignal:
    """Calls that wait to be acted on. Calls that come together are one. Thread-safe.

    `wake` is set at each call, so that whoever waits for it asks `seconds_left` again.
    """

    def __init__(self, clock: Clock, wake: threading.Event) -> None:
        self._clock = clock
        self._wake = wake
        self._lock = threading.Lock()
        self._due: float | None = None
        self._taken: float | None = None

    def call(self) -> None:
        """Note a call."""
        with self._lock:
            if self._due is None:
                now = self._clock.monotonic()
                rest = 0.0 if self._taken is None else self._taken + durations.HOOK_INTERVAL - now
                self._due = now + max(durations.HOOK_DELAY, rest)
        self._wake.set()

    def seconds_left(self) -> float | None:
        """Return when to act on the calls, 0 for now; None if there are none."""
        with self._lock:
            return None if self._due is None else max(0.0, self._due - self._clock.monotonic())

    def take(self) -> bool:
        """Return whether it is time to act on calls. They then no longer wait."""
        with self._lock:
            now = self._clock.monotonic()
            if self._due is None or self._due > now:
                return False
            self._due, self._taken = None, now
            return True


def _standard_key(secret: str) -> bytes:
    """Return the key of Standard Webhooks, which is in base64 behind a prefix."""
    if not secret.startswith(_STANDARD_PREFIX):
        return secret.encode()
    try:
        return b64decode(secret.removeprefix(_STANDARD_PREFIX), validate=True)
    except ValueError:
        return secret.encode()


def _is_equal(given: str, expected: str) -> bool:
    """Return whether the texts are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())
