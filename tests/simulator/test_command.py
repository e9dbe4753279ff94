"""The command: what it prints, what it refuses, and how it ends."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from reconciler.cli.commands.simulator import simulator

from .api import BASE, body

HEADERS = {"Authorization": "Bearer any"}
START = [sys.executable, "-c", "from reconciler.cli.commands.simulator import simulator; simulator()"]


@contextmanager
def running(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The command as a process of its own on a free port, and its URL."""
    process = subprocess.Popen(
        [*START, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            url = lines[1].strip().removeprefix("export NOVITA_BASE_URL=")
            assert url in lines[0]
            assert lines[2].strip() == "export NOVITA_API_KEY=any"
            yield process, url
        finally:
            process.kill()


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(simulator, arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_logs_and_ends(number: signal.Signals) -> None:
    """One line a request on stderr; Ctrl-C, SIGTERM and a closed terminal end it cleanly."""
    with running("--fault", "limit:lost_answer") as (process, url):
        assert httpx.get(url + BASE + "/endpoints", headers=HEADERS).json()["total"] == 0
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(url + BASE + "/endpoint/limit", headers=HEADERS)
        process.send_signal(number)
        rest, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert rest == ""
    first, second = log.splitlines()
    assert first.startswith(f"GET {BASE}/endpoints 200 ")
    assert first.endswith(" ms")
    assert second.startswith(f"GET {BASE}/endpoint/limit - ")
    assert second.endswith("[lost_answer]")


def test_it_says_where_it_is_and_puts_the_signals_back() -> None:
    """Run inside this process, it announces itself, logs, and leaves the signal handlers as they were."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def ask_and_stop() -> None:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
                client.get(f"http://127.0.0.1:{port}{BASE}/clusters", headers=HEADERS)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    helper = threading.Thread(target=ask_and_stop)
    helper.start()
    result = invoke("--port", str(port), "--set", "api_key=any")
    helper.join(60)
    assert result.exit_code == 0
    assert f"export NOVITA_BASE_URL=http://127.0.0.1:{port}" in result.stdout
    assert f"GET {BASE}/clusters 200 " in result.stderr
    assert signal.getsignal(signal.SIGTERM) is before


def test_its_options_reach_the_simulator(tmp_path: Path) -> None:
    """State, latency, seed, switches and faults all take effect; --quiet keeps stderr empty."""
    state = tmp_path / "account.json"
    options = ["--state", str(state), "--latency", "80", "--seed", "3", "--fault", "create:429", "--quiet"]
    with running(*options, "--set", "not_found_status=404") as (process, url):
        with httpx.Client(base_url=url + BASE, headers=HEADERS) as client:
            missing = client.get("/endpoint", params={"id": "x"})
            assert missing.status_code == 404
            assert missing.elapsed.total_seconds() >= 0.08
            answers = [client.post("/endpoint/create", json={"endpoint": body()}) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [429, 200]
        process.terminate()
        assert process.communicate(timeout=60) == ("", "")
    assert answers[1].json()["id"] in state.read_text()


def test_random_faults_by_rate() -> None:
    """--fault-rate 1 lets no request through unharmed."""
    with running("--fault-rate", "1", "--seed", "5") as (process, url):
        for _ in range(5):
            try:
                httpx.get(url + BASE + "/endpoints", headers=HEADERS)
            except httpx.TransportError:
                continue
        process.terminate()
        log = process.communicate(timeout=60)[1]
    assert len(log.splitlines()) == 5
    assert all(line.endswith("]") for line in log.splitlines())


def test_the_switches_are_listed() -> None:
    """--switches prints them and starts nothing."""
    result = invoke("--switches")
    assert result.exit_code == 0
    assert "list_lag_seconds" in result.output
    assert "export" not in result.output


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--set", "no_stok=1"], "did you mean no_stock"),
        (["--fault", "create:200"], "400 to 599"),
        (["--latency", "-1"], "--latency"),
        (["--fault-rate", "2"], "--fault-rate"),
    ],
)
def test_wrong_usage_is_a_usage_error(arguments: list[str], hint: str) -> None:
    """Click's usage error with a hint, before anything starts."""
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert hint in result.output


def test_a_taken_port_is_a_friendly_error() -> None:
    """One line that names the port and a way out; exit 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke("--port", str(port))
    assert result.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.output
    assert "--port" in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("text", ["not json", '{"some": "thing"}'])
def test_a_foreign_state_file_is_a_friendly_error(tmp_path: Path, text: str) -> None:
    """A file that is no state is named and left alone; exit 1."""
    state = tmp_path / "notes.json"
    state.write_text(text)
    result = invoke("--port", "0", "--state", str(state))
    assert result.exit_code == 1
    assert "notes.json" in result.output
    assert state.read_text() == text


def test_a_state_that_cannot_be_read_is_a_friendly_error(tmp_path: Path) -> None:
    """The file's path and the reason, nothing about ports; exit 1."""
    (tmp_path / "file").write_text("")
    result = invoke("--port", "0", "--state", str(tmp_path / "file" / "account.json"))
    assert result.exit_code == 1
    assert "account.json: Not a directory" in result.output
