"""The simulator over a real socket: faults on the wire, the log, and starting and stopping."""

import errno
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.simulator import Fault, Profile, Received, Request, Server

from .api import BASE, body

HEADERS = {"Authorization": "Bearer test"}


@pytest.fixture
def sim() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def client(sim: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sim.url + BASE, headers=HEADERS, timeout=5) as opened:
        yield opened


def create(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/endpoint/create", json={"endpoint": body(**changes)})


def port_of(sim: Server) -> int:
    return int(sim.url.rpartition(":")[2])


def test_answers_are_dated() -> None:
    """By the clock of the simulated world, refusals as well."""
    with Server(clock=lambda: 1_750_000_000.0) as sim:
        for key, status in (("Bearer k", 200), ("", 403)):
            answer = httpx.get(sim.url + BASE + "/endpoints", headers={"Authorization": key})
            assert (answer.status_code, answer.headers["date"]) == (status, "Sun, 15 Jun 2025 15:06:40 GMT")


def test_the_world_is_served(sim: Server, client: httpx.Client) -> None:
    """An endpoint created over HTTP is listed over HTTP and is in the world."""
    answer = create(client)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    listed = client.get("/endpoints", params={"pageSize": 5, "pageNum": 0}).json()
    assert [one["id"] for one in listed["endpoints"]] == [answer.json()["id"]]
    assert sim.world.endpoints[0]["id"] == answer.json()["id"]


def test_one_connection_serves_many_requests(sim: Server, client: httpx.Client) -> None:
    """Connections are kept alive, and no request waits for a delayed acknowledgement (some 40 ms each)."""
    create(client)
    times = []
    with socket.create_connection(("127.0.0.1", port_of(sim))) as raw, raw.makefile("rb") as answers:
        for _ in range(50):
            started = time.perf_counter()
            raw.sendall(f"GET {BASE}/endpoints HTTP/1.1\r\nAuthorization: Bearer k\r\n\r\n".encode())
            assert answers.readline() == b"HTTP/1.1 200 OK\r\n"
            length = 0
            while line := answers.readline().strip():
                if line.startswith(b"content-length:"):
                    length = int(line.split()[1])
            answers.read(length)
            times.append(time.perf_counter() - started)
    assert sorted(times)[25] < 0.03  # half of them


def test_the_log_keeps_everything(sim: Server, client: httpx.Client) -> None:
    """Operation, path, query, headers with the key, body and status of each request, in order."""
    create(client)
    client.get("/endpoint", params={"id": "x y"}, headers={"X-Trace": "7"})
    first, second = sim.requests
    assert (first.operation, first.method, first.path, first.status) == (
        "create",
        "POST",
        BASE + "/endpoint/create",
        200,
    )
    assert json.loads(first.body)["endpoint"]["name"] == "sd-prod"
    assert first.headers["authorization"] == "Bearer test"
    assert (second.operation, second.query, second.status) == ("get", {"id": "x y"}, 400)
    assert second.headers["x-trace"] == "7"
    assert (first.fault, second.fault) == ("", "")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_are_answered(client: httpx.Client, method: str) -> None:
    """Methods the API does not use get an error object, not a broken connection."""
    assert client.request(method, "/endpoint").json()["reason"] == "METHOD_NOT_ALLOWED"


def test_a_status_is_answered_in_place_of_acting(sim: Server, client: httpx.Client) -> None:
    """The scripted status with reason, message and Retry-After; nothing is created."""
    sim.faults.add(Fault(operation="create", status=429, retry_after=7, message="slow down"))
    answer = create(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {
        "code": 429,
        "reason": "RATE_LIMIT_EXCEEDED",
        "message": "slow down",
        "metadata": {},
    }
    assert sim.world.endpoints == []
    assert sim.requests[0].fault == "status"
    assert create(client).status_code == 200


def test_a_reason_can_be_chosen(sim: Server, client: httpx.Client) -> None:
    """Any reason under any status, also one HTTP has no phrase for."""
    sim.faults.add(Fault(status=599, reason="INSUFFICIENT_RESOURCE"))
    answer = create(client)
    assert (answer.status_code, answer.json()["reason"]) == (599, "INSUFFICIENT_RESOURCE")
    assert "retry-after" not in answer.headers


def test_a_gateway_may_give_up_on_a_create_that_succeeds(sim: Server, client: httpx.Client) -> None:
    """status_after answers an error although the endpoint exists."""
    sim.faults.add(Fault(kind="status_after", status=504))
    assert create(client).status_code == 504
    assert len(sim.world.endpoints) == 1


def test_an_error_may_come_as_200(sim: Server, client: httpx.Client) -> None:
    """error_in_2xx: status 200, an error object, nothing done."""
    sim.faults.add(Fault(kind="error_in_2xx", status=400, reason="OPERATION_LIMIT"))
    answer = create(client)
    assert (answer.status_code, answer.json()["reason"]) == (200, "OPERATION_LIMIT")
    assert sim.world.endpoints == []


@pytest.mark.parametrize(
    ("kind", "status", "text"), [("html", 403, "1010"), ("html_502", 502, "Bad gateway")]
)
def test_the_edge_answers_html(sim: Server, client: httpx.Client, kind: Any, status: int, text: str) -> None:
    """Pages of the edge are no JSON and nothing is done."""
    sim.faults.add(Fault(kind=kind))
    answer = create(client)
    assert answer.status_code == status
    assert text in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert sim.world.endpoints == []


@pytest.mark.parametrize(("kind", "made"), [("lost_request", 0), ("lost_answer", 1)])
def test_a_connection_may_close_without_an_answer(
    sim: Server, client: httpx.Client, kind: Any, made: int
) -> None:
    """The client cannot tell whether its request was lost or its answer; the world can."""
    sim.faults.add(Fault(kind=kind))
    with pytest.raises(httpx.RemoteProtocolError):
        create(client)
    assert len(sim.world.endpoints) == made
    assert (sim.requests[0].status, sim.requests[0].fault) == (0, kind)


def test_a_connection_may_be_reset(sim: Server) -> None:
    """The client sees a reset, not an orderly end, and nothing is done."""
    sim.faults.add(Fault(kind="reset"))
    with socket.create_connection(("127.0.0.1", port_of(sim)), timeout=60) as raw:
        raw.sendall(f"POST {BASE}/endpoint/create HTTP/1.1\r\nContent-Length: 0\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError) as caught:
            raw.recv(1)
    assert caught.value.errno == errno.ECONNRESET
    assert sim.world.endpoints == []


def test_an_answer_may_break_off(sim: Server, client: httpx.Client) -> None:
    """Half the body under the full length; the world has acted."""
    sim.faults.add(Fault(kind="truncated"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        create(client)
    assert len(sim.world.endpoints) == 1
    assert sim.requests[0].status == 200


def test_an_answer_may_come_too_late(sim: Server, client: httpx.Client) -> None:
    """late_answer: the client gives up on an endpoint that exists already."""
    sim.faults.add(Fault(kind="late_answer", seconds=60))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/endpoint/create", json={"endpoint": body()}, timeout=0.1)
    assert len(sim.world.endpoints) == 1


def test_a_late_answer_does_come(sim: Server, client: httpx.Client) -> None:
    """A patient client gets it after the seconds."""
    sim.faults.add(Fault(kind="late_answer", seconds=0.1))
    started = time.perf_counter()
    assert create(client).status_code == 200
    assert time.perf_counter() - started >= 0.1


def test_a_request_may_be_slow(sim: Server, client: httpx.Client) -> None:
    """slow: as usual but after the seconds, and not acted upon before."""
    sim.faults.add(Fault(kind="slow", seconds=60))
    with pytest.raises(httpx.ReadTimeout):
        client.post("/endpoint/create", json={"endpoint": body()}, timeout=0.1)
    assert sim.world.endpoints == []
    sim.faults.add(Fault(kind="slow", seconds=0.05))
    assert create(client).status_code == 200


def test_a_request_may_hang_and_then_be_dropped(sim: Server, client: httpx.Client) -> None:
    """hang: no answer for the seconds, then the connection closes; nothing is done."""
    sim.faults.add(Fault(kind="hang", seconds=0.1))
    started = time.perf_counter()
    with pytest.raises(httpx.RemoteProtocolError):
        create(client)
    assert time.perf_counter() - started >= 0.1
    assert sim.world.endpoints == []


def test_hooks_see_the_world_before_and_after(sim: Server, client: httpx.Client) -> None:
    """A hook runs right before or right after the world acts, and can change it as the console would."""
    seen: list[int] = []
    requests: list[Request] = []
    sim.faults.before("create", lambda request: seen.append(len(sim.world.endpoints)), nth=0)
    sim.faults.after("create", lambda request: seen.append(len(sim.world.endpoints)), nth=0)
    sim.faults.before("list", lambda request: sim.world.console_create(name="meanwhile"))
    sim.faults.before("list", requests.append)
    create(client)
    assert seen == [0, 1]
    assert client.get("/endpoints").json()["total"] == 2
    assert requests[0].method == "GET"


def test_stopping_ends_what_hangs() -> None:
    """Stop returns promptly while a request hangs, an answer is late and a connection idles."""
    failures: list[type[Exception]] = []

    def ask(url: str) -> None:
        try:
            httpx.get(url, headers=HEADERS, timeout=30)
        except httpx.TransportError as problem:
            failures.append(type(problem))

    with Server() as sim:
        sim.faults.add(Fault(operation="get", kind="hang", seconds=120))
        sim.faults.add(Fault(operation="limit", kind="slow", seconds=120))
        threads = [
            threading.Thread(target=ask, args=(sim.url + BASE + path,))
            for path in ("/endpoint", "/endpoint/limit")
        ]
        with httpx.Client(base_url=sim.url + BASE, headers=HEADERS) as idle:
            idle.get("/endpoints")
            for thread in threads:
                thread.start()
            while len(sim.faults.pending) > 0:
                threading.Event().wait(0.005)
            started = time.perf_counter()
            sim.stop()
            assert time.perf_counter() - started < 30
            with pytest.raises(httpx.TransportError):
                idle.get("/endpoints")
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert sim.requests[0].operation == "list"
    assert httpx.RemoteProtocolError in failures


def test_a_hook_may_stop_the_server(sim: Server, client: httpx.Client) -> None:
    """The API can die in the middle of a request, after it acted."""
    sim.faults.after("create", lambda request: sim.stop())
    with pytest.raises(httpx.TransportError):
        create(client)
    assert len(sim.world.endpoints) == 1


def test_a_stopped_server_has_no_address() -> None:
    """Before start and after stop there is no url; stopping twice is fine, starting again works."""
    sim = Server()
    sim.stop()
    with pytest.raises(RuntimeError, match="not started"):
        _ = sim.url
    for _ in range(2):
        with sim:
            assert httpx.get(sim.url + BASE + "/endpoints", headers=HEADERS).status_code == 200
        sim.stop()


def test_a_taken_port_is_an_os_error(sim: Server) -> None:
    """The second server on one port does not start."""
    with pytest.raises(OSError, match="in use"):
        Server(port=port_of(sim)).start()


def test_many_clients_at_once() -> None:
    """Three hundred connections opened at the same moment are all served."""
    with Server(profile=Profile(latency_seconds=0.2)) as sim:
        connections = [socket.create_connection(("127.0.0.1", port_of(sim)), timeout=60) for _ in range(300)]
        for connection in connections:
            connection.sendall(f"GET {BASE}/endpoints HTTP/1.1\r\nAuthorization: Bearer k\r\n\r\n".encode())
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
            connection.close()


def test_latency_holds_up_each_but_not_all() -> None:
    """latency_seconds delays every answer, and requests wait side by side."""
    with Server(profile=Profile(latency_seconds=0.2)) as sim:
        connections = [socket.create_connection(("127.0.0.1", port_of(sim)), timeout=60) for _ in range(80)]
        started = time.perf_counter()
        for connection in connections:
            connection.sendall(f"GET {BASE}/endpoints HTTP/1.1\r\nAuthorization: Bearer k\r\n\r\n".encode())
        for connection in connections:
            assert connection.recv(15) == b"HTTP/1.1 200 OK"
            connection.close()
        assert 0.2 <= time.perf_counter() - started < 80 * 0.2


def test_concurrent_creates_are_all_there(sim: Server) -> None:
    """Eight clients creating at once lose nothing, and one app name is given once."""
    outcomes: list[int] = []

    def work(worker: int) -> None:
        with httpx.Client(base_url=sim.url + BASE, headers=HEADERS) as client:
            outcomes.extend(create(client, name=f"w{worker}").status_code for _ in range(10))
            outcomes.append(create(client, appName="one").status_code)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert outcomes.count(200) == len(sim.world.endpoints) == 81
    assert outcomes.count(400) == 7


def test_a_body_without_a_length_is_refused(sim: Server) -> None:
    """Chunked or mis-measured bodies get 411 and a closed connection instead of confusion."""
    for header in ("Transfer-Encoding: chunked", "Content-Length: many"):
        with socket.create_connection(("127.0.0.1", port_of(sim)), timeout=60) as raw:
            raw.sendall(f"POST {BASE}/endpoint/create HTTP/1.1\r\n{header}\r\n\r\n".encode())
            answer = b""
            while part := raw.recv(4096):
                answer += part
        assert answer.startswith(b"HTTP/1.1 411")
        assert b"connection: close" in answer


def test_a_client_that_goes_away_is_no_problem(sim: Server, client: httpx.Client) -> None:
    """Broken-off requests and unread answers leave the server well."""
    port = port_of(sim)
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"GET")
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(f"GET {BASE}/endpoints HTTP/1.1\r\nAuthorization: Bearer k\r\n\r\n".encode() * 200)
    assert client.get("/endpoints").status_code == 200


def test_the_state_outlives_the_server(tmp_path: Path) -> None:
    """With a state file the account is there again: after API writes, and after changes by hand."""
    state = tmp_path / "deep" / "account.json"
    with Server(state=state) as sim, httpx.Client(base_url=sim.url + BASE, headers=HEADERS) as client:
        created = create(client, appName="sd").json()["id"]
        assert created in state.read_text()
        written = state.stat().st_mtime_ns
        client.get("/endpoints")
        assert state.stat().st_mtime_ns == written
        by_hand = sim.world.console_create(name="by-hand")
    with Server(state=state) as sim, httpx.Client(base_url=sim.url + BASE, headers=HEADERS) as client:
        assert [one["id"] for one in sim.world.endpoints] == [created, by_hand]
        assert create(client, appName="sd").status_code == 400
        assert create(client).json()["id"] not in (created, by_hand)


def test_on_answer_gets_each_answer() -> None:
    """on_answer gets the request and the seconds it took."""
    told: list[tuple[Received, float]] = []
    done = threading.Event()

    def note(received: Received, seconds: float) -> None:
        told.append((received, seconds))
        done.set()

    with Server(on_answer=note) as sim:
        httpx.get(sim.url + BASE + "/endpoints", headers=HEADERS)
        assert done.wait(60)
    [(received, seconds)] = told
    assert (received.operation, received.status) == ("list", 200)
    assert 0 < seconds < 5
