"""Calls of secret helpers: one a value and run, in parallel, with the values kept in memory only."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, MutableMapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, TypeAlias

from reconciler.config.references.helper_process import HelperOutput, kill_helpers, run_helper
from reconciler.config.references.helpers import HelperRegistry
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

MAX_MESSAGE: Final = 500
"""Characters of a helper's error message that are shown."""


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
            if self.calls.setdefault((reference.name, reference.argument), future) is future:
                waiting.append((reference, helper, future))
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
            kill_helpers()
            raise
        return _about(result, reference) if isinstance(result, Problem) else result

    def _work(self, waiting: deque[tuple[Reference, Helper, Future[str | Problem]]]) -> None:
        while waiting:
            try:
                reference, helper, future = waiting.popleft()
            except IndexError:
                return
            try:
                future.set_result(self._call(reference, helper))
            except BaseException as error:
                future.set_exception(error)

    def _tell_wait(self, helper: Helper) -> None:
        if self.on_wait is not None:
            done = sum(future.done() for future in self.calls.values())
            self.on_wait(
                f"Waiting for the secret helper {helper.name} ({done} of {len(self.calls)} values)..."
            )

    def _call(self, reference: Reference, helper: Helper) -> str | Problem:
        program = self.registry.program(helper)
        if program is None:
            return Problem(
                code="helper-failed",
                summary=f"the helper `{helper.name}` runs {helper.words[0]}, which is not on PATH",
                detail="Folders of the repository and relative folders of PATH do not count.",
                hint=f"install {helper.words[0]}, or register `{helper.name}` with an absolute path",
            )
        words = [word.replace("%s", reference.argument or "") for word in helper.words]
        environ = self.registry.environ
        output = run_helper([program, *words[1:]], environ, self.registry.working_directory)
        if output.failure or output.status != 0:
            return self._failed(helper, words, output)
        try:
            text = output.out.decode()
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            return Problem(
                code="unreadable-reference",
                summary=f"the output of the helper `{helper.name}` is not UTF-8 text",
                hint="store binary data elsewhere, or encode it",
            )
        return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")

    def _failed(self, helper: Helper, words: list[str], output: HelperOutput) -> Problem:
        ended = (
            f"ended with exit status {output.status}"
            if output.status >= 0
            else f"was ended by signal {-output.status}"
        )
        command = self._masked(" ".join(map(shell_quote, words)))
        return Problem(
            code="helper-failed",
            summary=f"the helper `{helper.name}` {output.failure or ended}",
            detail=self._masked(_message(output.err)),
            hint=f"make sure that this prints the value and asks for nothing: {command}",
        )

    def _masked(self, text: str) -> str:
        """Return the text without values of helpers, and of variables that are named like secrets."""
        from reconciler.config.references.disclosure import is_secret_name

        known = {value for name, value in self.registry.environ.items() if is_secret_name(name)}
        done = (future.result() for future in tuple(self.calls.values()) if future.done())
        known |= {value for value in done if isinstance(value, str)}
        for value in sorted(filter(_is_maskable, known), key=len, reverse=True):
            text = text.replace(value, MASK)
        return text


def _is_maskable(value: str) -> bool:
    return len(value.strip()) >= 6


def _message(err: bytes) -> str:
    """Return the last lines of an error message."""
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", err.decode(errors="replace")) if line.strip()]
    text = "\n".join(lines[-5:])
    return text if len(text) <= MAX_MESSAGE else "…" + text[-MAX_MESSAGE:]


def _about(problem: Problem, reference: Reference) -> Problem:
    """Return the problem of a call as that of one reference."""
    from dataclasses import replace

    return replace(problem, summary=f"{reference.text} has no value: {problem.summary}")
