"""The exceptions that cross a border; inside, trouble is a returned `Problem`.

ReconcilerError          carries the problems that it stands for, and the exit code
  InvalidConfig          files or environment
  InventoryError         the inventory cannot be read or written
    InventoryLocked      another run holds it
  ApiError               Novita answered, and the answer was no
    KeyRefused           401, 403, a banned or unpaid account
    NotFound             the object is absent, by reason and not by status alone
      EndpointNotFound   no live endpoint has that name
    Refused              400 with a reason that a retry will not change
    Throttled            429
    ServerError          5xx
  Unreachable            nothing was sent
  AnswerLost             sent, answer lost: the only one after which a write may have happened
  IncompleteListing      a listing that was not proven complete
  NotApplied             a change was planned, and did not take place or not as planned
  UnsupportedByNovita    what the API does not offer, with where to look instead
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.problem import ExitCode, Problem


class ReconcilerError(Exception):
    """Something a user must know. Never shown as a traceback."""

    exit_code: ExitCode = ExitCode.ERROR

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(problem.summary for problem in problems))
        self.problems: Sequence[Problem] = problems

    @property
    def problem(self) -> Problem:
        return self.problems[0]


class InvalidConfig(ReconcilerError):
    """The files or the environment do not make a valid configuration."""


class InventoryError(ReconcilerError):
    """The inventory cannot be read, is newer than this program, or cannot be written."""


class InventoryLocked(InventoryError):
    """Another run holds the lock of this inventory."""

    exit_code = ExitCode.LOCKED


class ApiError(ReconcilerError):
    """A call that Novita answered with a refusal.

    `status` is the HTTP status, `reason` Novita's own code such as `SERVERLESS_ENDPOINT_NOT_FOUND`, or "".
    """

    def __init__(self, problem: Problem, *, status: int = 0, reason: str = "") -> None:
        super().__init__(problem)
        self.status = status
        self.reason = reason


class KeyRefused(ApiError):
    """The key is refused, or the account is blocked: no other call will do better."""

    exit_code = ExitCode.REFUSED


class NotFound(ApiError):
    """The object is absent."""


class EndpointNotFound(NotFound):
    """No live endpoint has that name."""


class Refused(ApiError):
    """Novita will not do it, and asking again will not change that."""


class Throttled(ApiError):
    """Too many calls, or a quota that never clears; nothing was done."""


class ServerError(ApiError):
    """Novita failed; a write may or may not have happened."""


class Unreachable(ApiError):
    """No connection could be made: nothing was sent."""


class AnswerLost(ApiError):
    """The request went out and no usable answer came back: a write may or may not have happened."""


class IncompleteListing(ReconcilerError):
    """The account's endpoints could not be listed completely; nothing may be concluded from the part."""


class NotApplied(ReconcilerError):
    """A change did not take place, or not as planned: a guard, a refusal, a value that did not stay."""


class UnsupportedByNovita(ReconcilerError):
    """Novita's API does not offer it, and never will by asking again."""
