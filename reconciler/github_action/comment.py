"""One comment on a pull request, brought up to date by every run."""

from __future__ import annotations

from typing import Any

from reconciler.github_action.api import Api
from reconciler.github_action.author import ours
from reconciler.github_action.body import Body


def number_of(event: Any) -> int | None:
    """The pull request that a job's event is about; None when it is about none."""
    match event:
        case {"pull_request": {"number": int(number)}}:
            return number
        case {"issue": {"number": int(number), "pull_request": {}}}:
            return number
        case _:
            return None


def comment(api: Api, number: int, body: Body, *, only_if_there: bool) -> str:
    """Write the comment, or write over the one that is there; says what was done."""
    for known in ours(api, api.pages(f"/issues/{number}/comments?per_page=100"), body):
        if known["body"] != body.text:
            api.call("PATCH", f"/issues/comments/{known['id']}", {"body": body.text})
        return f"The comment on #{number} is up to date."
    if only_if_there:
        return f"Nothing to say on #{number}."
    api.call("POST", f"/issues/{number}/comments", {"body": body.text})
    return f"Commented on #{number}."
