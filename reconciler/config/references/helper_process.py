"""Runs a secret helper: without a shell or a terminal, in its own process group, within limits."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reconciler.model import durations
from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from subprocess import Popen

MAX_OUTPUT: Final = 2**16
"""Bytes of each output stream. A longer one is no secret."""

_running: Final[set[Popen[bytes]]] = set()
_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class HelperOutput:
    """The result of a helper: its exit status (negative: the signal that ended it) and its streams.

    `failure` says why it was stopped or not started; "" if it ended by itself. `is_late` is True if it
    did not end in time.
    """

    status: int = -1
    out: bytes = b""
    err: bytes = b""
    failure: str = ""
    is_late: bool = False


def run_helper(
    words: Sequence[str],
    environ: Mapping[str, str],
    folder: str,
    timeout: float,
    stop: threading.Event | None = None,
) -> HelperOutput:
    """Run a program, and return its result. `words[0]` is its absolute path.

    The process and its children are killed after so many seconds, when `stop` is set, or when the output is
    too large.
    """
    import subprocess

    with _lock:  # so that `kill_helpers` finds each one that has begun
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell; the user registered the program
                words,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # its own process group, and no terminal to ask questions on
            )
        except (OSError, ValueError) as error:
            return HelperOutput(failure=f"cannot be started: {getattr(error, 'strerror', None) or error}")
        _running.add(process)
    try:
        return _read(process, timeout, stop)
    finally:
        _kill_group(process)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        with _lock:
            _running.discard(process)


def kill_helpers() -> None:
    """Kill all helpers of this process, after an interrupt."""
    with _lock:
        for process in _running:
            _kill_group(process)


def _read(process: Popen[bytes], timeout: float, stop: threading.Event | None) -> HelperOutput:
    """Read both streams until the program has ended."""
    import selectors
    import subprocess

    assert process.stdout is not None
    assert process.stderr is not None
    out, err = process.stdout.fileno(), process.stderr.fileno()
    streams = {out: bytearray(), err: bytearray()}
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            os.set_blocking(stream, False)
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            has_ended = process.poll() is not None
            events = selector.select(0 if has_ended else durations.HELPER_CHECK)
            for key, _ in events:
                data = os.read(key.fd, MAX_OUTPUT)
                streams[key.fd] += data
                if not data:
                    selector.unregister(key.fd)
            if any(len(read) > MAX_OUTPUT for read in streams.values()):
                return HelperOutput(failure=f"printed more than {MAX_OUTPUT // 1024} KiB")
            if has_ended and not events:
                break  # a process that it started keeps the streams open
            if stop is not None and stop.is_set():
                return HelperOutput(failure="was stopped")
            if time.monotonic() > deadline:
                return _too_late(streams[err], timeout)
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return _too_late(streams[err], timeout)
    return HelperOutput(status=status, out=bytes(streams[out]), err=bytes(streams[err]))


def _too_late(err: bytearray, timeout: float) -> HelperOutput:
    failure = f"did not answer within {timeout:g} s"
    return HelperOutput(err=bytes(err), failure=failure, is_late=True)


def _kill_group(process: Popen[bytes]) -> None:
    """Kill a program that still runs, with the processes that it started."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
