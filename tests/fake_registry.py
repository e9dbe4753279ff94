"""A container registry on loopback that speaks the distribution protocol of the Open Container Initiative."""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.http_server import http_server

USER, PASSWORD = "robot", "a-password-that-nobody-may-see"
INDEX = "application/vnd.oci.image.index.v1+json"


@dataclass(kw_only=True)
class Registry:
    """Repositories with tags; `push` adds one. `requests` are (method, path, Authorization) as they came.

    private: repositories that need USER and PASSWORD. special: what a repository does otherwise: `no-digest`
    leaves out the header, `busy` answers 429, `broken` answers 500, `moved` redirects, `basic` demands the
    credential itself, `silent` answers only when the test ends, `odd-digest` and `odd-token` answer nonsense,
    and an address is the token server that it names.
    """

    port: int = 0
    tags: dict[tuple[str, str], bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    special: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def push(self, name: str, content: str = "first") -> str:
        """Let a tag mean an image, and return its digest. `name` is REPOSITORY:TAG."""
        repository, _, tag = name.partition(":")
        manifest = json.dumps({"mediaType": INDEX, "manifests": [], "annotations": {"is": content}}).encode()
        self.tags[repository, tag] = manifest
        return f"sha256:{hashlib.sha256(manifest).hexdigest()}"

    def image(self, name: str) -> str:
        """Return the reference of REPOSITORY:TAG in this registry."""
        return f"{self.host}/{name}"


@contextmanager
def serve_registry() -> Iterator[Registry]:
    registry = Registry()

    class Handler(_Handler):
        fake = registry

    with http_server(Handler) as port:
        registry.port = port
        try:
            yield registry
        finally:
            registry.ended.set()


class _Handler(BaseHTTPRequestHandler):
    fake: Registry

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        given = self.headers.get("Authorization", "")
        self.fake.requests.append((self.command, self.path, given))
        parts = urlsplit(self.path)
        if parts.path == "/token":
            return self.token(parse_qs(parts.query), given)
        _, _, rest = parts.path.partition("/v2/")
        repository, _, tag = rest.partition("/manifests/")
        return self.manifest(repository, tag, given)

    def token(self, query: dict[str, list[str]], given: str) -> None:
        (scope,) = query["scope"]
        assert query["service"] == ["fake"]
        kind, repository, action = scope.split(":")
        assert (kind, action) == ("repository", "pull")
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if repository in self.fake.private and given != wanted:
            return self.send(401, b'{"errors": [{"message": "unauthorized"}]}')
        token = "not a\ntoken" if self.fake.special.get(repository) == "odd-token" else f"token-{repository}"
        return self.send(200, json.dumps({"token": token}).encode())

    def manifest(self, repository: str, tag: str, given: str) -> None:
        special = self.fake.special.get(repository, "")
        if special == "silent":
            self.fake.ended.wait(30)
        elif special == "busy":
            return self.send(429, headers={"Retry-After": "77"})
        elif special == "broken":
            return self.send(500, b"a secret of the server")
        elif special == "moved":
            return self.send(307, headers={"Location": f"http://{self.fake.host}/v2/elsewhere/manifests/1"})
        if special == "basic":
            if not given.startswith("Basic "):
                return self.send(401, headers={"WWW-Authenticate": 'Basic realm="fake"'})
        elif given != f"Bearer token-{repository}":
            realm = special if "://" in special else f"http://{self.fake.host}/token"
            challenge = f'Bearer realm="{realm}",service="fake",scope="repository:other/one:push"'
            return self.send(
                401, headers={"WWW-Authenticate": "Digest x" if special == "digest" else challenge}
            )
        manifest = self.fake.tags.get((repository, tag))
        if manifest is None:
            return self.send(404)
        assert INDEX in self.headers["Accept"]
        headers = {"Content-Type": INDEX}
        if special == "odd-digest":
            headers["Docker-Content-Digest"] = "sha256:\x1b[31mzz"
        elif special != "no-digest":
            headers["Docker-Content-Digest"] = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
        return self.send(200, manifest, headers)

    def send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
