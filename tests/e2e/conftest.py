"""The sandbox of each test, and the environment of a user."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import Profile, Server
from reconciler.simulator.profile import CONSOLE_LIMITS
from tests.fork_server import FIRST_WAIT

from .sandbox import KEY, SPECS, Sandbox

UNSET = ("CI", "NO_COLOR", "RECONCILER_STATE_KEY", "GITHUB_ACTIONS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture
def sandbox(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Iterator[Sandbox]:
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("reconciler.model.durations.FIRST_RETRY_PAUSE", FIRST_WAIT)
    folder = tmp_path / "infra"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # The default requestTimeout fits into this account, unlike in tests/e2e/plan/test_fitted_defaults.py.
    limits = {**CONSOLE_LIMITS, "maxRequestTimeout": 3600}
    with Server(seed=1, profile=Profile(limits=limits)) as sim:
        monkeypatch.setenv("NOVITA_BASE_URL", sim.url)
        monkeypatch.setenv("NOVITA_API_KEY", KEY)
        found = Sandbox(root=folder, sim=sim, monkeypatch=monkeypatch, capsys=capsys, request=request)
        found.write("specs.yaml", SPECS)
        found.write("config.yaml", {"novita": {"settle_seconds": 0.05}})
        yield found
        for process in found.started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=60)


@pytest.fixture
def closed_port() -> int:
    """Return a port of this machine without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
