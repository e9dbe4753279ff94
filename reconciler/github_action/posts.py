"""The text of a comment or an issue, the hidden marks that identify it, and the check of its author."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from posixpath import normpath
from typing import Any, Final
from urllib.parse import quote

from reconciler.github_action.api import Api

ACTIONS_LOGIN: Final = "github-actions[bot]"
"""The author of what is written with the token of a job."""

MAX_LENGTH: Final = 65_536
"""Characters that GitHub accepts in one body."""

CUT_NOTE: Final = "\n\n_The report is longer than GitHub allows; the log of the job has all of it._\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The text of a comment or an issue, and two marks in it.

    One is for the folder and its environment, one for the drift.
    """

    text: str
    mark: str
    drift_mark: str

    def has_mark(self, body: str | None) -> bool:
        """Return whether a body begins with the mark of the folder. A quotation begins otherwise."""
        return (body or "").startswith(self.mark)

    def has_same_drift(self, body: str) -> bool:
        """Return whether a body is about the same drift, even if its text differs."""
        return body.startswith(f"{self.mark}\n{self.drift_mark}\n")


def compose_body(directory: str, report: str, fingerprint: str = "", *, environment: str = "") -> Body:
    """Return the body for the report of a folder, and of one of its environments."""
    of_environment = f" {quote(environment)}" if environment else ""
    mark = f"<!-- novita-reconciler {quote(normpath(directory))}{of_environment} -->"
    drift_mark = f"<!-- {fingerprint} -->"
    head = f"{mark}\n{drift_mark}\n\n" if fingerprint else f"{mark}\n\n"
    return Body(text=head + _fit(report, MAX_LENGTH - len(head)), mark=mark, drift_mark=drift_mark)


def _fit(report: str, max_length: int) -> str:
    if len(report) <= max_length:
        return report
    kept = report[: max_length - len(CUT_NOTE)]
    return kept[: kept.rfind("\n") + 1] + CUT_NOTE


def find_own(api: Api, posts: Iterable[dict[str, Any]], body: Body) -> Iterator[dict[str, Any]]:
    """Yield the comments or issues that have the mark and were written with this token.

    Anybody can write the mark, so the author is checked too. The login of the token is read for the first
    post with the mark.
    """
    own_logins: set[str] = set()
    is_app = False
    for post in posts:
        if not body.has_mark(post["body"]):
            continue
        author = str((post.get("user") or {}).get("login") or "")
        if not own_logins:
            user = api.user()
            is_app = user is None
            own_logins = {user or ACTIONS_LOGIN}
        if is_app and author.endswith("[bot]") and author not in own_logins:
            own_logins, is_app = {api.app() or ACTIONS_LOGIN}, False
        if author in own_logins:
            yield post
