"""A headless Chromium, driven over its DevTools protocol on a pipe."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import Any

import pytest

FOUND = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions", "--mute-audio"),
    *("--remote-debugging-pipe", "--disable-background-timer-throttling"),
]

needed = pytest.mark.skipif(FOUND is None and not os.environ.get("CI"), reason="no Chromium here")


class Browser:
    """The process. `close` ends it."""

    def __init__(self, profile: Path) -> None:
        assert FOUND, "Chromium is missing: apt-get install chromium"
        read, self._to = os.pipe()
        self._from, write = os.pipe()

        def place() -> None:  # Chromium reads commands from 3 and writes answers to 4
            ends = os.dup(read), os.dup(write)
            os.dup2(ends[0], 3, inheritable=True)
            os.dup2(ends[1], 4, inheritable=True)

        command = [FOUND, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            command,
            preexec_fn=place,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read)
        os.close(write)
        self._numbers = itertools.count(1)
        self._buffer = b""
        self.events: deque[dict[str, Any]] = deque()

    def send(self, method: str, session: str = "", **parameters: Any) -> Any:
        """Send a command and return its result. Events that arrive meanwhile are kept."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._from, 1 << 20)
            assert data, "Chromium has ended"
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def tab(self, width: int = 1280, height: int = 900, *, dark: bool = False, scripts: bool = True) -> Tab:
        """Return a new tab with cookies and storage of its own."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.send(f"{domain}.enable")
        tab.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        tab.send("Emulation.setEmulatedMedia", features=[scheme])
        if not scripts:
            tab.send("Emulation.setScriptExecutionDisabled", value=True)
        return tab

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(60)
        os.close(self._to)
        os.close(self._from)


class Tab:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def send(self, method: str, **parameters: Any) -> Any:
        return self._browser.send(method, self._session, **parameters)

    def resize(self, width: int, height: int = 900) -> None:
        """Make the window that large (pixels)."""
        is_phone = width < 600
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )

    def open(self, url: str) -> None:
        """Load a page and wait until it is loaded."""
        self.send("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Return the value of an expression, or of a promise."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def wait(self, script: str, seconds: float = 15) -> Any:
        """Return the value of an expression as soon as it is true, also across loads of a page."""
        end = time.monotonic() + seconds
        while True:
            try:
                if value := self.run(f"({script}) || null"):
                    return value
            except AssertionError:  # the page was unloaded meanwhile
                value = None
            assert time.monotonic() < end, (script, self.run("document.body.innerText"))
            time.sleep(0.02)

    def press(self, selector: str) -> None:
        """Click in the middle of an element with the mouse."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            " e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = e.getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name: str) -> None:
        """Press a key, such as Tab or Enter."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("keyDown", "keyUp"):
            text = "\r" if name == "Enter" and kind == "keyDown" else ""
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=codes[name], text=text
            )

    def type(self, text: str) -> None:
        """Type a text into the focused field."""
        self.send("Input.insertText", text=text)

    def text(self) -> str:
        """Return what is seen of the page."""
        seen: str = self.run("document.body.innerText")
        return seen

    def said(self) -> list[str]:
        """Return the messages of the console and the exceptions of all tabs so far."""
        self.run("1")
        kinds = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
        return [json.dumps(event) for event in self._browser.events if event.get("method") in kinds]

    def requests(self) -> list[str]:
        """Return the URLs that this tab has requested."""
        self.run("1")
        return [
            event["params"]["request"]["url"]
            for event in self._browser.events
            if event.get("method") == "Network.requestWillBeSent" and event["sessionId"] == self._session
        ]

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(base64.b64decode(data))
