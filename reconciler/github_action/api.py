"""A client of GitHub's REST API for comments and issues.

https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import Any, Final, TypeVar
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

ATTEMPTS: Final = 3
MAX_WAIT: Final = 60.0
"""Seconds. A longer wait that GitHub asks for is an error, so that it does not delay the job."""
TIMEOUT: Final = 20.0

T = TypeVar("T")


class GitHubError(Exception):
    """A failed call. Its message never has the token.

    `wait` is the time before a retry (s), None if a retry is useless. `status` is that of the answer, 0 if
    there was none.
    """

    def __init__(self, summary: str, wait: float | None = None, status: int = 0) -> None:
        super().__init__(summary)
        self.wait = wait
        self.status = status


class _NoRedirects(HTTPRedirectHandler):
    """Refuses redirects, because urllib would send the token to any host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One repository, and a token for it."""

    url: str
    repository: str
    token: str = field(repr=False)

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send a call to a path of the repository and return the answer. Raise GitHubError."""
        return self._call(method, self._under(path), body)[0]

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield all objects of a list, page by page. Raise GitHubError."""
        url: str | None = self._under(path)
        while url is not None:
            items, headers = self._call("GET", url)
            yield from items
            next_link = re.search(r'<([^>]+)>; *rel="next"', headers.get("link", ""))
            url = next_link[1] if next_link else None
            if url is not None and not url.startswith(self._under("")):
                raise GitHubError(f"the next page of {path} is on another server: {url}")

    def user(self) -> str | None:
        """Return the login of the token, or None if it is not a user's. Raise GitHubError."""
        try:
            user, _ = self._call("GET", f"{self.url}/user")
        except GitHubError as error:
            if error.status in (401, 403, 404) and error.wait is None:
                return None
            raise
        return str(user["login"])

    def app(self) -> str | None:
        """Return the login of the app that has the token, read by GraphQL, or None if it is unknown."""
        root = self.url.removesuffix("/v3")  # an enterprise server has its REST API at /v3
        try:
            answer, _ = self._call("POST", f"{root}/graphql", {"query": "{ viewer { login } }"})
            return str(answer["data"]["viewer"]["login"])
        except (GitHubError, KeyError, TypeError):
            return None

    def _under(self, path: str) -> str:
        return f"{self.url}/repos/{self.repository}{path}"

    def _call(
        self, method: str, url: str, body: Mapping[str, object] | None = None
    ) -> tuple[Any, HTTPMessage]:
        request = Request(  # noqa: S310 - the URL comes from GitHub's own environment
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "accept": "application/vnd.github+json",
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                "user-agent": "novita-reconciler",
                "x-github-api-version": "2022-11-28",
            },
        )
        call = f"{method} {url.removeprefix(self.url)}"
        try:
            answer: HTTPResponse
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read()), answer.headers
        except HTTPError as error:
            with error:
                raise _refusal(call, error) from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise GitHubError(f"{call}: {reason}", wait=0.0) from error


def with_retries(action: Callable[[], T], sleep: Callable[[float], object]) -> T:
    """Run an action, and run it again from its start after an error that may pass."""
    for attempt in range(1, ATTEMPTS):
        try:
            return action()
        except GitHubError as error:
            if error.wait is None or error.wait > MAX_WAIT:
                raise
            sleep(max(error.wait, float(attempt)))
    return action()


def _refusal(call: str, error: HTTPError) -> GitHubError:
    try:
        message = str(json.loads(error.read())["message"])
    except (HTTPException, OSError, ValueError, KeyError, TypeError):
        message = str(error.reason)
    wait: float | None = None
    if error.code >= 500:
        wait = 0.0
    elif error.code in (403, 429) and "rate limit" in message.lower():
        retry_after = error.headers.get("retry-after", "")
        wait = float(retry_after) if retry_after.isdigit() else 1.0
    return GitHubError(f"{call}: {error.code} {message}", wait, error.code)
