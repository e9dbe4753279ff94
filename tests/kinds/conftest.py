"""Where a second kind is at home: a desk, and the toy plugged into the registry."""

import pytest

from reconciler.kinds.registry import ENDPOINT, KINDS
from tests.e2e.conftest import desk as desk
from tests.e2e.desk import Sandbox

from .toy import CREDENTIAL, TYPE, Console


@pytest.fixture
def console(desk: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The toy kind, registered, with an account behind it; endpoints need it."""
    monkeypatch.setitem(KINDS, TYPE, CREDENTIAL)
    monkeypatch.setattr(ENDPOINT, "needs", (TYPE,))
    found = Console(desk.sim.world)
    monkeypatch.setattr(desk.sim.world, "handle", found.handle)
    return found
