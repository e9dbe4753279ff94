"""Where a second kind is at home: a sandbox, and the toy plugged into the registry."""

import pytest

from reconciler.kinds.registry import ENDPOINT, KINDS
from tests.e2e.conftest import sandbox as sandbox
from tests.e2e.sandbox import Sandbox

from .toy import CREDENTIAL, ROBOT, ROBOT_TYPE, TYPE, Console


@pytest.fixture
def console(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The toy kind, registered, with an account behind it; endpoints need it."""
    monkeypatch.setitem(KINDS, TYPE, CREDENTIAL)
    monkeypatch.setitem(KINDS, ROBOT_TYPE, ROBOT)
    monkeypatch.setattr(ENDPOINT, "needs", (TYPE,))
    found = Console(sandbox.sim.world)
    monkeypatch.setattr(sandbox.sim.world, "handle", found.handle)
    return found
