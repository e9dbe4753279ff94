"""GitHub's REST API, as much of it as a comment and an issue need.

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
PATIENCE: Final = 60.0
"""The longest that GitHub may ask us to wait, in seconds; a job is not held up for longer."""
TIMEOUT: Final = 20.0

T = TypeVar("T")


class ForgeError(Exception):
    """What GitHub did not do, in a sentence without the token.

    `wait` is how long (s) to wait before it is worth another try, None when it is not; `status` is that of
    the answer, 0 where there was none.
    """

    def __init__(self, summary: str, wait: float | None = None, status: int = 0) -> None:
        super().__init__(summary)
        self.wait = wait
        self.status = status


class _NoRedirects(HTTPRedirectHandler):
    """urllib would carry the token to wherever an answer points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One repository, behind one token."""

    url: str
    repository: str
    token: str = field(repr=False)

    def call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """The answer to a call below the repository. Raises ForgeError."""
        return self._call(method, self._under(path), body)[0]

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """All objects of a list, page after page. Raises ForgeError."""
        url: str | None = self._under(path)
        while url is not None:
            found, headers = self._call("GET", url)
            yield from found
            following = re.search(r'<([^>]+)>; *rel="next"', headers.get("link", ""))
            url = following[1] if following else None
            if url is not None and not url.startswith(self._under("")):
                raise ForgeError(f"the next page of {path} is elsewhere: {url}")

    def user(self) -> str | None:
        """The login behind the token; None where GitHub does not tell, as of an app's. Raises ForgeError."""
        try:
            found, _ = self._call("GET", f"{self.url}/user")
        except ForgeError as error:
            if error.status in (401, 403, 404) and error.wait is None:
                return None
            raise
        return str(found["login"])

    def app(self) -> str | None:
        """The login of the app whose token it is, as GraphQL tells it; None where it does not."""
        root = self.url.removesuffix("/v3")  # of an enterprise server, whose REST is below it
        try:
            found, _ = self._call("POST", f"{root}/graphql", {"query": "{ viewer { login } }"})
            return str(found["data"]["viewer"]["login"])
        except (ForgeError, KeyError, TypeError):
            return None

    def _under(self, path: str) -> str:
        return f"{self.url}/repos/{self.repository}{path}"

    def _call(
        self, method: str, url: str, body: Mapping[str, object] | None = None
    ) -> tuple[Any, HTTPMessage]:
        request = Request(  # noqa: S310 - the address is the one that GitHub gave the job
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
        shown = f"{method} {url.removeprefix(self.url)}"
        try:
            answer: HTTPResponse
            with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read()), answer.headers
        except HTTPError as error:
            with error:
                raise _refusal(shown, error) from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise ForgeError(f"{shown}: {reason}", wait=0.0) from error


def persistently(act: Callable[[], T], sleep: Callable[[float], object]) -> T:
    """Do it again when GitHub may do better next time. All of it: a second try looks before it writes."""
    for attempt in range(1, ATTEMPTS):
        try:
            return act()
        except ForgeError as error:
            if error.wait is None or error.wait > PATIENCE:
                raise
            sleep(max(error.wait, float(attempt)))
    return act()


def _refusal(shown: str, error: HTTPError) -> ForgeError:
    try:
        message = str(json.loads(error.read())["message"])
    except (HTTPException, OSError, ValueError, KeyError, TypeError):
        message = str(error.reason)
    wait: float | None = None
    if error.code >= 500:
        wait = 0.0
    elif error.code in (403, 429) and "rate limit" in message.lower():
        asked = error.headers.get("retry-after", "")
        wait = float(asked) if asked.isdigit() else 1.0
    return ForgeError(f"{shown}: {error.code} {message}", wait, error.code)
