"""Calls of secret helpers: one a value and run, in parallel, with the values kept in memory only."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.config.references.helper_process import HelperOutput, kill_helpers, run_helper
from reconciler.config.references.helpers import HelperRegistry
from reconciler.config.references.resolver import SHARED_CODES
from reconciler.model import durations
from reconciler.model.command import shell_quote
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.secrets import MASK

if TYPE_CHECKING:
    from reconciler.config.references.helpers import Helper
    from reconciler.config.references.syntax import Reference

HelperCalls: TypeAlias = MutableMapping[tuple[str, str | None], "Future[str | Problem]"]
"""The calls of a run by helper and argument. All threads and all readers of the run share it."""

MAX_PARALLEL: Final = 4
"""Helpers that run at once. Some password managers allow few sessions."""

MAX_CALLS: Final = 1_000
"""Calls of a run. Password managers limit the reads of an hour to about as many."""

MAX_LINES: Final = 5
MAX_MESSAGE: Final = 500
"""Lines and characters of a helper's error message that are shown."""

MIN_MASKED: Final = 6
"""Characters of a secret that is masked in such a message. Shorter ones occur in ordinary words."""

_TIMEOUT: Final = "helper-timeout"


@dataclass(frozen=True, slots=True)
class HelperRunner:
    """Starts helpers and waits for their values. `on_wait` tells the user what the run waits for."""

    registry: HelperRegistry
    calls: HelperCalls
    on_wait: Callable[[str], None] | None = None

    def start(self, references: Iterable[Reference]) -> None:
        """Start the helpers of these references in the background, if they are registered."""
        waiting: deque[tuple[Reference, Helper, Future[str | Problem]]] = deque()
        for reference in references:
            helper = self.registry.find(reference)
            if isinstance(helper, Problem):
                continue
            future: Future[str | Problem] = Future()
            if self.calls.setdefault((reference.name, reference.argument), future) is not future:
                continue
            if len(self.calls) <= MAX_CALLS:
                waiting.append((reference, helper, future))
            else:
                future.set_result(_too_many())
        for _ in range(min(len(waiting), MAX_PARALLEL)):
            threading.Thread(target=self._work, args=(waiting,), name="helper", daemon=True).start()

    def value(self, reference: Reference) -> str | Problem:
        """Return what the helper printed, which may be blank, or the problem of its failure."""
        helper = self.registry.find(reference)
        if isinstance(helper, Problem):
            return helper
        self.start([reference])
        future = self.calls[reference.name, reference.argument]
        try:
            try:
                result = future.result(durations.HELPER_NOTICE)
            except TimeoutError:
                self._tell_wait(helper)
                result = future.result()
        except BaseException:  # an interrupt
            self.calls.clear()  # those that wait for their turn are not started any more
            kill_helpers()
            raise
        if isinstance(result, Problem) and result.code not in SHARED_CODES:
            return replace(result, summary=f"{reference.text} has no value: {result.summary}")
        return result

    def _work(self, waiting: deque[tuple[Reference, Helper, Future[str | Problem]]]) -> None:
        while waiting:
            try:
                reference, helper, future = waiting.popleft()
            except IndexError:
                return
            if (reference.name, reference.argument) not in self.calls:
                return
            try:
                future.set_result(self._call(reference, helper))
            except BaseException as error:
                future.set_exception(error)

    def _tell_wait(self, helper: Helper) -> None:
        if self.on_wait is not None:
            calls = list(self.calls.values())
            done = sum(call.done() for call in calls)
            self.on_wait(f"Waiting for the secret helper {helper.name} ({done} of {len(calls)} values)...")

    def _call(self, reference: Reference, helper: Helper) -> str | Problem:
        if self._has_timed_out(helper):
            what = f"the helper `{helper.name}` is not asked for further values, because it did not answer"
            return _failure(what, "correct the error of the first value", code="helper-not-asked")
        program = self.registry.program(helper)
        if program is None:
            return _failure(
                f"the helper `{helper.name}` runs {helper.words[0]}, which is not on PATH",
                f"install {helper.words[0]}, or register `{helper.name}` with an absolute path",
                detail="Folders of the repository and relative folders of PATH do not count.",
                code="helper-not-found",
            )
        words = [word.replace("%s", reference.argument or "") for word in helper.words]
        output = run_helper(
            [program, *words[1:]],
            self.registry.environ,
            self.registry.working_directory,
            durations.HELPER_TIMEOUT,
        )
        if output.failure or output.status != 0:
            return self._failure_of(helper, words, output)
        return _text(output.out, helper)

    def _has_timed_out(self, helper: Helper) -> bool:
        """Return True if a call of the helper was too slow; probably all would wait for the same sign-in."""
        ended = [
            call.result() for key, call in list(self.calls.items()) if key[0] == helper.name and call.done()
        ]
        return any(isinstance(result, Problem) and result.code == _TIMEOUT for result in ended)

    def _failure_of(self, helper: Helper, words: Sequence[str], output: HelperOutput) -> Problem:
        ended = f"ended with exit status {output.status}"
        if output.status < 0:
            ended = f"was ended by signal {-output.status}"
        out, err = output.out.decode(errors="replace").strip(), output.err.decode(errors="replace")
        command = " ".join(shell_quote(self._masked(word)) for word in words)
        return _failure(
            f"the helper `{helper.name}` {output.failure or ended}",
            f"make sure that this prints the value and asks for nothing: {command}",
            detail=_last_lines(self._masked(err, out)),
            code=_TIMEOUT if output.is_late else "helper-failed",
        )

    def _masked(self, text: str, *secrets: str) -> str:
        """Return the text without these secrets, values of helpers, and variables named like secrets."""
        from reconciler.config.references.disclosure import is_secret_name

        known = {value for name, value in self.registry.environ.items() if is_secret_name(name)} | {*secrets}
        ended = (call.result() for call in list(self.calls.values()) if call.done())
        known |= {value for value in ended if isinstance(value, str)}
        lines = {line.strip() for value in known for line in value.splitlines()} | known
        for value in sorted(lines, key=len, reverse=True):
            if len(value) >= MIN_MASKED:
                text = text.replace(value, MASK)
        return text


def _text(output: bytes, helper: Helper) -> str | Problem:
    """Return the output of a helper without its last newline."""
    try:
        text = output.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        return _failure(
            f"the output of the helper `{helper.name}` is not UTF-8 text",
            "store binary data elsewhere, or encode it",
        )
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _last_lines(text: str) -> str:
    """Return the end of an error message, which usually says why a program failed."""
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    message = "\n".join(lines[-MAX_LINES:])
    return message if len(message) <= MAX_MESSAGE else "…" + message[-MAX_MESSAGE:]


def _failure(summary: str, hint: str, detail: str = "", code: str = "helper-failed") -> Problem:
    return Problem(code=code, summary=summary, detail=detail, hint=hint)


def _too_many() -> Problem:
    return _failure(
        f"a run asks helpers for at most {MAX_CALLS:,} values",
        "let several endpoints share a value, or select fewer endpoints with --target",
        code="helper-not-asked",
    )
