"""The commands and the files of docs/schedules.md do what it says."""

import re
import shlex
from pathlib import Path

import yaml

from tests.e2e.sandbox import Sandbox

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "schedules.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]


def test_its_commands_run(sandbox: Sandbox) -> None:
    """With its schedule, and with the name of a spec of the sandbox."""
    endpoints, _ = YAML
    sandbox.write("endpoints.yaml", yaml.safe_load(endpoints.replace("specName: one", "specName: small")))
    for line in COMMANDS:
        program, *arguments = shlex.split(line)
        assert program == "reconciler"
        assert sandbox.run(*arguments).code in (0, 2), line
    assert len(COMMANDS) == 8


def test_its_policy_is_valid(sandbox: Sandbox) -> None:
    """It is read as the documentation says, together with the settings of the sandbox."""
    _, policy = YAML
    sandbox.write("config.yaml", yaml.load(policy, yaml.BaseLoader))
    sandbox.write("endpoints.yaml", {"endpoints": []})
    ran = sandbox.run("validate")
    assert (ran.code, ran.err) == (0, "")
