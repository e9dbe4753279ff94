"""`reconciler call`: a real request to the URL of an endpoint, with cold starts and failures."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Fault
from tests.e2e.command_line.test_terminal import terminal
from tests.e2e.sandbox import KEY, ROOT, CommandResult, Sandbox, item
from tests.scripted_server import scripted_server


@pytest.fixture
def chat(sandbox: Sandbox) -> Sandbox:
    """An account with the endpoint `chat`, which has one worker."""
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=2))
    sandbox.apply()
    return sandbox


def asleep(sandbox: Sandbox, boot: float = 0.6, **switches: Any) -> None:
    """Scale `chat` to zero. Its next worker takes `boot` seconds to start."""
    sandbox.sim.world.switch(worker_boot_seconds=boot, tombstones=False, **switches)
    sandbox.sim.world.console_update(sandbox.id("chat"), workerConfig={"minNum": 0})


def give_url(sandbox: Sandbox, url: str) -> None:
    """Let the account give another URL for each endpoint."""
    sandbox.sim.faults.rewrite("get", lambda answer: {"endpoint": {**answer["endpoint"], "url": url}})


def echo(ran: CommandResult) -> dict[str, Any]:
    assert ran.code == 0, ran.err
    answer: dict[str, Any] = json.loads(ran.out)
    return answer


def test_the_answer_is_on_stdout_and_its_times_on_stderr(chat: Sandbox) -> None:
    ran = chat.run("call", "chat", "--path", "/health")
    assert (ran.code, ran.out) == (0, '{"status":"ok"}')
    assert ran.err.startswith("HTTP 200 OK: first byte after 0.")
    assert ran.err.endswith(" s in total\n")


def test_the_method_and_the_type_follow_from_the_data(chat: Sandbox) -> None:
    got = echo(chat.run("call", "chat"))
    assert (got["method"], got["path"], got["body"]) == ("GET", "/", "")
    got = echo(chat.run("call", "chat", '{"a": 1}', "--path", "/x y?z=ä"))
    assert (got["method"], got["path"], got["query"]) == ("POST", "/x%20y", {"z": "ä"})
    assert (got["headers"]["content-type"], got["body"]) == ("application/json", '{"a": 1}')
    got = echo(chat.run("call", "chat", "hello", "--method", "put", "--header", "X-A: 1"))
    assert (got["method"], got["headers"]["x-a"]) == ("PUT", "1")
    assert got["headers"]["content-type"] == "text/plain; charset=utf-8"
    got = echo(chat.run("call", "chat", "[]", "--header", "content-type: text/x"))
    assert got["headers"]["content-type"] == "text/x"
    got = echo(chat.run("call", "chat", "--method", "POST"))
    assert got["headers"]["content-length"] == "0"


def test_data_comes_from_a_file_or_from_stdin(chat: Sandbox) -> None:
    chat.write("request.bin", "from a file")
    assert echo(chat.run("call", "chat", "@request.bin"))["body"] == "from a file"
    ran = chat.run("call", "chat", "@missing")
    assert (ran.code, "cannot read missing: No such file" in ran.err) == (64, True)
    process = chat.start("call", "chat", "-", stdin=subprocess.PIPE)
    out, _ = process.communicate("from stdin", timeout=30)
    assert json.loads(out)["body"] == "from stdin"


def test_an_endpoint_is_found_by_its_id_and_its_url_is_the_one_of_the_account(chat: Sandbox) -> None:
    ran = chat.run("call", chat.id("chat"), "--json")
    assert ran.code == 0
    document = ran.document
    assert document["url"] == chat.url("chat")
    assert (document["endpoint"], document["status"], document["encoding"]) == ("chat", 200, "json")
    assert document["seconds"].keys() == {"waited", "first_byte", "total"}
    ran = chat.run("call", "chatt")
    assert (ran.code, "Did you mean `chat`?" in ran.err) == (1, True)


@pytest.mark.parametrize("cold_answer", ["502", "503", "504"])
def test_a_cold_start_is_waited_out(chat: Sandbox, cold_answer: str) -> None:
    """Also from zero: the first request starts a worker, and the answer comes once it is ready."""
    asleep(chat, boot=1.3, cold_answer=cold_answer)
    ran = chat.run("call", "chat", "--path", "/health")
    assert (ran.code, ran.out) == (0, '{"status":"ok"}')
    assert "chat: waiting for 1 s: worker w-" in ran.err
    assert "HTTP 200 OK: waited " in ran.err


def test_a_gateway_that_holds_the_request(chat: Sandbox) -> None:
    asleep(chat, boot=1.3, cold_answer="hold")
    ran = chat.run("call", "chat", "--path", "/health")
    assert ran.code == 0
    assert "chat: waiting for 1 s: no answer yet" in ran.err


def test_a_connection_that_is_refused_while_no_worker_is_ready(chat: Sandbox, closed_port: int) -> None:
    """The endpoint is not there yet; with a ready worker the same is an error at once."""
    give_url(chat, f"http://127.0.0.1:{closed_port}")
    ran = chat.run("call", "chat")
    assert ran.code == 1
    assert "`chat` did not answer: there is no connection: Connection refused\n" in ran.err
    assert "waiting" not in ran.err
    asleep(chat)
    ran = chat.run("call", "chat", "--timeout", "1.4")
    assert (ran.code, "chat: waiting for 1 s: " in ran.err) == (1, True)


def test_a_worker_that_cannot_start_says_why(chat: Sandbox) -> None:
    """After the timeout the answer of the gateway is printed, and the reason was on the line of the wait."""
    asleep(chat, worker_error="OOM: CUDA out of memory")
    ran = chat.run("call", "chat", "--timeout", "1.4")
    assert (ran.code, ran.out) == (1, "no worker is available\n")
    assert "failed: OOM: CUDA out of memory" in ran.err
    assert "HTTP 503 Service Unavailable" in ran.err


def test_an_endpoint_that_failed_is_not_waited_for(chat: Sandbox) -> None:
    asleep(chat, endpoint_state="failed")
    ran = chat.run("call", "chat", "--path", "/health")
    assert (ran.code, "waiting" in ran.err) == (1, False)


def test_503_of_a_ready_worker_is_its_answer(chat: Sandbox) -> None:
    """A worker was ready, so the request may have had an effect: it is not sent again."""
    chat.sim.faults.add(Fault(operation="call", status=503))
    ran = chat.run("call", "chat", "{}")
    assert (ran.code, len(chat.sent("call"))) == (1, 1)
    assert json.loads(ran.out)["code"] == 503


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("lost_answer", "`chat` did not answer: the connection was closed before an answer came"),
        ("truncated", "the answer of `chat` broke off: the connection was closed after "),
    ],
)
def test_a_lost_answer_is_not_asked_for_again(chat: Sandbox, kind: Any, says: str) -> None:
    chat.sim.faults.add(Fault(operation="call", kind=kind))
    ran = chat.run("call", "chat", "{}")
    assert (ran.code, len(chat.sent("call"))) == (1, 1)
    assert says in ran.err
    assert "`reconciler status chat`" in ran.err


def test_no_message_shows_the_parts_of_a_library(chat: Sandbox) -> None:
    """Something that does not speak HTTP, and a host without an address."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        give_url(chat, f"http://127.0.0.1:{other.getsockname()[1]}")
        answering = threading.Thread(target=_answer_once, args=(other, b"SSH-2.0-OpenSSH_9.6\r\n\r\n"))
        answering.start()
        ran = chat.run("call", "chat")
        answering.join()
    assert ran.code == 1
    assert "`chat` did not answer: what came is not an HTTP response\n" in ran.err
    assert not re.search(r"bytearray|Errno|illegal", ran.err)


def _answer_once(server: socket.socket, data: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(data)


def test_an_answer_that_breaks_off_ends_its_line(chat: Sandbox) -> None:
    """The error stands on a line of its own where both are shown together."""
    chat.sim.faults.add(Fault(operation="call", kind="truncated"))
    process = chat.start("call", "chat", "--path", "/health", stderr=subprocess.STDOUT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "\nError: the answer of `chat` broke off: " in out


@pytest.mark.parametrize("path", ["/a/%252e%252e/b", "/%25252e%25252e", "/..%255cx"])
def test_a_path_that_climbs_after_several_decodings(chat: Sandbox, path: str) -> None:
    ran = chat.run("call", "chat", "--path", path)
    assert (ran.code, "has a segment `..`" in ran.err, chat.sent("call")) == (64, True, [])
    assert chat.run("call", "chat", "--path", "/100%25/a%252fb").code == 0


@pytest.mark.parametrize("command", ["call", "open", "logs", "restart", "get", "output", "probe"])
def test_a_mistyped_name_gets_the_near_one(chat: Sandbox, command: str) -> None:
    ran = chat.run(command, "chta")
    assert ran.code != 0
    assert "id you mean `chat`?" in ran.err


def test_a_key_in_the_url_is_not_shown(chat: Sandbox) -> None:
    """Neither by `open`, which would also hand it to the browser, nor by the others."""
    give_url(chat, f"https://x.example/{KEY}")
    for command in ("open", "call", "output", "get", "logs"):
        ran = chat.run(command, "chat")
        assert KEY not in ran.out + ran.err, command
    ran = chat.run("open", "chat")
    assert (ran.code, "is not opened" in ran.err) == (1, True)


def test_the_time_is_limited(chat: Sandbox) -> None:
    chat.sim.faults.add(Fault(operation="call", kind="slow", seconds=20))
    ran = chat.run("call", "chat", "--timeout", "0.3s")
    assert (ran.code, "`chat` did not answer: no answer within 0.3 s" in ran.err) == (1, True)


def test_a_stream_is_written_as_it_comes(chat: Sandbox) -> None:
    """Each event is on stdout before the next one is sent."""
    chat.sim.world.switch(event_pause_seconds=0.3)
    process = chat.start(
        "call", "chat", '{"messages": [{"content": "a b"}]}', "--stream", "--path", "/v1/chat/completions"
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert '"content":"You "' in first
    assert process.poll() is None
    rest, err = process.communicate(timeout=30)
    assert rest.endswith("data: [DONE]\n\n")
    assert process.returncode == 0, err
    (sent,) = chat.sent("call")
    assert json.loads(sent.body)["stream"] is True
    assert sent.headers["accept"] == "text/event-stream"


def test_bytes_are_not_changed(chat: Sandbox) -> None:
    data = bytes(range(256))
    chat.sim.faults.rewrite("call", lambda _answer: data)
    with (chat.root / "answer").open("wb") as file:
        assert chat.start("call", "chat", stdout=file).wait(30) == 0
    assert (chat.root / "answer").read_bytes() == data
    document = chat.run("call", "chat", "--json").document
    assert (document["encoding"], document["body"][:8]) == ("base64", "AAECAwQF")


def test_a_terminal_gets_no_control_characters(chat: Sandbox) -> None:
    chat.sim.faults.rewrite("call", lambda _answer: "\x1b]0;title\x07\tgr\u00fcn\nx".encode())
    with terminal(chat, "call", "chat") as (screen, process):
        shown = screen.rest()
        assert process.wait(timeout=30) == 0
    assert "\\x1b]0;title\\x07\tgr\u00fcn\nx\n" in shown


def test_the_line_about_the_answer_is_a_line_of_its_own(chat: Sandbox) -> None:
    """Where both are shown together. The newline is not on stdout, which has the answer and nothing else."""
    process = chat.start("call", "chat", "--path", "/health", stderr=subprocess.STDOUT)
    out, _ = process.communicate(timeout=30)
    assert out.startswith('{"status":"ok"}\nHTTP 200 OK: ')
    process = chat.start("call", "chat", "--path", "/health")
    assert process.communicate(timeout=30)[0] == '{"status":"ok"}'


def test_a_redirect_is_not_followed(chat: Sandbox) -> None:
    """It is the answer; the other host gets nothing."""
    with scripted_server() as other:

        def redirect(connection: socket.socket, _over: threading.Event) -> None:
            location = f"http://localhost:{other.port}/x"
            connection.sendall(
                f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
            )

        with scripted_server(redirect) as endpoint:
            give_url(chat, endpoint.url)
            ran = chat.run("call", "chat")
        assert other.received == []
        assert ran.code == 1
        assert f"The redirect to http://localhost:{other.port}/x was not followed" in ran.err


def test_ctrl_c_ends_at_once(chat: Sandbox) -> None:
    chat.sim.faults.add(Fault(operation="call", kind="slow", seconds=120))
    came = threading.Event()
    chat.sim.faults.before("get", lambda _request: came.set())
    process = chat.start("call", "chat")
    assert came.wait(60)
    chat._await(lambda: not chat.sim.faults.pending, "no request came")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, "Interrupted." in err) == (130, True)


def test_the_commands_of_the_guide_run(chat: Sandbox) -> None:
    """Every line of docs/calling.md."""
    guide = (ROOT / "docs/calling.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^<!-- commands -->\n```sh\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    chat.write("request.json", {"prompt": "Hello"})
    chat.monkeypatch.setenv("CHAT_KEY", "sk-of-the-model")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", commands], cwd=chat.root, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("HTTP 200 OK") == commands.count("reconciler call") - 1
    assert "You said: Hello" in done.stdout
    assert done.stdout.endswith("}\n")


def test_wrong_command_lines(chat: Sandbox) -> None:
    for arguments, says in (
        (["--path", "x"], "'x' is not a path such as /v1/models"),
        (["--path", "/../../x"], "'/../../x' has a segment `..`, which may leave the URL of the endpoint"),
        (["--path", "/a/%2E%2e?x"], "'/a/%2E%2e?x' has a segment `..`"),
        (["--header", "no colon"], "a header is 'NAME: VALUE'"),
        (["--header", "Host: x"], "'Host' belongs to the connection and cannot be set"),
        (["--header", "a b: x"], "'a b' is not the name of a header"),
        (["--header", "X: \u00fc"], "'X' has a control character or a letter outside ASCII"),
        (["--method", "G T"], "'G T' is not a method such as GET"),
        (["--stream"], "--stream needs data that is a JSON object"),
        (["[]", "--stream"], "--stream needs data that is a JSON object"),
        (["--target", "x"], "not --target and --exclude"),
    ):
        ran = chat.run("call", "chat", *arguments)
        assert (ran.code, says in ran.err) == (64, True), ran.err
    assert chat.sent("call") == []


def test_the_simulator_in_this_process_has_no_urls(chat: Sandbox) -> None:
    chat.monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    chat.run("apply", "--auto-approve", "--allow-other-account")
    ran = chat.run("call", "chat")
    assert (ran.code, "`reconciler simulator` serves them" in ran.err) == (1, True)


def test_no_url_yet(chat: Sandbox) -> None:
    give_url(chat, "")
    ran = chat.run("call", "chat")
    assert (ran.code, "`chat` has no URL yet; its state is serving" in ran.err) == (1, True)
