"""As much of GitHub's REST API as a comment and an issue need, over a real socket on loopback."""

import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/infra"
TOKEN = "ghs_the-token-itself"
LONGEST = 65_536
AS_USUAL: tuple[int, dict[str, str], bool] = (0, {}, True)


@dataclass(kw_only=True)
class GitHub:
    """The comments by pull request, the issues, and the calls as METHOD PATH.

    `login` is whose token it is; that of an app may not ask who it is, unless `graphql` tells. `answers` are
    given one a call before all is as usual: (status, headers, whether to act all the same); a `message` among
    the headers is GitHub's word.
    """

    url: str = ""
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str], bool]] = field(default_factory=list)
    login: str = "github-actions[bot]"
    is_app: bool = True
    graphql: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of a job."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    def said(self, number: int, *bodies: str, by: str = "a-stranger") -> None:
        """Comments of others."""
        for body in bodies:
            self._add(self.comments.setdefault(number, []), {"body": body, "user": {"login": by}})

    def _add(self, where: list[dict[str, Any]], what: dict[str, Any]) -> dict[str, Any]:
        number = 1000 + sum(map(len, self.comments.values())) + len(self.issues)
        made = {"id": number, "user": {"login": self.login}, **what}
        where.append(made)
        return made

    def act(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        """The status and the answer; a list is answered whole."""
        if path == "/user":
            refused = {"message": "Resource not accessible by integration"}
            return (403, refused) if self.is_app else (200, {"login": self.login})
        if path == "/graphql" and self.graphql:
            return 200, {"data": {"viewer": {"login": self.login}}}
        match [method, *path.removeprefix(f"/repos/{REPOSITORY}/").split("/")]:
            case _ if len(str(body.get("body", ""))) > LONGEST:
                return 422, {"message": "Validation Failed: body is too long"}
            case ["GET", "issues"]:
                return 200, self.issues
            case ["POST", "issues"]:
                made = {"number": len(self.issues) + 1, "state": "open", **body}
                return 201, self._add(self.issues, made)
            case ["PATCH", "issues", number]:
                found = next(one for one in self.issues if one["number"] == int(number))
                return 200, found | (found.update(body) or {})
            case ["GET", "issues", number, "comments"]:
                return 200, self.comments.get(int(number), [])
            case ["POST", "issues", number, "comments"]:
                return 201, self._add(self.comments.setdefault(int(number), []), body)
            case ["PATCH", "issues", "comments", number]:
                every = [one for group in self.comments.values() for one in group]
                found = next(one for one in every if one["id"] == int(number))
                return 200, found | (found.update(body) or {})
        return 404, {"message": "Not Found"}


class _Handler(BaseHTTPRequestHandler):
    github: GitHub

    def serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        target = urlsplit(self.path)
        with self.github.lock:
            self.github.calls.append(f"{self.command} {target.path}")
            if self.headers["authorization"] != f"Bearer {TOKEN}":
                return self.reply(401, {"message": "Bad credentials"})
            status, headers, acts = self.github.answers.pop(0) if self.github.answers else AS_USUAL
            done, answer = self.github.act(self.command, target.path, body) if acts else (status, {})
            if status:
                return self.reply(
                    status, [] if status == 200 else {"message": headers.get("message")}, headers
                )
            if not isinstance(answer, list):
                return self.reply(done, answer)
            return self.page(answer, parse_qs(target.query))

    do_GET = do_POST = do_PATCH = serve  # noqa: N815 - the names http.server looks for

    def page(self, every: Sequence[dict[str, Any]], query: dict[str, list[str]]) -> None:
        """One page of what the query asks for, with the way to the next."""
        size, number = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        labels, state = query.get("labels"), query.get("state")
        wanted = [
            one
            for one in every
            if (not labels or labels[0] in one.get("labels", [])) and (not state or one["state"] == state[0])
        ]
        headers = {}
        if len(wanted) > size * number:
            rest = re.sub(r"&page=\d+", "", self.path) + f"&page={number + 1}"
            headers["link"] = f'<{self.github.url}{rest}>; rel="next", <{self.github.url}>; rel="last"'
        self.reply(200, wanted[size * (number - 1) : size * number], headers)

    def reply(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name http.server uses
        """Nothing: `calls` is the log."""


@contextmanager
def github() -> Iterator[GitHub]:
    """A GitHub for as long as the block runs."""
    found = GitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": found}))
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(60)
        server.server_close()
