"""`command: setup` of the action."""

import subprocess
from pathlib import Path

import pytest

from tests.github_action.fake import GitHub

from .actions import Runner
from .conftest import Account, Infra

pytestmark = pytest.mark.slow


@pytest.fixture
def runner(infra: Infra, hub: GitHub, account: Account, address: dict[str, str]) -> Runner:
    infra.machine._installed.clear()
    return Runner(machine=infra.machine, infra=infra, hub=hub, secrets={}, environ=address)


def test_later_steps_find_the_command(runner: Runner, hub: GitHub, account: Account, tmp_path: Path) -> None:
    """Setup runs no command itself; reconciler is on PATH and is the one of the action's own checkout."""
    steps, outputs = runner.action(command="setup")
    assert steps.success, steps.log
    assert not any(outputs.values())
    added = Path(steps.environ["RUNNER_TEMP"], "path").read_text().strip()
    ran = subprocess.run(
        ["sh", "-c", "reconciler validate && command -v reconciler"],
        cwd=steps.workspace,
        env={"PATH": f"{added}:/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == str(runner.machine.tool / ".venv/command/reconciler")
    assert hub.calls == []
    assert account.sim.requests == []
