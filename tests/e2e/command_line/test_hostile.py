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
from tests.e2e.sandbox import Sandbox, item

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


def test_a_name_cannot_forge_a_line(sandbox: Sandbox) -> None:
    """Others name endpoints too: what could move the cursor or start a line is shown escaped."""
    sandbox.declare(item("chat"))
    sandbox.sim.world.console_create(name="x\r\nNo changes.\x1b[2J", appName="x")
    shown = sandbox.run("plan").out
    assert "\x1b" not in shown
    assert "\nNo changes." not in shown
    assert r"x\r\nNo changes.\x1b[2J" in shown


def test_a_plan_does_not_overwrite_what_is_no_plan(sandbox: Sandbox) -> None:
    """`--out endpoints.yaml` is a slip of the finger; a plan may be saved over a plan."""
    sandbox.declare(item("chat"))
    before = sandbox.files()
    ran = sandbox.run("plan", "--out", "endpoints.yaml")
    assert ran.code == 1
    assert "already exists and is not a saved plan" in ran.err
    assert sandbox.files() == before
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    assert sandbox.run("plan", "--out", "the.plan").code == 0


def test_a_rename_that_cannot_be_done_deletes_nothing(sandbox: Sandbox) -> None:
    """Both names exist: an error with both IDs instead of a delete and a create."""
    sandbox.declare(item("y"), item("z"))
    sandbox.apply()
    sandbox.declare(item("z", renamedFrom="y"))
    ran = sandbox.plan()
    assert ran.code == 1
    assert "rename-impossible" in ran.codes
    problem = next(one for one in ran.document["problems"] if one["code"] == "rename-impossible")
    assert sandbox.id("y") in problem["summary"]
    assert sandbox.id("z") in problem["summary"]
    sandbox.declare(item("z"), item("w", renamedFrom="z"))
    assert "`z` is still declared" in sandbox.run("plan").err


def test_a_rename_long_done_is_no_fault(sandbox: Sandbox) -> None:
    """`renamedFrom` may stay in the file."""
    sandbox.declare(item("old"))
    sandbox.apply()
    sandbox.declare(item("new", renamedFrom="old", appName="old"))
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_two_endpoints_of_one_app_name_are_found_offline(sandbox: Sandbox) -> None:
    """Novita would refuse the second; validate says so before."""
    sandbox.declare(item("a"), item("b", appName="a"))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert "`a` and `b` would both be called `a` in their URL" in ran.err


def test_a_name_of_invisible_characters_is_refused(sandbox: Sandbox) -> None:
    """What nobody can see nobody can review."""
    sandbox.declare(item("a\u202eb", appName="x"))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert r"'a\u202eb'" in ran.err


def test_json_is_json_in_every_encoding(sandbox: Sandbox) -> None:
    """A stream that holds no UTF-8 gets escapes that JSON knows."""
    sandbox.declare(item("é", appName="x"))
    sandbox.monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ran = sandbox.process("plan", "--json")
    assert json.loads(ran.out)["resource_changes"][0]["name"] == "é"


def test_a_selection_error_is_no_good_news(sandbox: Sandbox) -> None:
    """`No changes.` is said of what was looked at only."""
    sandbox.declare(item("a"), item("b"))
    ran = sandbox.run("plan", "--target", "nosuch")
    assert ran.code == 1
    assert "No changes" not in ran.out
    assert "only 1 of 2 declared endpoints were compared" in sandbox.run("plan", "--target", "a").err


def test_masked_commands_are_not_to_be_run(sandbox: Sandbox) -> None:
    """`--curl` without `--reveal` says that it would send the mask."""
    sandbox.monkeypatch.setenv("TOKEN", "t0p")
    sandbox.declare(item("a", env={"T": "${env:TOKEN}"}))
    assert "Pass --reveal to run them" in sandbox.run("preview", "--curl").err
    assert "Pass --reveal" not in sandbox.run("preview", "--curl", "--reveal").err


def test_destroy_says_why(sandbox: Sandbox) -> None:
    """What is still declared goes because it was asked for."""
    sandbox.declare(item("a"))
    sandbox.apply()
    ran = sandbox.run("destroy", "--auto-approve")
    assert "# (destroy was asked for)" in ran.out
    assert "Destroy complete! Resources: 1 destroyed." in ran.out
