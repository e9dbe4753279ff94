"""E8: what a terminal shows fits it. pyte, a terminal emulator, draws what commands write to a real pty."""

import json
import re
from datetime import UTC, datetime, timedelta

import pyte
import pytest

from tests.e2e.command_line.test_terminal import terminal
from tests.e2e.sandbox import Sandbox, item

SIZES = [(60, 12), (80, 24), (120, 40)]
REASON = "CUDA out of memory: tried to allocate 20 GiB on a device with 3 GiB free"
FAILING = ["svc-03", "svc-17", "svc-28"]
LONG = "llama-3-70b-instruct"
SUMMARY = "31 endpoints: 28 running, 3 pending."


@pytest.fixture
def fleet(sandbox: Sandbox) -> Sandbox:
    """Thirty-one endpoints: one with a lease and a long name, three of which cannot start a worker."""
    world = sandbox.sim.world
    sandbox.declare(item(LONG, minReplicas=1, maxReplicas=4, env={"TOKEN": "${env:HOME}"}))
    sandbox.apply()
    path = sandbox.root / "state/novita.json"
    state = json.loads(path.read_text())
    until = (datetime.now(UTC) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lease = {"min": 1, "max": 4, "until": until, "why": "launch day"}
    state["endpoints"][LONG]["lease"] = lease
    path.write_text(json.dumps(state))
    for number in range(30):
        world.console_create(name=f"svc-{number:02}", appName=f"svc-{number:02}")
    world.switch(worker_error=REASON)
    for name in FAILING:
        world.console_update(sandbox.id(name), workerConfig={"minNum": 2})
    return sandbox


def drawn(output: str, columns: int, lines: int) -> list[str]:
    """Return what a terminal of that size shows, with what has scrolled out of it."""
    screen = pyte.HistoryScreen(columns, lines, history=1000)
    pyte.Stream(screen).feed(output.replace("\n", "\r\n"))
    above = ["".join(line[at].data for at in range(columns)) for line in screen.history.top]
    return [line.rstrip() for line in (*above, *screen.display)]


def shown(sandbox: Sandbox, columns: int, lines: int, *args: str) -> list[str]:
    """Return what the command shows; fail if a line of it is wrapped."""
    with terminal(sandbox, *args, columns=columns, lines=lines) as (screen, process):
        output = screen.rest()
        assert process.wait(60) == 0, output
    found = "\n".join(drawn(output, columns, lines)).rstrip()
    assert found == "\n".join(drawn(output, 500, lines)).rstrip()
    return found.splitlines()


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_a_watch_fits_the_screen(fleet: Sandbox, columns: int, lines: int) -> None:
    """The worst come first, the others are counted; the summary, the lease and the way out are there."""
    found = shown(fleet, columns, lines, "watch", "--for", "0")
    assert len(found) < lines
    assert found[0].split()[:2] == ["NAME", "STATUS"]
    assert [line.split()[0] for line in found[1:4]] == FAILING
    assert all("failed: CUDA out" in line for line in found[1:4])
    assert any(line.startswith(SUMMARY) for line in found)
    assert any(line.startswith(f"{LONG}: lease until 20") for line in found)
    assert found[-1] == "Press Ctrl-C to stop."
    rows = [line for line in found if re.match("svc-|llama-3-70b-i[^:]*  ", line)]
    more = [int(match[1]) for line in found if (match := re.fullmatch(r"… and (\d+) more", line))]
    assert len(rows) + sum(more) == 31
    assert bool(more) == (lines < 40)


def test_events_fit_below_the_table(fleet: Sandbox) -> None:
    """The latest ones are shown, cut at the edge."""
    found = shown(fleet, 60, 12, "watch", "--for", "0", "--initial")
    assert len(found) == 11
    assert any(line.startswith(SUMMARY) for line in found)
    events = [line for line in found if re.match(r"\d\d:\d\d:\d\d  svc-\d\d  present", line)]
    assert len(events) == 2
    assert events[-1][10:16] == "svc-29"


@pytest.mark.parametrize(("columns", "lines"), SIZES)
@pytest.mark.parametrize("command", ["list", "status"])
def test_tables_fit_the_screen(fleet: Sandbox, command: str, columns: int, lines: int) -> None:
    """No line is wrapped; all endpoints, the lease and the summary are there."""
    found = shown(fleet, columns, lines, command)
    words = [line.split()[0] for line in found if line.strip()]
    assert {f"svc-{number:02}" for number in range(30)} <= set(words)
    assert any(line.startswith(SUMMARY) for line in found)
    assert any(": lease until 20" in line for line in found)
    if command == "status":
        assert [word for word in words if word.startswith("svc-")][:3] == FAILING
    elif columns < 120:
        assert found[-1] == "The URLs do not fit; reconciler list --json prints them."
    else:
        assert sum("/run/" in line for line in found) == 31


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_one_endpoint_fits_the_screen(fleet: Sandbox, columns: int, lines: int) -> None:
    """Its reason, its configuration and the addresses of its logs are whole."""
    found = shown(fleet, columns, lines, "get", "svc-17")
    text = " ".join(" ".join(found).split())
    assert REASON in text
    assert fleet.url("svc-17") in text
    assert f"https://logs.novita.invalid/{fleet.id('svc-17')}" in text
    assert any(line.split()[:1] == ["healthPath"] for line in found)


def test_a_watch_of_nothing_says_so(fleet: Sandbox) -> None:
    """At a terminal and elsewhere, with the name that was probably meant."""
    found = shown(fleet, 60, 12, "watch", "svc-177", "--for", "0")
    assert found[0] == "No endpoint found yet."
    assert "there is no endpoint `svc-177`" in found[1]
    assert "did you mean `svc-17`?" in found[2]
    ran = fleet.run("watch", "svc-177", "--for", "0")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("Note: there is no endpoint `svc-177` in the account")
    assert "Did you mean `svc-17`?" in ran.err
    (record,) = map(json.loads, fleet.run("watch", "zzz", "--for", "0", "--json").out.splitlines())
    assert (record["type"], record["code"], record["severity"]) == ("problem", "not-found", "note")
    ran = fleet.run("watch", "--target", "nope*", "--for", "0")
    assert "Note: --target nope* matches no endpoint" in ran.err
