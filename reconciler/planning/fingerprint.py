"""The fingerprint of a plan, which an approval is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from reconciler.model.plan import Change, Plan
from reconciler.model.secrets import Keyring, digest
from reconciler.planning.steps import requests_of

Facts: TypeAlias = Mapping[str, Any]


def plan_digest(plan: Plan, keyring: Keyring) -> str:
    """Return the SHA-256 of what the changes do, with secrets by their keyed fingerprint."""
    return digest_of(plan_facts(plan, keyring))


def plan_facts(plan: Plan, keyring: Keyring) -> Mapping[str, Facts]:
    """Return what each pending change does, by its key."""
    return {change.key: change_facts(change, keyring) for change in plan.pending}


def digest_of(facts: Mapping[str, Facts]) -> str:
    """Return the digest of a plan from its facts."""
    return digest(list(facts.values()))


def change_facts(change: Change, keyring: Keyring) -> Facts:
    """Return the action of a change, the live fields and record that it depends on, and its requests."""
    live = getattr(change, "live", None)
    tracked = getattr(change, "tracked", None)
    return {
        "address": change.address,
        "action": change.action.value,
        "id": live.id if live else tracked.id if tracked else None,
        "requests": [
            [request.method, request.path, request.fingerprint(keyring)] for request in requests_of(change)
        ],
        "live": digest(live.fields, keyring) if live else None,
        "record": digest([tracked.id, tracked.applied]) if tracked else None,
        "fields": sorted(list(field.path) for field in change.fields),
    }
