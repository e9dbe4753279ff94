"""What a process tells of its environments, composed from the environment."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from reconciler.cli.run.telemetry import Telemetry
from reconciler.controller.observer import RoundEnd
from reconciler.controller.state import SyncState
from reconciler.model.errors import InvalidConfig
from reconciler.server.controller_metrics import ControllerMetrics
from tests.controller.notify.receiver import receiver
from tests.controller.notify.test_delivery import event

STATE = SyncState(environment="prod", succeeded_at=datetime(2026, 11, 30, 9, tzinfo=UTC))


def test_without_variables_nothing_is_told_and_nothing_waits() -> None:
    metrics = ControllerMetrics()
    with Telemetry([], {}, pytest.fail, metrics) as telemetry:
        telemetry.notify([event()])
        telemetry.observer("prod").ended(RoundEnd(state=STATE))
    assert b'reconciler_leader{environment="prod"} 1.0' in metrics.text()
    assert b"notifications" not in metrics.text()


def test_metrics_count_the_notifications() -> None:
    metrics = ControllerMetrics()
    with (
        receiver() as server,
        Telemetry([], {"RECONCILER_NOTIFY": server.url}, pytest.fail, metrics) as telemetry,
    ):
        telemetry.notify([event()])
    assert b'notifications_total{result="delivered"} 1.0' in metrics.text()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_service_that_apprise_does_not_know_is_refused_at_the_start() -> None:
    environ = {"RECONCILER_NOTIFY": "nosuchservice://THE-SECRET"}
    with pytest.raises(InvalidConfig) as caught:
        Telemetry([], environ, pytest.fail)
    assert caught.value.problem.summary == (
        "RECONCILER_NOTIFY is not usable: apprise does not know such a URL"
    )


WITHOUT_APPRISE = """
import sys
sys.modules["apprise"] = None
import click
from reconciler.cli.run.telemetry import Telemetry
Telemetry([], {"RECONCILER_NOTIFY": "https://example.com/x"}, print).close()
try:
    Telemetry([], {"RECONCILER_NOTIFY": "tgram://THE-SECRET"}, print)
except click.ClickException as error:
    print(error.message)
heavy = ("opentelemetry", "requests", "prometheus", "apprise.")
print([name for name in sys.modules if name.startswith(heavy)])
"""


def test_an_extra_is_named_only_if_it_is_needed_and_nothing_heavy_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_APPRISE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "The target of RECONCILER_NOTIFY needs packages that are not installed (apprise). Install them with:"
        " python -m pip install 'novita-reconciler[notify]'   (in a checkout: '.[notify]')",
        "[]",
    ]
