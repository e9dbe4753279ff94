"""What a person at a terminal sees: colour, a prompt that waits, a bar that leaves no trace."""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.sandbox import Sandbox, item

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """The far end of a pseudo-terminal."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.shown = ""

    def read_until(self, text: str, within: float = 60.0) -> str:
        """Everything shown up to now; fails when `text` does not come."""
        deadline = time.monotonic() + within
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} never came:\n{self.shown}"
            if select.select([self._descriptor], [], [], left)[0] and not self._read():
                break
        assert text in self.shown, self.shown
        return self.shown

    def rest(self) -> str:
        """Everything shown until the program ended."""
        while self._read():
            pass
        return self.shown

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def _read(self) -> bool:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:  # how Linux says that nobody is left at the other end
            return False
        self.shown = (self.shown + self._decoder.decode(data)).replace("\r\n", "\n")
        return bool(data)


@contextmanager
def terminal(
    sandbox: Sandbox, *args: str, piped: bool = False, columns: int = 100, lines: int = 40
) -> Iterator[tuple[Terminal, subprocess.Popen[str]]]:
    """The command at a terminal; with `piped`, its stdout goes to a pipe."""
    sandbox.monkeypatch.setenv("TERM", "xterm-256color")
    sandbox.monkeypatch.setenv("COLUMNS", str(columns))
    sandbox.monkeypatch.setenv("LINES", str(lines))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    process = sandbox.start(
        *args,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.PIPE if piped else theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(ours), process
    finally:
        os.close(ours)


def at_last(shown: str) -> str:
    """The text without colour and without what was written over later."""
    return re.sub(r"[^\n]*\r", "", ANSI.sub("", shown))


def test_the_prompt_waits_on_its_line(sandbox: Sandbox) -> None:
    """The question stands complete, without a bar, with the cursor behind it; then the apply runs."""
    sandbox.declare(item("chat"))
    with terminal(sandbox, "apply") as (screen, process):
        asked = screen.read_until("Enter a value:")
        assert ANSI.sub("", asked).endswith("\n  Enter a value:") or ANSI.sub("", asked).endswith(
            "\n  Enter a value: "
        )
        assert "━" not in asked
        screen.type("yes\n")
        done = ANSI.sub("", screen.rest())
        assert process.wait(60) == 0
    assert "Enter a value: yes\n" in done
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed.\n\nOutputs:\n\nchat = " in done
    assert set(sandbox.live()) == {"chat"}


def test_colour_does_not_move_anything(sandbox: Sandbox) -> None:
    """Without its colours the plan of a terminal is the plan of a pipe, byte for byte."""
    sandbox.declare(item("chat"), item("embed", replicas=2), item("gone"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"), item("embed", replicas=3), item("new"))
    plain = sandbox.run("plan").out
    with terminal(sandbox, "plan") as (screen, _):
        coloured = screen.rest()
    assert coloured != plain
    assert ANSI.sub("", coloured) == plain
    assert "  \x1b[33m~\x1b[0m embed" in coloured


def test_the_result_stays_on_stdout(sandbox: Sandbox) -> None:
    """A terminal behind stderr takes nothing from a piped stdout: plan and report are whole there."""
    sandbox.declare(item("chat"))
    with terminal(sandbox, "apply", "--auto-approve", piped=True) as (screen, process):
        assert process.stdout is not None
        out = process.stdout.read()
        watched = screen.rest()
        assert process.wait(60) == 0
    assert "# novita_endpoint.chat will be created" in out
    assert "Apply complete!" in out
    assert "\x1b" not in out
    assert "Creation complete" in watched
    assert "Apply complete!" not in watched


def test_the_bar_leaves_the_lines_alone(sandbox: Sandbox) -> None:
    """Lines above the bar are whole, and nothing of the bar is left at the end."""
    sandbox.sim.world.switch(latency_seconds=0.7)
    sandbox.declare(*(item(f"e{number}") for number in range(4)))
    with terminal(sandbox, "apply", "--auto-approve") as (screen, process):
        shown = screen.rest()
        assert process.wait(60) == 0
    assert re.search(r"─ \d/4 0:01", ANSI.sub("", shown)), "the bar was there"
    assert "─" not in at_last(shown)
    for number in range(4):
        assert re.search(
            rf"novita_endpoint\.e{number}: Creation complete after \d+s \[id=\w+\]", ANSI.sub("", shown)
        )
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor is back"


def test_a_long_listing_has_a_bar(sandbox: Sandbox) -> None:
    """Beside the plan, which stays whole."""
    sandbox.declare(*(item(f"e{number}") for number in range(4)))
    sandbox.apply()
    sandbox.sim.world.switch(latency_seconds=1.3, max_page_size=1)
    with terminal(sandbox, "plan") as (screen, process):
        shown = screen.rest()
        assert process.wait(60) == 0
    assert re.search(r"Listing endpoints ━+.* [1-4]/4 0:0[1-3]", ANSI.sub("", shown))
    assert at_last(shown).startswith("No changes.")


def test_what_is_wrong_is_told_without_a_bar(sandbox: Sandbox) -> None:
    """Files that are read while the account is listed, and turn out to be wrong, end the listing's bar."""
    sandbox.write("endpoints.yaml", "endpoints: 1\n")
    sandbox.sim.world.switch(latency_seconds=2.0)
    with terminal(sandbox, "plan", "--no-color") as (screen, process):
        shown = screen.rest()
        assert process.wait(60) == 1
    assert shown.startswith("Error: `endpoints` must be a list")
    assert "Listing" not in shown


def test_no_color_is_kept(sandbox: Sandbox) -> None:
    """NO_COLOR and --no-color take every colour away, the bar's too."""
    sandbox.declare(item("chat"))
    with terminal(sandbox, "plan", "--no-color") as (screen, _):
        assert "\x1b" not in screen.rest()
    sandbox.monkeypatch.setenv("NO_COLOR", "1")
    with terminal(sandbox, "apply", "--auto-approve") as (screen, _):
        assert not re.search(r"\x1b\[[0-9;]*m", screen.rest())


def test_ci_gets_plain_lines(sandbox: Sandbox) -> None:
    """With CI set nobody watches, so there is no bar even at a terminal."""
    sandbox.monkeypatch.setenv("CI", "true")
    sandbox.declare(item("chat"))
    with terminal(sandbox, "apply", "--auto-approve") as (screen, _):
        shown = screen.rest()
    assert "1/1" not in shown
    assert "Creation complete" in shown


def test_blank_lines(sandbox: Sandbox) -> None:
    """One empty line, never two, between plan, warnings, progress and report."""
    sandbox.declare(item("chat", freeTimeout=5000))
    with terminal(sandbox, "apply", "--auto-approve", "--no-color") as (screen, _):
        shown = at_last(screen.rest())
    sandbox.declare(item("embed", freeTimeout=5000))
    with terminal(sandbox, "apply", "--no-color") as (screen, _):
        screen.read_until("Enter a value:")
        screen.type("yes\n")
        asked = at_last(screen.rest())
    for text in (shown, asked):
        assert "\n\n\n" not in text
        assert "to destroy.\n\nCost (" in text
        assert " per month\n" in text
        assert re.search(r"  ceiling .*\n\nWarning: ", text)
        assert "\n\nnovita_endpoint." in text
        assert "\n\nApply complete!" in text
