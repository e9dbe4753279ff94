"""A git repository that tests commit to, and a real git server over HTTP in front of it."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada Lovelace",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada Lovelace",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str) -> str:
    """Run git with settings of nobody, and return what it prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env={**inherited, **IDENTITY},
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout.strip()


@dataclass(frozen=True)
class Repository:
    """A bare repository with the branch main, and a work tree from which commits are pushed."""

    bare: Path
    tree: Path

    @classmethod
    def make(cls, folder: Path) -> Repository:
        made = cls(bare=folder / "origin.git", tree=folder / "tree")
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(made.bare))
        git(made.bare, "config", "uploadpack.allowFilter", "true")
        git(folder, "init", "--quiet", "--initial-branch=main", str(made.tree))
        git(made.tree, "remote", "add", "origin", str(made.bare))
        return made

    def commit(self, files: Mapping[str, str], message: str = "Change the endpoints") -> str:
        """Write files, commit all that is in the work tree, push the branch and return the commit."""
        for name, text in files.items():
            path = self.tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.tree, "add", "--all")
        git(self.tree, "commit", "--quiet", "--allow-empty", "-m", message)
        self.push()
        return git(self.tree, "rev-parse", "HEAD")

    def push(self, *refs: str) -> None:
        git(self.tree, "push", "--quiet", "--force", "origin", *(refs or ("HEAD:refs/heads/main",)))


@dataclass
class GitHttpServer:
    """A server of one repository. `requests`: method, path and size of the body of each, in order.

    authorization: the only header that is let in; "" lets everybody in. down: refuse all with 503. moved:
    answer each request with a redirect to this URL. complaint: answer each request with 403 and this text.
    """

    port: int
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    authorization: str = ""
    down: bool = False
    moved: str = ""
    complaint: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/origin.git"


@contextmanager
def git_http_server(repository: Repository) -> Iterator[GitHttpServer]:
    """Yield a server that runs `git http-backend` for each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            state.requests.append((self.command, self.path, len(body)))
            if state.down:
                self.send_error(503)
            elif state.moved:
                self.send_response(301)
                self.send_header("Location", state.moved + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif state.complaint:
                self.send_response(403)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(state.complaint)))
                self.end_headers()
                self.wfile.write(state.complaint.encode())
            elif state.authorization and self.headers.get("Authorization") != state.authorization:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self._run_backend(body)

        def _run_backend(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            environ = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(repository.bare.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                **IDENTITY,
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, env=environ, capture_output=True, check=False, timeout=20
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = GitHttpServer(port=server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)
