"""A real browser, headless: what it shows of a page, and what it says of it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOUND = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr", "--dump-dom"),
]

FRAME = """<!doctype html><meta name="color-scheme" content="light dark">
<iframe src="page.html" width="{width}" height="900" style="border: 0"></iframe><output id="told"></output>
<script>addEventListener("message", (told) => {{ document.getElementById("told").textContent = told.data; }});
</script>"""
"""A window is 500 pixels wide at least; a frame in it is as narrow as one wants."""

needed = pytest.mark.skipif(FOUND is None and not os.environ.get("CI"), reason="no Chromium here")


class Browser:
    """Each visit is the first one: nothing is left in `folder` that another would find."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._visits = 0

    def load(self, page: str, *, frame: str = "", dark: bool = False) -> tuple[str, list[str]]:
        """(the document after it was loaded, what the console said); `frame` is a page around it."""
        assert FOUND, "Chromium is missing: apt-get install chromium"
        self._visits += 1
        home = self._folder / f"visit-{self._visits}"
        home.mkdir()
        (home / "page.html").write_text(page, encoding="utf-8")
        (home / "frame.html").write_text(frame, encoding="utf-8")
        options = [
            f"--user-data-dir={home / 'profile'}",
            "--window-size=1400,900",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        ]
        done = subprocess.run(
            [FOUND, *FLAGS, *options, (home / ("frame.html" if frame else "page.html")).as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def ask(self, page: str, script: str, *, width: int = 1280, dark: bool = False) -> Any:
        """What the body of a function returns when it runs in a copy of the page that may have scripts."""
        copy = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        asked = f"<script>parent.postMessage(JSON.stringify((() => {{ {script} }})()), '*');</script>"
        document, said = self.load(
            copy.replace("</body>", f"{asked}</body>"), frame=FRAME.format(width=width), dark=dark
        )
        assert said == []
        found = re.search(r'<output id="told">(.+?)</output>', document, re.DOTALL)
        assert found, document
        return json.loads(html.unescape(found[1]))
