"""The suite itself: it ends wherever it is started, and every test has a limit."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIGNALLED = (
    "tests/e2e/apply/test_interrupts.py::test_what_is_in_flight_is_finished",
    "tests/cli/test_signals.py::test_the_end_is_not_delayed",
    "tests/simulator/test_command.py::test_it_serves_logs_and_ends",
)


def test_every_test_has_a_limit(request: pytest.FixtureRequest) -> None:
    assert request.config.pluginmanager.hasplugin("timeout")
    assert 0 < float(request.config.getini("timeout")) <= 600


def test_in_the_background_signals_are_tested_all_the_same() -> None:
    """`nohup make test &`: the parent ignores what its children are tested with."""
    pytest_words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SIGNALLED]
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT QUIT HUP; exec "$@"', "sh", *pytest_words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
