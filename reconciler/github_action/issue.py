"""One issue while there is drift: opened once, rewritten when the drift is another, closed at its end."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from reconciler.github_action.api import Api
from reconciler.github_action.author import ours
from reconciler.github_action.body import Body

LABEL: Final = "drift"
GONE: Final = "The account is as it was applied again: no drift is left that rings the alarm."


def fingerprint_of(document: Any) -> str | None:
    """What the drift of a `drift` document is told apart by; "" for none, None where it could not be told."""
    if document["exit_code"] != 2:
        return "" if document["exit_code"] == 0 else None
    moved = [one for drift in document["resource_drift"] for one in (drift, *drift["fields"])]
    new = sorted(
        str(one["fingerprint"]) for one in moved if "fingerprint" in one and one["standing"] == "new"
    )
    return sha256("\n".join(new).encode()).hexdigest()


def raise_alarm(api: Api, title: str, body: Body) -> str:
    """Open the issue, or tell the one that is open what has changed; says what was done."""
    for known in _open(api, body):
        number = known["number"]
        if body.tells_the_same(known["body"]):
            return f"The drift is that of #{number}, which stays as it is."
        api.call("PATCH", f"/issues/{number}", {"title": title, "body": body.text})
        return f"The drift is another: #{number} tells of it."
    made = api.call("POST", "/issues", {"title": title, "body": body.text, "labels": [LABEL]})
    return f"Opened #{made['number']}."


def all_clear(api: Api, body: Body) -> str:
    """Close the issue with a word, if one is open; says what was done."""
    closed = [known["number"] for known in _open(api, body)]
    for number in closed:
        # closed first: a try that broke off between the two must not say it twice
        api.call("PATCH", f"/issues/{number}", {"state": "closed"})
        api.call("POST", f"/issues/{number}/comments", {"body": GONE})
    return f"Closed {', '.join(f'#{number}' for number in closed)}." if closed else "No drift, and no issue."


def _open(api: Api, body: Body) -> Iterator[dict[str, Any]]:
    """Ours among the open issues; GitHub counts pull requests among them."""
    for known in ours(api, api.pages(f"/issues?state=open&labels={LABEL}&per_page=100"), body):
        if "pull_request" not in known:
            yield known
