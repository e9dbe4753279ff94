"""A sandbox with the password of the declared credentials."""

import pytest

from .credentials import PASSWORD


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PASSWORD", PASSWORD)
