"""A server on a folder with declared endpoints, of which one was changed elsewhere; and a browser."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import Server
from tests.server.conftest import KEY, ROOT
from tests.server.pages.browser import Browser

TOKEN = "a-token-that-may-write"
READER = "a-token-that-may-read"
TOKENS = f"ada:{TOKEN}:write,bob:{READER}:read"

ENDPOINTS = """\
defaults:
  specName: novita-5090-single
endpoints:
  - endpoint: chat
    image: ghcr.io/acme/chat:1.4.2
    minReplicas: 1
    maxReplicas: 3
    env:
      MODEL_NAME: llama-3-70b
      HF_TOKEN: "${env:HF_TOKEN:-hf_secret_value}"
  - endpoint: embed
    image: ghcr.io/acme/embed:2.0.1
    replicas: 2
    port: 8080
    healthPath: /ready
  - endpoint: rerank
    image: ghcr.io/acme/rerank:0.9.0
    minReplicas: 0
    maxReplicas: 2
"""


class Fleet:
    """The endpoints of the folder, applied; and the account that a person can change elsewhere."""

    def __init__(self, folder: Path, sim: Server) -> None:
        self.folder, self.sim = folder, sim

    def command(self, *words: str) -> str:
        """Run a command of reconciler in the folder and return its output."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", "-C", str(self.folder), *words],
            env={"PATH": "/usr/bin:/bin", "NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": self.sim.url},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return done.stdout

    def declare(self, old: str, new: str) -> None:
        """Edit endpoints.yaml."""
        file = self.folder / "endpoints.yaml"
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def id(self, name: str) -> str:
        return next(str(one["id"]) for one in self.sim.world.endpoints if one["name"] == name)

    def change(self, name: str, **fields: object) -> None:
        """Change an endpoint in the console."""
        self.sim.world.console_update(self.id(name), **fields)


@pytest.fixture
def fleet(folder: Path, sim: Server) -> Fleet:
    (folder / "endpoints.yaml").write_text(ENDPOINTS, encoding="utf-8")
    config = folder / "config" / "config.yaml"
    text = config.read_text(encoding="utf-8")
    assert "poll_interval: 10 " in text
    config.write_text(text.replace("poll_interval: 10 ", "poll_interval: 0.5 "), encoding="utf-8")
    fleet = Fleet(folder, sim)
    fleet.command("apply", "--auto-approve")
    return fleet


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()
