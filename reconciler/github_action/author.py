"""What we wrote ourselves: anybody may write our marks, and only our own words are read and changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from reconciler.github_action.api import Api
from reconciler.github_action.body import Body

ACTIONS: Final = "github-actions[bot]"
"""Who writes with the token that GitHub gives a job."""


def ours(api: Api, found: Iterable[dict[str, Any]], body: Body) -> Iterator[dict[str, Any]]:
    """The comments or issues that bear our mark and that we wrote; who we are is asked when one bears it."""
    ourselves: set[str] = set()
    is_app = False
    for known in found:
        if not body.is_mine(known["body"]):
            continue
        author = str((known.get("user") or {}).get("login") or "")
        if not ourselves:
            user = api.user()
            is_app = user is None
            ourselves = {user or ACTIONS}
        if is_app and author.endswith("[bot]") and author not in ourselves:
            ourselves, is_app = {api.app() or ACTIONS}, False
        if author in ourselves:
            yield known
