"""Servers, neighbours and slips of the finger that mean no good."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase

import pytest

from reconciler.model.errors import AnswerLost
from reconciler.model.request import Request
from reconciler.model.secrets import Secret
from reconciler.novita.http import client as client_module
from reconciler.novita.http.client import Client
from tests.e2e.desk import Sandbox, item

GET = Request(method="GET", path="/x")
SECRET = Secret(value="k", source="test")


@contextmanager
def answering(send: Callable[[BufferedIOBase], None]) -> Iterator[str]:
    """A server whose every answer is written by `send(file)`; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                send(self.wfile)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join(60)


def test_an_answer_too_large_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body without end takes neither the memory nor the time of the run."""
    monkeypatch.setattr(client_module, "MAX_BODY_SIZE", 1 << 20)

    def endless(file: BufferedIOBase) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        file.writelines(b"x" * (1 << 16) for _ in range(300))

    with (
        answering(endless) as url,
        Client(url, SECRET) as client,
        pytest.raises(AnswerLost) as caught,
    ):
        client.send(GET, retries=False)
    assert "larger than 1 MiB" in caught.value.problem.summary


def test_an_answer_that_trickles_is_given_up() -> None:
    """The whole answer has the time that its first byte has, however often a byte comes."""
    leave = threading.Event()

    def trickle(file: BufferedIOBase) -> None:
        file.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        while not leave.wait(0.02):
            file.write(b"x")

    with answering(trickle) as url, Client(url, SECRET, read_timeout=0.3) as client:
        with pytest.raises(AnswerLost) as caught:
            client.send(GET, retries=False)
        leave.set()
    assert "not complete within 0.3 s" in caught.value.problem.summary


def test_a_name_cannot_forge_a_line(desk: Sandbox) -> None:
    """Others name endpoints too: what could move the cursor or start a line is shown escaped."""
    desk.declare(item("chat"))
    desk.sim.world.console_create(name="x\r\nNo changes.\x1b[2J", appName="x")
    shown = desk.run("plan").out
    assert "\x1b" not in shown
    assert "\nNo changes." not in shown
    assert r"x\r\nNo changes.\x1b[2J" in shown


def test_a_plan_does_not_overwrite_what_is_no_plan(desk: Sandbox) -> None:
    """`--out endpoints.yaml` is a slip of the finger; a plan may be saved over a plan."""
    desk.declare(item("chat"))
    before = desk.files()
    ran = desk.run("plan", "--out", "endpoints.yaml")
    assert ran.code == 1
    assert "already exists and is not a saved plan" in ran.err
    assert desk.files() == before
    assert desk.run("plan", "--out", "the.plan").code == 0
    assert desk.run("plan", "--out", "the.plan").code == 0


def test_a_rename_that_cannot_be_done_deletes_nothing(desk: Sandbox) -> None:
    """Both names exist: an error with both IDs instead of a delete and a create."""
    desk.declare(item("y"), item("z"))
    desk.apply()
    desk.declare(item("z", renamedFrom="y"))
    ran = desk.plan()
    assert ran.code == 1
    assert "rename-impossible" in ran.codes
    problem = next(one for one in ran.document["problems"] if one["code"] == "rename-impossible")
    assert desk.id("y") in problem["summary"]
    assert desk.id("z") in problem["summary"]
    desk.declare(item("z"), item("w", renamedFrom="z"))
    assert "`z` is still declared" in desk.run("plan").err


def test_a_rename_long_done_is_no_fault(desk: Sandbox) -> None:
    """`renamedFrom` may stay in the file."""
    desk.declare(item("old"))
    desk.apply()
    desk.declare(item("new", renamedFrom="old", appName="old"))
    desk.apply()
    assert desk.plan().code == 0


def test_two_endpoints_of_one_app_name_are_found_offline(desk: Sandbox) -> None:
    """Novita would refuse the second; validate says so before."""
    desk.declare(item("a"), item("b", appName="a"))
    ran = desk.run("validate")
    assert ran.code == 1
    assert "`a` and `b` would both be called `a` in their URL" in ran.err


def test_a_name_of_invisible_characters_is_refused(desk: Sandbox) -> None:
    """What nobody can see nobody can review."""
    desk.declare(item("a\u202eb", appName="x"))
    ran = desk.run("validate")
    assert ran.code == 1
    assert r"'a\u202eb'" in ran.err


def test_json_is_json_in_every_encoding(desk: Sandbox) -> None:
    """A stream that holds no UTF-8 gets escapes that JSON knows."""
    desk.declare(item("é", appName="x"))
    desk.monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ran = desk.process("plan", "--json")
    assert json.loads(ran.out)["resource_changes"][0]["name"] == "é"


def test_a_selection_error_is_no_good_news(desk: Sandbox) -> None:
    """`No changes.` is said of what was looked at only."""
    desk.declare(item("a"), item("b"))
    ran = desk.run("plan", "--target", "nosuch")
    assert ran.code == 1
    assert "No changes" not in ran.out
    assert "only 1 of 2 declared endpoints were compared" in desk.run("plan", "--target", "a").err


def test_masked_commands_are_not_to_be_run(desk: Sandbox) -> None:
    """`--curl` without `--reveal` says that it would send the mask."""
    desk.monkeypatch.setenv("TOKEN", "t0p")
    desk.declare(item("a", env={"T": "${env:TOKEN}"}))
    assert "Pass --reveal to run them" in desk.run("preview", "--curl").err
    assert "Pass --reveal" not in desk.run("preview", "--curl", "--reveal").err


def test_destroy_says_why(desk: Sandbox) -> None:
    """What is still declared goes because it was asked for."""
    desk.declare(item("a"))
    desk.apply()
    ran = desk.run("destroy", "--auto-approve")
    assert "# (destroy was asked for)" in ran.out
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
