"""Approvals of waiting plans, as a document of the inventory's store.

A person approves with `reconciler approve` or on the page, on any machine that reaches the store. The leader
reads the approval within seconds, and performs the plan of its digest or none (docs/decisions/0072).
"""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconciler.controller.state import WaitingPlan
from reconciler.inventory.stores.base import Store
from reconciler.model.command import command_line
from reconciler.model.durations import APPROVAL_LIFETIME
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.secrets import canonical
from reconciler.model.sync.durations import APPROVAL_LOCK_TIMEOUT
from reconciler.model.text import utc_text
from reconciler.model.values import Json
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import lock
from reconciler.workflow.runtime.settings import base_url, require_api_key, valid_settings

APPROVAL: Final = "approval"
"""The name of the document. One plan waits at a time, so there is one approval."""

_WAITING: Final = ("waiting-plan",)
_APPROVAL: Final = ("approval", "waiting-plan")
"""They keep these authentication codes apart from each other and from the fingerprint of any secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanApproval:
    """The approval of one waiting plan. until: when it expires, in UTC. mac: its authentication code."""

    digest: str
    who: str
    until: datetime
    mac: str = ""

    def to_json(self) -> dict[str, Json]:
        return {"digest": self.digest, "who": self.who, "until": self.until.isoformat(), "mac": self.mac}

    @classmethod
    def from_json(cls, document: Any) -> PlanApproval:
        """Return the approval that `to_json` wrote. Raise KeyError, TypeError, or another error."""
        return cls(
            digest=str(document["digest"]),
            who=str(document["who"]),
            until=datetime.fromisoformat(document["until"]).astimezone(UTC),
            mac=str(document["mac"]),
        )


def sealed(context: Context, waiting: WaitingPlan, *, environment: str | None = None) -> WaitingPlan:
    """Return a waiting plan with its authentication code, which a person's approval refers to.

    Who can write to the store but has no key can neither let people see another text for the digest, nor
    use an approval of an earlier plan. environment: that of the plan, None for that of the run. Raise
    InvalidConfig if there is no key.
    """
    facts = {
        "account": base_url(valid_settings(context, lenient=True)),
        "environment": context.environment_name if environment is None else environment,
        "digest": waiting.digest,
        "since": int(waiting.since.timestamp()),
        "revision": waiting.revision,
        "summary": waiting.summary,
        "text": waiting.text,
    }
    return replace(waiting, mac=_mac(context, facts, _WAITING))


def is_genuine(context: Context, waiting: WaitingPlan, *, environment: str | None = None) -> bool:
    """Return True if a controller with the key of this run wrote the waiting plan."""
    return _are_equal(sealed(context, waiting, environment=environment).mac, waiting.mac)


def require_genuine(context: Context, waiting: WaitingPlan, *, environment: str | None = None) -> None:
    """Raise InvalidConfig unless a controller with the key of this run wrote the waiting plan."""
    if not is_genuine(context, waiting, environment=environment):
        raise InvalidConfig(
            Problem(
                code="waiting-plan-invalid",
                summary="nothing was approved: the waiting plan was not written with the key of this run",
                detail="Another account, environment or key made it, or somebody altered it in the store.",
                hint="check -e, NOVITA_BASE_URL, and that NOVITA_API_KEY or RECONCILER_STATE_KEY is that of"
                " the controller",
            )
        )


def approve(
    context: Context, waiting: WaitingPlan, who: str, *, environment: str | None = None
) -> PlanApproval:
    """Write the approval of a waiting plan to the store, under the lock of the inventory for a moment.

    It replaces an earlier one. Raise InvalidConfig if the plan is not genuine, InventoryLocked if another run
    holds the inventory for too long, and InventoryError.
    """
    require_genuine(context, waiting, environment=environment)
    until = (context.now() + timedelta(seconds=APPROVAL_LIFETIME)).replace(microsecond=0)
    approval = PlanApproval(digest=waiting.digest, who=who, until=until)
    approval = replace(approval, mac=_approval_mac(context, waiting, approval))
    timeout = context.lock_timeout or APPROVAL_LOCK_TIMEOUT
    with lock(context, context.store, timeout=timeout) as hold:
        hold.write_document(APPROVAL, json_bytes(approval.to_json()) + b"\n")
    return approval


def find_approval(context: Context, waiting: WaitingPlan) -> PlanApproval | None:
    """Return the approval of a waiting plan, None if there is none yet. It takes no lock.

    Raise InvalidConfig for an approval that is expired, was altered, or belongs to a plan of another key.
    """
    return _found(context, context.store, waiting)


def use_approval(context: Context, waiting: WaitingPlan) -> PlanApproval:
    """Remove an approval from the store and return it: it holds for one apply, which may begin now.

    Raise InvalidConfig if it is gone or does not hold any more, and InventoryLocked as `approve` does.
    """
    store = context.store
    with lock(context, store) as hold:
        approval = _found(context, store, waiting)
        if approval is None:
            raise InvalidConfig(_refusal(waiting, "not-approved", "it has no approval any more"))
        hold.write_document(APPROVAL, None)
    return approval


def discard_approval(context: Context) -> None:
    """Remove any approval, such as one that does not hold. Raise as `use_approval` does."""
    with lock(context, context.store) as hold:
        hold.write_document(APPROVAL, None)


def _found(context: Context, store: Store, waiting: WaitingPlan) -> PlanApproval | None:
    data = store.read_document(APPROVAL)
    if data is None:
        return None
    try:
        approval = PlanApproval.from_json(json.loads(data))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        approval = None
    if approval is not None and approval.digest != waiting.digest:
        return None  # of a plan that waits no more
    if approval is None or not _are_equal(_approval_mac(context, waiting, approval), approval.mac):
        why = "its approval was altered, or was given for an earlier plan or with another key"
        raise InvalidConfig(_refusal(waiting, "approval-invalid", why))
    if approval.until <= context.now():
        why = f"its approval expired at {utc_text(approval.until)}"
        raise InvalidConfig(_refusal(waiting, "approval-expired", why))
    return approval


def _approval_mac(context: Context, waiting: WaitingPlan, approval: PlanApproval) -> str:
    return _mac(context, {**approval.to_json(), "mac": "", "waiting": waiting.mac}, _APPROVAL)


def _mac(context: Context, facts: dict[str, Json], purpose: tuple[str, ...]) -> str:
    """Return the authentication code of facts, made with the key that the inventory's seals are made with.

    Without a state key that is the API key, with which anybody could change the account without reconciler.
    """
    settings = valid_settings(context, lenient=True)
    if settings.state_key is None:
        require_api_key(settings)
    return settings.keyring.seal(canonical(facts).decode(), purpose).mac


def _are_equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _refusal(waiting: WaitingPlan, code: str, why: str) -> Problem:
    return Problem(
        code=code,
        summary=f"nothing was changed: the plan may not be applied, because {why}",
        hint=f"{command_line('reconciler', 'approve', waiting.digest)}   shows it and asks again",
        exit_code=ExitCode.STALE if code == "approval-expired" else ExitCode.ERROR,
    )
