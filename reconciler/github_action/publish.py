"""One comment on a pull request, updated by every run, and one issue while there is drift."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Final

from reconciler.github_action.api import Api
from reconciler.github_action.posts import Body, find_own

LABEL: Final = "drift"
CLOSING_COMMENT: Final = "The account is as it was last applied again: there is no new drift."


def pull_request_number(event: Any) -> int | None:
    """Return the number of the pull request of a job's event, or None if it has none."""
    match event:
        case {"pull_request": {"number": int(number)}}:
            return number
        case {"issue": {"number": int(number), "pull_request": {}}}:
            return number
        case _:
            return None


def write_comment(api: Api, number: int, body: Body, *, only_update: bool) -> str:
    """Update the comment, or write one. Return a line for the log."""
    for comment in find_own(api, api.pages(f"/issues/{number}/comments?per_page=100"), body):
        if comment["body"] != body.text:
            api.call("PATCH", f"/issues/comments/{comment['id']}", {"body": body.text})
        return f"The comment on #{number} is up to date."
    if only_update:
        return f"Nothing to say on #{number}."
    api.call("POST", f"/issues/{number}/comments", {"body": body.text})
    return f"Commented on #{number}."


def drift_fingerprint(document: Any) -> str | None:
    """Return a hash of the new drift in a `drift` document: "" if there is none, None if it is unknown."""
    if document["exit_code"] != 2:
        return "" if document["exit_code"] == 0 else None
    drifted = [item for drift in document["resource_drift"] for item in (drift, *drift["fields"])]
    new = sorted(
        str(item["fingerprint"]) for item in drifted if "fingerprint" in item and item["standing"] == "new"
    )
    return sha256("\n".join(new).encode()).hexdigest()


def open_issue(api: Api, title: str, body: Body) -> str:
    """Open the issue, or update the open one if the drift is another. Return a line for the log."""
    for issue in _open_issues(api, body):
        number = issue["number"]
        if body.has_same_drift(issue["body"]):
            return f"#{number} already reports this drift, and stays as it is."
        api.call("PATCH", f"/issues/{number}", {"title": title, "body": body.text})
        return f"The drift has changed: updated #{number}."
    made = api.call("POST", "/issues", {"title": title, "body": body.text, "labels": [LABEL]})
    return f"Opened #{made['number']}."


def close_issues(api: Api, body: Body) -> str:
    """Close the open issues with a comment. Return a line for the log."""
    closed = [issue["number"] for issue in _open_issues(api, body)]
    for number in closed:
        # Closed first, so that a retry after a failure between the two calls does not comment twice.
        api.call("PATCH", f"/issues/{number}", {"state": "closed"})
        api.call("POST", f"/issues/{number}/comments", {"body": CLOSING_COMMENT})
    return f"Closed {', '.join(f'#{number}' for number in closed)}." if closed else "No drift, and no issue."


def _open_issues(api: Api, body: Body) -> Iterator[dict[str, Any]]:
    """Yield the open issues of this folder. GitHub lists pull requests among them."""
    for issue in find_own(api, api.pages(f"/issues?state=open&labels={LABEL}&per_page=100"), body):
        if "pull_request" not in issue:
            yield issue
