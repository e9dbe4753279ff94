"""The end of an apply that was interrupted, here or on a command line, as `apply --resume` finishes it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import sha256

from reconciler.inventory.stores.base import APPROVED_PLAN
from reconciler.model.apply_events import ApplyEvent
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.workflow.apply import ApplyResult, apply_with_approval
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.saved_plan.file import read_approved_plan


def unfinished(context: Context) -> str:
    """Return the digest of the approved plan that is not performed yet, "" if there is none."""
    data = context.store.read_document(APPROVED_PLAN)
    return "" if data is None else sha256(data).hexdigest()


def resume(context: Context, emit: Callable[[ApplyEvent], None], stop: threading.Event) -> ApplyResult | None:
    """Perform what is left of the approved plan, if nothing else has changed. Return None if that is so.

    Raise ReconcilerError as `apply` does.
    """
    try:
        saved = read_approved_plan(context)
        run, goal = saved.context(), saved.goal()
    except InvalidConfig:
        return None  # it was made for another account, or is bound to another commit
    return apply_with_approval(run, _FrontEnd(emit), goal=goal, saved=saved, stop=stop)


class _FrontEnd:
    """The front end of a resumed apply: nobody is asked, because it was approved."""

    def __init__(self, emit: Callable[[ApplyEvent], None]) -> None:
        self.on_event = emit

    def on_planned(self, planned: PlanResult, *, is_saved: bool) -> None:
        """Do nothing."""

    def ask(self, _planned: PlanResult) -> Problem | None:
        return None

    def on_approved(self) -> None:
        """Do nothing: `stop` ends the run in an orderly way at any time."""

    def on_locked(self, checkpoint: Callable[[], None]) -> None:
        """Do nothing: the process waits for the end of the run."""
