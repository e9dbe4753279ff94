"""docs/recording.svg is what a terminal shows, and a browser plays it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.animation import DARK, LIGHT, animation
from tests.docs.blocks import ROOT, blocks
from tests.docs.recording import record
from tests.server.pages.browser import Browser, needed

PICTURE = ROOT / "docs" / "recording.svg"

TITLE = (
    "A terminal: the YAML of an endpoint; reconciler apply shows the differences, their causes and cost, "
    "asks for approval, and applies them; after that there is nothing to do."
)

INDEX = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
(DECLARED,) = (block.text for block in blocks(INDEX) if block.language == "yaml")


def test_the_recording_is_a_real_run(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The YAML asks for one worker, and somebody has allowed eight. --update-golden records it anew."""
    shutil.copy(ROOT / "examples" / "quickstart" / "specs.yaml", tmp_path)
    declared = tmp_path / "endpoints.yaml"
    declared.write_text(DECLARED.replace("minReplicas: 1", "minReplicas: 0"), encoding="utf-8")
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NOVITA_BASE_URL": "simulator",
    }
    subprocess.run(
        ["reconciler", "apply", "--yes"], cwd=tmp_path, env=environ, check=True, capture_output=True
    )
    declared.write_text(DECLARED, encoding="utf-8")
    account = tmp_path / ".reconciler" / "simulator.json"
    account.write_text(account.read_text().replace('"maxNum":3', '"maxNum":8'))
    commands = {"cat endpoints.yaml": "", "reconciler apply": "yes", "reconciler plan": ""}
    scenes = record(commands, environ, tmp_path)
    drawn = animation(scenes, TITLE)
    if request.config.getoption("--update-golden"):
        PICTURE.write_text(drawn, encoding="utf-8")
    assert drawn == PICTURE.read_text(encoding="utf-8")
    assert len(drawn) < 60_000
    (plan,) = (block.text for block in blocks(INDEX) if block.language == "text")
    rows = ["  ".join(run.text for run in row) for scene in scenes for row in scene.rows]
    assert words(plan) in words("\n".join(rows))


def words(text: str) -> str:
    return " ".join(text.split())


def luminance(color: str) -> float:
    """Return the relative luminance of a color `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_every_color_can_be_read(colors: dict[str, str]) -> None:
    """The contrast is at least 4.5."""
    page = luminance(colors["page"])
    for name in colors.keys() - {"page", "edge"}:
        dark, light = sorted((page, luminance(colors[name])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


@needed
def test_a_browser_plays_it_unless_the_user_wants_no_motion(tmp_path: Path) -> None:
    """Without a script. What stands still is the plan."""
    browser = Browser(tmp_path)
    try:
        tab = browser.tab(390, scripts=True)
        tab.open(PICTURE.as_uri())
        assert tab.run("document.getAnimations().length") > 10
        assert tab.run("document.querySelector('script')") is None
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        tab.send("Emulation.setEmulatedMedia", features=[still])
        tab.wait("document.getAnimations().length === 0")
        seen = tab.run(SEEN)
        assert "# drift" in seen
        assert "Enter a value:" in seen
        assert [line for line in tab.said() if "error" in line] == []
    finally:
        browser.close()


SEEN = """[...document.querySelectorAll('tspan')].filter((one) => {
  const box = one.getBoundingClientRect(), page = document.documentElement.getBoundingClientRect();
  return box.top >= page.top && box.bottom <= page.bottom && box.left >= page.left && box.right <= page.right;
}).map((one) => one.textContent).join('\\n')"""
