"""docs/tutorial.md, typed from top to bottom in an empty folder."""

from pathlib import Path

import pytest

from tests.docs.blocks import ROOT
from tests.docs.shell import Shell
from tests.docs.walk import walk

PAGE = ROOT / "docs" / "tutorial.md"


def test_the_tutorial_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Each command runs, and each line below it is what a newcomer sees. --update-golden rewrites them."""
    for name in ("NOVITA_API_KEY", "NOVITA_BASE_URL", "CI", "GITHUB_ACTIONS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    walk(PAGE, Shell(tmp_path, monkeypatch), is_updated=request.config.getoption("--update-golden"))
