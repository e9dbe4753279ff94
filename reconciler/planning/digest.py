"""The fingerprint that consent is given to: it changes exactly when somebody should be asked again."""

from __future__ import annotations

from reconciler.model.plan import Change, Plan
from reconciler.model.values import Keyring, Value, digest, seal
from reconciler.planning.requests import requests_of


def plan_digest(plan: Plan, keyring: Keyring) -> str:
    """SHA-256 over what would be done to what; secrets count by their keyed fingerprint."""
    return digest([change_facts(change, keyring) for change in plan.pending])


def change_facts(change: Change, keyring: Keyring) -> Value:
    """What one change does: its action, the object and record it was judged by, each call by its body."""
    live = getattr(change, "live", None)
    tracked = getattr(change, "tracked", None)
    return {
        "address": change.address,
        "action": change.action.value,
        "id": live.id if live else tracked.id if tracked else None,
        "requests": [
            [request.method, request.path, request.fingerprint(keyring)] for request in requests_of(change)
        ],
        "live": digest(seal(live.fields, keyring)) if live else None,
        "record": digest([tracked.id, tracked.applied]) if tracked else None,
        "fields": sorted(list(field.path) for field in change.fields),
    }
