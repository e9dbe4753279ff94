"""Two writes at once, a stop in the middle of a write, and a server that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

import pytest

from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.stores.file.lock import hold
from reconciler.simulator import Server

from .conftest import KEY, ROOT, TOKENS, WRITER, Serve, StartProcess, wait_until

ALL = "/api/v1/endpoints"
KILLS = int(os.environ.get("SERVER_KILLS", "5"))
"""Times that the server is killed; the promise was tried with 100."""


def body(name: str) -> dict[str, object]:
    return {"endpoint": name, "specName": "novita-5090-single", "image": "ubuntu:22.04", "env": {"A": "b"}}


def test_a_second_write_waits_for_the_first(start_process: StartProcess, sim: Server) -> None:
    """Eight at once all succeed, one after the other."""
    server = start_process("--allow-unauthenticated-writes")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: server.ask("POST", ALL, body(f"e{number}")), range(8)))
    assert [answer.status for answer in answers] == [200] * 8
    assert len(sim.world.endpoints) == 8
    assert [one["name"] for one in server.get(ALL).json] == [f"e{number}" for number in range(8)]


def test_a_write_that_waited_too_long_names_the_owner_of_the_lock(
    start_process: StartProcess, folder: Path
) -> None:
    server = start_process("--allow-unauthenticated-writes", "--lock-timeout", "0.2s")
    state = folder / "state/novita.json"
    holder = current_holder(command="reconciler apply", environ={"LOGNAME": "ada"}, clock=time.time)
    with hold(state, holder):
        answer = server.ask("POST", ALL, body("probe"))
    assert answer.status == 409
    assert "locked by ada" in answer.json["error"]
    assert "pid: " in answer.json["problems"][0]["detail"]
    assert server.ask("POST", ALL, body("probe")).status == 200


def test_of_two_writes_at_once_the_second_names_the_first(start_process: StartProcess, sim: Server) -> None:
    server = start_process("--lock-timeout", "0.1s", RECONCILER_API_TOKENS=TOKENS)
    sim.world.switch(latency_seconds=0.4)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(server.ask, "POST", ALL, body(name), token=WRITER) for name in ("a", "b")]
        answers = sorted((one.result() for one in asked), key=lambda answer: answer.status)
    assert [answer.status for answer in answers] == [200, 409]
    assert "locked by ci" in answers[1].json["error"]


def test_a_stop_finishes_the_write_in_flight(start_process: StartProcess, sim: Server) -> None:
    server = start_process("--allow-unauthenticated-writes")
    sim.world.switch(latency_seconds=0.3)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.ask, "POST", ALL, body("probe"))
        wait_until(lambda: any(one.method == "GET" for one in sim.requests))
        server.process.send_signal(signal.SIGTERM)
        assert asked.result().status == 200
    assert server.stop() == 0
    assert [one["name"] for one in sim.world.endpoints] == ["probe"]


def test_a_client_that_goes_away_does_not_stop_its_write(start_process: StartProcess, sim: Server) -> None:
    server = start_process("--allow-unauthenticated-writes")
    content = json.dumps(body("probe")).encode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"POST {ALL} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
        wait_until(lambda: bool(sim.requests))
    wait_until(lambda: len(sim.world.endpoints) == 1)
    wait_until(lambda: server.get(f"{ALL}/probe").status == 200)


@pytest.mark.timeout(60 + 20 * KILLS)
def test_a_server_that_is_killed_loses_nothing(sim: Server, folder: Path) -> None:
    """Killed at any moment of many writes, the journal knows what was made: no duplicate, no lost record."""
    sim.world.switch(latency_seconds=0.005)
    config = folder / "config/config.yaml"
    text = config.read_text().replace("enabled: true", "enabled: true\n  settle_seconds: 0.5")
    config.write_text(text)  # a create that was sent is visible at once
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    moments = random.Random(1)
    answered: dict[str, int] = {}
    for turn in range(KILLS):
        server = Serve(folder, environ, ["--allow-unauthenticated-writes", "--quiet"])
        stop = threading.Event()

        def write(
            worker: int, server: Serve = server, turn: int = turn, stop: threading.Event = stop
        ) -> None:
            for number in range(1000):
                name = f"e{turn}-{worker}-{number}"
                try:
                    answer = server.ask("POST", ALL, body(name))
                except (OSError, HTTPException):
                    return
                answered[name] = answer.status
                if stop.is_set():
                    return

        threads = [threading.Thread(target=write, args=(worker,)) for worker in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(moments.uniform(0.05, 0.6))
        server.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join(30)
        recovered = run(folder, environ, "recover")
        assert recovered.returncode == 0, recovered.stdout + recovered.stderr
    names = Counter(one["name"] for one in sim.world.endpoints)
    assert set(names.values()) <= {1}
    assert {name for name, status in answered.items() if status == 200} <= set(names)
    assert set(answered.values()) <= {200}
    records = json.loads(run(folder, environ, "state", "list", "--json").stdout)
    assert {record["name"] for record in records} == set(names)
    live_ids = {one["id"] for one in sim.world.endpoints}
    assert {record["id"] for record in records} == live_ids


def run(folder: Path, environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reconciler", "-C", str(folder), *arguments],
        cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
