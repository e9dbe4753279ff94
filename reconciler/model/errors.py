"""Exceptions that cross package borders. Within a package, errors are returned as `Problem` values.

ReconcilerError          carries problems and an exit code
  InvalidConfig          files or environment
  InventoryError         the inventory cannot be read or written
    InventoryLocked      another run holds the lock
  ApiError               Novita refused a request
    KeyRefused           401, 403, or a blocked or unpaid account
    NotFound             the object does not exist, by Novita's reason code and not by the status alone
      EndpointNotFound   no live endpoint has the name
    Refused              400 with a reason that a retry does not change
    Throttled            429
    ServerError          5xx
  Unreachable            nothing was sent
  AnswerLost             no usable response: a write may have happened
  IncompleteListing      a listing that may be incomplete
  NotApplied             a planned change was not made, or not as planned
    RenamedElsewhere     the endpoint has another name now
  NotCalled              the URL of an endpoint gave no answer
  SourceError            the git repository of the files cannot be read
  UnsupportedByNovita    the API does not offer the function
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reconciler import __version__
from reconciler.model.problem import ExitCode, Problem


class ReconcilerError(Exception):
    """An error that is reported to the user as problems, without a traceback."""

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.summary for problem in problems))
        self.problems: Sequence[Problem] = problems

    @property
    def problem(self) -> Problem:
        return self.problems[0]

    @property
    def command_exit_code(self) -> int:
        """Return the exit code of a command that ends with this error."""
        if self.exit_code != ExitCode.ERROR:
            return int(self.exit_code)
        codes = (problem.exit_code for problem in self.problems if problem.is_error)
        return int(max(codes, default=ExitCode.ERROR))


class InvalidConfig(ReconcilerError):
    """The files and the environment are not a valid configuration."""


class InventoryError(ReconcilerError):
    """The inventory cannot be read or written, or has a newer format."""


class InventoryLocked(InventoryError):
    """Another run holds the lock of the inventory."""

    exit_code = ExitCode.LOCKED


class ApiError(ReconcilerError):
    """A failed API request.

    `status` is the HTTP status (0 without a response), `reason` Novita's reason code, such as
    `SERVERLESS_ENDPOINT_NOT_FOUND`, or "".
    """

    def __init__(self, problem: Problem, *, status: int = 0, reason: str = "") -> None:
        super().__init__(problem)
        self.status = status
        self.reason = reason


class KeyRefused(ApiError):
    """Novita refuses the API key or blocks the account; every other request would fail too."""

    exit_code = ExitCode.REFUSED


class NotFound(ApiError):
    """The object does not exist."""


class EndpointNotFound(NotFound):
    """No live endpoint has the name."""


class Refused(ApiError):
    """Novita refuses the request, and a retry cannot change that."""


class Throttled(ApiError):
    """Too many requests, or a quota that is used up; nothing was changed."""


class ServerError(ApiError):
    """Novita failed; a write may or may not have happened."""


class Unreachable(ApiError):
    """No connection was made, so nothing was sent."""


class AnswerLost(ApiError):
    """The request was sent without a usable response; a write may or may not have happened."""


class IncompleteListing(ReconcilerError):
    """The listing of the account may be incomplete, so no conclusion can be drawn from it."""


class NotApplied(ReconcilerError):
    """A change was not made, or not as planned: a guard, a refusal, or a value that was not kept."""


class RenamedElsewhere(NotApplied):
    """The endpoint has got another name outside of reconciler, so it was not deleted by the old one."""


class NotCalled(ReconcilerError):
    """A request to the URL of an endpoint was not sent, or it got no answer."""


class SourceError(ReconcilerError):
    """The place where the files come from cannot be read."""


class UnsupportedByNovita(ReconcilerError):
    """Novita's API does not offer the function."""


def defect(error: BaseException) -> Problem:
    """Return the problem for a bug. The text of the error may contain a secret, so it is not shown."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return Problem(
        code="internal-error",
        summary=f"reconciler {__version__} has a bug: {type(error).__name__} at {where}",
        hint="run the command again with -v and report its output, after removing any secrets from it",
    )
