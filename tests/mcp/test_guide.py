"""The configuration and the commands of docs/mcp.md and SKILL.md work."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from mcp.client import ClientSession
from mcp.client.stdio import StdioServerParameters, stdio_client

from reconciler.cli.main import COMMANDS
from reconciler.mcp.catalogue import TOOLS
from reconciler.model.problem import ExitCode
from tests.terminal import on_terminal

from .conftest import ROOT, Folder

SKILL = (ROOT / "SKILL.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/mcp.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    (found,) = re.findall(rf"^<!-- {name} -->\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_a_client_starts_the_server_by_the_configuration(folder: Folder) -> None:
    server = json.loads(block("config"))["mcpServers"]["reconciler"]
    arguments = [str(folder.path) if word == "/home/ada/infra" else word for word in server["args"]]
    assert server["command"] == "reconciler"
    assert list(server["env"]) == ["NOVITA_API_KEY"]

    async def names() -> list[str]:
        parameters = StdioServerParameters(
            command=sys.executable,
            args=["-m", "reconciler", *arguments],
            env={"PYTHONPATH": str(ROOT), **folder.environ},
        )
        async with stdio_client(parameters) as streams, ClientSession(*streams) as session:
            await session.initialize()
            return [tool.name for tool in (await session.list_tools()).tools]

    assert asyncio.run(names()) == list(TOOLS)
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE) == list(TOOLS)


def test_the_commands_of_the_guide_run(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environ = {"PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    code, screen = on_terminal(["sh", "-ec", block("commands")], environ, cwd=tmp_path, answer="yes")
    assert code == 0, screen
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in screen
    assert "Approved until" in screen


def test_the_commands_of_the_skill_run(applied: Folder) -> None:
    """Each one that it shows runs on an applied folder, and each that it names exists."""
    environ = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    blocks = re.findall(r"^<!-- commands -->\n```sh\n(.*?)^```", SKILL, re.MULTILINE | re.DOTALL)
    table = SKILL.split("## Which command")[1].split("These only read")[0]
    named = [word for word in re.findall(r"`(reconciler [^`]+)`", table) if "COMMAND" not in word]
    script = "\n".join([*blocks, *named]).replace("NAME", "chat")
    assert script.count("reconciler") >= 15
    done = subprocess.run(
        ["sh", "-ec", script], cwd=applied.path, env={**environ, **applied.environ},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_skill_has_every_exit_code_and_existing_commands() -> None:
    codes = re.findall(r"^\| (\d+) \|", SKILL, re.MULTILINE)
    assert [int(code) for code in codes] == [int(code) for code in ExitCode]
    assert set(re.findall(r"`reconciler ([a-z]+)", SKILL)) <= set(COMMANDS)
    cli = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+[a-z]", SKILL)) - {"--help"}
    assert [option for option in options if f"`{option}" not in cli and f", {option}" not in cli] == []
