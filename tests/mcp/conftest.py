"""A folder with declared endpoints, an assistant with the tools, and a person at a terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mcp.client import Client
from mcp.types import CallToolResult

from reconciler.cli.main import run
from reconciler.mcp.process import create_server
from reconciler.mcp.tools import Tools
from reconciler.simulator import Server
from reconciler.workflow.approve import save_approval
from reconciler.workflow.runtime.context import Context
from tests.terminal import on_terminal

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk_the-api-key-itself"
LITERAL, SECRET = "llama-3-70b", "hf_secret_value"

ENDPOINTS = f"""\
defaults:
  specName: novita-5090-single
endpoints:
  - endpoint: chat
    image: ghcr.io/acme/chat:1.4.2
    minReplicas: 0
    maxReplicas: 3
    env:
      MODEL_NAME: {LITERAL}
      HF_TOKEN: "${{env:HF_TOKEN}}"
  - endpoint: embed
    image: ghcr.io/acme/embed:2.0.1
"""


class Assistant:
    """Calls tools by the client of the SDK, without a process."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def call(self, tool: str, /, **arguments: Any) -> CallToolResult:
        return asyncio.run(self._call(tool, arguments))

    def refused(self, tool: str, /, **arguments: Any) -> dict[str, Any]:
        """Call a tool that fails, and return its document."""
        result = self.call(tool, **arguments)
        assert result.is_error, result
        document = result.structured_content["document"]
        assert isinstance(document, dict)
        return document

    def codes(self, tool: str, /, **arguments: Any) -> tuple[int, list[str]]:
        """Call a tool that fails, and return its exit code and the codes of its errors."""
        document = self.refused(tool, **arguments)
        errors = [problem["code"] for problem in document["problems"] if problem["severity"] == "error"]
        return document["exit_code"], errors

    def digest(self, **arguments: Any) -> str:
        """Return the digest of the plan now."""
        return str(self.call("plan", **arguments).structured_content["digest"])

    async def _call(self, name: str, arguments: dict[str, Any]) -> CallToolResult:
        tools = Tools(self.context)
        async with Client(create_server(tools, None)) as client:
            result = await client.call_tool(name, arguments)
        await tools.close()
        assert isinstance(result, CallToolResult)
        return result


class Folder:
    """A folder of configuration with an account."""

    def __init__(self, path: Path, sim: Server) -> None:
        self.path, self.sim = path, sim
        self.environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url, "HF_TOKEN": SECRET}
        self.context = Context(root=path, environ=self.environ, command="reconciler mcp")
        self.assistant = Assistant(self.context)

    def with_context(self, **changes: Any) -> Assistant:
        return Assistant(replace(self.context, **changes))

    def approve(self, digest: str) -> None:
        """Approve a plan as `reconciler approve` does after the answer of the person."""
        save_approval(self.context, digest, "ada")

    def edit(self, old: str, new: str) -> None:
        file = self.path / "endpoints.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def live(self, name: str) -> dict[str, Any]:
        return next(one for one in self.sim.world.endpoints if one["name"] == name)

    def type(self, *words: str, answer: str = "") -> tuple[int, str]:
        """Run a command on a terminal and type an answer to its prompt; return its code and the screen."""
        environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **self.environ}
        command = [sys.executable, "-m", "reconciler", "-C", str(self.path), *words]
        return on_terminal(command, environ, cwd=self.path, answer=answer)


@pytest.fixture
def sim() -> Iterator[Server]:
    with Server(seed=1) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, sim: Server, monkeypatch: pytest.MonkeyPatch) -> Folder:
    path = tmp_path / "infra"
    path.mkdir()
    (path / "endpoints.yaml").write_text(ENDPOINTS)
    (path / "config.yaml").write_text("novita: {settle_seconds: 0.05}\n")
    specs = ROOT / "examples" / "quickstart" / "specs.yaml"
    (path / "specs.yaml").write_text(specs.read_text(encoding="utf-8"))
    found = Folder(path, sim)
    for name, value in found.environ.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def applied(folder: Folder, capsys: pytest.CaptureFixture[str]) -> Folder:
    """The folder after an apply."""
    assert run(["-C", str(folder.path), "apply", "--yes"]) == 0
    capsys.readouterr()
    return folder
