"""A headless browser for tests of the HTML report."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOUND = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr", "--dump-dom"),
]

FRAMES = """<!doctype html><meta name="color-scheme" content="light dark">
<output id="told"></output>
<script>
const told = [];
addEventListener("message", ({{ data }}) => {{
  told[data.number] = data.found;
  document.getElementById("told").textContent = JSON.stringify(told);
}});
</script>
{frames}"""
"""A window is at least 500 pixels wide; frames within it can be narrower."""

needed = pytest.mark.skipif(FOUND is None and not os.environ.get("CI"), reason="no Chromium here")


class Browser:
    """Each visit starts without stored data of earlier visits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._visits = 0

    def load(self, page: str, *, dark: bool = False, **beside: str) -> tuple[str, list[str]]:
        """Return the loaded document and the console output; `beside` are pages that it links to."""
        assert FOUND, "Chromium is missing: apt-get install chromium"
        self._visits += 1
        home = self._folder / f"visit-{self._visits}"
        home.mkdir()
        for name, text in {"page": page, **beside}.items():
            (home / f"{name}.html").write_text(text, encoding="utf-8")
        options = [
            f"--user-data-dir={home / 'profile'}",
            "--window-size=1400,900",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        ]
        done = subprocess.run(
            [FOUND, *FLAGS, *options, (home / "page.html").as_uri()],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    def ask(self, script: str, *pages: str, widths: Sequence[int] = (1280,), dark: bool = False) -> list[Any]:
        """Return the result of a function body in each page at each width, one width after the other.

        It runs in copies of the pages that may have scripts.
        """
        copies: dict[str, str] = {}
        frames: list[str] = []
        for width in widths:
            for page in pages:
                number = len(frames)
                found = f"{{ number: {number}, found: (() => {{ {script} }})() }}"
                tell = f"<script>parent.postMessage({found}, '*');</script></body>"
                open_to_scripts = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
                copies[f"page-{number}"] = open_to_scripts.replace("</body>", tell)
                frames.append(f'<iframe src="page-{number}.html" width="{width}" style="border: 0"></iframe>')
        document, said = self.load(FRAMES.format(frames="\n".join(frames)), dark=dark, **copies)
        assert said == []
        told = re.search(r'<output id="told">(.+?)</output>', document, re.DOTALL)
        assert told, document
        answers: list[Any] = json.loads(html.unescape(told[1]))
        assert len(answers) == len(frames)
        return answers
