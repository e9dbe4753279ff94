"""`reconciler approve`: approvals of plans by their digest, as they were shown to a person.

The page of `serve` has the approval in memory. `reconciler approve` keeps it in a file until `reconciler mcp`
applies the plan, authenticated with the API key (docs/decisions/0045).
"""

from __future__ import annotations

import hmac
import json
import os
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.files import (
    FileSystem,
    make_directories,
    path_under,
    read_regular_file,
    replace_file,
)
from reconciler.inventory.stores.address import store_identity
from reconciler.model import durations
from reconciler.model.apply_events import ApplyEvent
from reconciler.model.command import command_line
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.run_report import RunReport
from reconciler.model.secrets import Keyring, canonical
from reconciler.model.text import utc_text
from reconciler.model.values import Json
from reconciler.planning.selection import Selection
from reconciler.workflow.apply import apply_with_approval
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import base_url, require_api_key, valid_settings

FOLDER: Final = Path(".reconciler/approvals")

_DIGEST: Final = r"[0-9a-f]{64}"

_PURPOSE: Final = ("approval",)
"""Keeps the authentication code of an approval apart from the fingerprint of any secret."""


class DigestApproval:
    """The front end of an apply that may perform the plan of one digest and no other."""

    def __init__(self, digest: str) -> None:
        self.digest = digest

    def on_planned(self, planned: PlanResult, *, is_saved: bool) -> None:
        """Do nothing: the plan was shown before the run began."""

    def ask(self, planned: PlanResult) -> Problem | None:
        return None if hmac.compare_digest(planned.digest, self.digest) else plan_changed()

    def on_approved(self) -> None:
        """Do nothing: `stop` ends the run in an orderly way at any time."""

    def on_event(self, event: ApplyEvent) -> None:
        """Do nothing."""

    def on_locked(self, checkpoint: Callable[[], None]) -> None:
        """Do nothing: a server waits for the end of a run before it exits."""


def apply_approved(context: Context, approval: DigestApproval, stop: threading.Event) -> RunReport:
    """Plan again, perform the plan if it is the approved one, and return the report.

    Raise ReconcilerError if the run cannot go on.
    """
    result = apply_with_approval(context, approval, stop=stop)
    return result.planned.run_report(
        "apply",
        utc_text(context.now()),
        exit_code=result.exit_code,
        report=result.report,
        refusals=result.problems,
    )


def is_digest(text: str) -> bool:
    """Return True if a text has the form of the digest of a plan."""
    return re.fullmatch(_DIGEST, text) is not None


def plan_changed() -> Problem:
    """Return the error for a plan that is not the one that was approved."""
    return Problem(
        code="plan-changed",
        summary="nothing was changed: the plan is no longer the one that was approved",
        detail="The files, the inventory or the account have changed since it was shown.",
        hint="look at the new plan, and approve that",
        exit_code=ExitCode.STALE,
    )


def other_plan() -> Problem:
    """Return the error for an approval of a digest that the plan does not have."""
    return Problem(
        code="plan-changed",
        summary="nothing was approved: this is not the plan of the digest",
        detail="The files, the inventory or the account have changed since it was made.",
        hint="let the program plan again, and approve the digest that it gets then",
        exit_code=ExitCode.STALE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The approval of a plan by a person. until: when it expires, in UTC. targets, excludes: of the plan."""

    digest: str
    who: str
    until: datetime
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()

    @property
    def selection(self) -> Selection:
        return Selection(targets=self.targets, excludes=self.excludes)

    def to_json(self) -> dict[str, Json]:
        return {
            "digest": self.digest,
            "who": self.who,
            "until": self.until.isoformat(),
            "targets": self.targets,
            "excludes": self.excludes,
        }

    @classmethod
    def from_json(cls, document: Any) -> Approval:
        """Return the approval that `to_json` wrote. Raise KeyError, TypeError or ValueError."""
        return cls(
            digest=str(document["digest"]),
            who=str(document["who"]),
            until=datetime.fromisoformat(document["until"]),
            targets=tuple(map(str, document["targets"])),
            excludes=tuple(map(str, document["excludes"])),
        )


def save_approval(context: Context, digest: str, who: str) -> Approval:
    """Write and return the approval of a plan of this run. Raise InvalidConfig if that is not possible."""
    approval = Approval(
        digest=digest,
        who=who,
        until=(context.now() + timedelta(seconds=durations.APPROVAL_LIFETIME)).replace(microsecond=0),
        targets=context.selection.targets,
        excludes=context.selection.excludes,
    )
    path, disk = _path(context, digest), FileSystem()
    try:
        make_directories(disk, path.parent)
        replace_file(disk, path, json_bytes({**approval.to_json(), "mac": _mac(context, approval)}) + b"\n")
    except OSError as error:
        summary = f"cannot write {path}: {error.strerror or error}"
        raise InvalidConfig(Problem(code="approval-not-saved", summary=summary)) from error
    return approval


def find_approval(context: Context, digest: str) -> Approval:
    """Return the approval of a plan. Raise InvalidConfig if there is none that holds for this run."""
    if not is_digest(digest):
        raise InvalidConfig(no_digest(digest))
    try:
        document = json.loads(read_regular_file(_path(context, digest)))
        approval = Approval.from_json(document)
        is_genuine = hmac.compare_digest(str(document["mac"]).encode(), _mac(context, approval).encode())
    except FileNotFoundError:
        raise InvalidConfig(_refusal(context, digest, "not-approved", "it has no approval")) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        is_genuine = False
    own = context.selection
    if not is_genuine or approval.digest != digest or not (own.is_everything or approval.selection == own):
        why = "its approval was given for another folder, inventory, account or selection, or was altered"
        raise InvalidConfig(_refusal(context, digest, "approval-invalid", why))
    if approval.until <= context.now():
        why = f"its approval expired at {utc_text(approval.until)}"
        raise InvalidConfig(_refusal(context, digest, "approval-expired", why))
    return approval


def use_approval(context: Context, digest: str) -> None:
    """Delete an approval, which holds for one run. Raise InvalidConfig if another run was faster."""
    try:
        _path(context, digest).unlink()
    except OSError as error:
        raise InvalidConfig(_refusal(context, digest, "not-approved", "its approval was used")) from error


def approve_command(context: Context, digest: str) -> str:
    """Return the command with which a person approves a plan of this run."""
    return command_line("reconciler", "approve", digest, *context.options.selection_arguments())


def no_digest(text: str) -> Problem:
    return Problem(
        code="no-digest",
        summary=f"`{text[:100]}` is not the digest of a plan, which has 64 hex digits",
        hint="reconciler plan --json   has it as `digest`",
        exit_code=ExitCode.USAGE,
    )


def _path(context: Context, digest: str) -> Path:
    return path_under(context.root, FOLDER / f"{digest}.json")


def _mac(context: Context, approval: Approval) -> str:
    """Return the authentication code of an approval for the folder, the inventory and the account of a run.

    Its key is made of the API key, with which anybody could change the account without reconciler.
    """
    settings = valid_settings(context, lenient=True)
    bound_to = {
        **approval.to_json(),
        "account": base_url(settings),
        "environment": context.environment_name,
        "folder": os.path.realpath(context.root),
        "inventory": store_identity(context.store),
        "files": [os.path.realpath(context.root / file) for file in context.files],
    }
    keyring = Keyring.from_key(require_api_key(settings).value)
    return keyring.seal(canonical(bound_to).decode(), _PURPOSE).mac


def _refusal(context: Context, digest: str, code: str, why: str) -> Problem:
    return Problem(
        code=code,
        summary=f"nothing was changed: the plan may not be applied, because {why}",
        hint=f"a person approves it on a terminal: {approve_command(context, digest)}",
        exit_code=ExitCode.STALE if code == "approval-expired" else ExitCode.ERROR,
    )
