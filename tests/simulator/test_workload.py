"""The URLs of endpoints: answered by their workers, which may have to start first."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from reconciler.simulator import Fault, Profile, Request, Server

from .api import AUTH, BASE, Api, body, outcome, worker_config

ASLEEP = worker_config(minNum=0, freeTimeout=100)


def visit(api: Api, endpoint_id: str, path: str = "/health") -> int:
    target = f"/run/{endpoint_id}-{endpoint_id}{path}"
    return api.world.handle(Request(method="GET", path=target)).status


def test_a_request_wakes_an_endpoint_that_sleeps() -> None:
    """The first request starts a worker, and later ones are served until it was idle for too long."""
    api = Api.of(worker_boot_seconds=60)
    endpoint_id = api.create(workerConfig=ASLEEP)
    seen = []
    for seconds in (0, 59, 1, 99, 101):
        api.clock.now += seconds
        workers = [worker["state"]["state"] for worker in api.read(endpoint_id)["workers"]]
        seen.append((visit(api, endpoint_id), workers))
    assert seen == [
        (503, []),
        (503, ["pulling"]),
        (200, ["running"]),
        (200, ["running"]),
        (503, ["removed"]),
    ]


@pytest.mark.parametrize(
    ("switches", "error"),
    [({"no_stock": True}, "failed to schedule worker"), ({"worker_error": "OOM"}, "OOM")],
)
def test_a_worker_that_cannot_start(switches: dict[str, Any], error: str) -> None:
    """The endpoint never serves, and its worker says why."""
    api = Api.of(**switches)
    endpoint_id = api.create(workerConfig=ASLEEP)
    assert visit(api, endpoint_id) == 503
    api.clock.now += 99
    assert visit(api, endpoint_id) == 503
    (worker,) = api.read(endpoint_id)["workers"]
    assert worker["state"] == {"state": "failed", "error": error, "message": error}


def test_a_held_request_waits_for_the_worker() -> None:
    """With `cold_answer=hold` the answer comes once a worker is ready, and 504 after requestTimeout."""
    with Server(profile=Profile(cold_answer="hold", worker_boot_seconds=0.2)) as sim:
        endpoint_id = sim.world.console_create(workerConfig={"minNum": 0, "requestTimeout": 1})
        started = time.monotonic()
        assert httpx.get(f"{sim.url}/run/{endpoint_id}-{endpoint_id}/health").status_code == 200
        assert time.monotonic() - started >= 0.2
        sim.world.switch(worker_error="no", rolling_overlap=False)
        sim.world.console_update(endpoint_id, image={"image": "other"})
        assert httpx.get(f"{sim.url}/run/{endpoint_id}-{endpoint_id}/health").status_code == 504


def test_an_overdue_account_serves_nothing() -> None:
    api = Api.of()
    endpoint_id = api.create()
    assert visit(api, endpoint_id) == 200
    api.world.switch(overdue=True)
    assert visit(api, endpoint_id) == 503


def test_the_state_file_remembers_the_last_request() -> None:
    api = Api.of()
    endpoint_id = api.create(workerConfig=ASLEEP)
    visit(api, endpoint_id)
    other = Api.of()
    other.world.load(json.loads(json.dumps(api.world.dump())))
    assert [worker["healthy"] for worker in other.read(endpoint_id)["workers"]] == [True]


@pytest.fixture
def sim() -> Iterator[Server]:
    with Server(profile=Profile(event_pause_seconds=0.05)) as server:
        yield server


@pytest.fixture
def url(sim: Server) -> str:
    """The URL of a new endpoint, from its answer."""
    answer = httpx.post(f"{sim.url}{BASE}/endpoint/create", json={"endpoint": body()}, headers=AUTH)
    read = httpx.get(f"{sim.url}{BASE}/endpoint", params={"id": answer.json()["id"]}, headers=AUTH)
    return str(read.json()["endpoint"]["url"])


def test_anything_is_echoed(url: str) -> None:
    """Without the credential that the request had."""
    headers = {"Authorization": "Bearer secret", "X-Trace": "7"}
    answer = httpx.put(f"{url}/a/b?c=1", content=b"\xff!", headers=headers)
    echo = answer.json()
    assert (echo["method"], echo["path"], echo["query"], echo["body"]) == (
        "PUT",
        "/a/b",
        {"c": "1"},
        "\ufffd!",
    )
    assert echo["headers"]["x-trace"] == "7"
    assert "secret" not in answer.text
    assert httpx.get(url).json()["path"] == "/"
    assert httpx.head(f"{url}/a").content == b""


def test_a_chat_completion(url: str) -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "good morning"}]}
    answer = httpx.post(f"{url}/v1/chat/completions", json=chat).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "You said: good morning"}
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 4, "total_tokens": 6}
    for wrong in (b"", b"[]", b'{"messages": [1]}'):
        assert httpx.post(f"{url}/v1/chat/completions", content=wrong).status_code == 400
    assert httpx.get(f"{url}/v1/models").json()["data"][0]["object"] == "model"


def test_a_streamed_chat_completion(url: str) -> None:
    """Each word is an event of its own, and comes when it is there."""
    chat = {"stream": True, "messages": [{"role": "user", "content": "good morning"}]}
    times, events = [], []
    with httpx.stream("POST", f"{url}/v1/chat/completions", json=chat) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line:
                times.append(time.monotonic())
                events.append(line.removeprefix("data: "))
    words = [json.loads(event)["choices"][0]["delta"].get("content", "") for event in events[:-1]]
    assert "".join(words) == "You said: good morning "
    assert events[-1] == "[DONE]"
    assert times[-1] - times[0] >= 0.2
    head = httpx.request("HEAD", f"{url}/v1/chat/completions")
    assert head.content == b""


def test_faults_of_calls(sim: Server, url: str) -> None:
    """They are those of the API, under the operation `call`; a rewrite makes a wrong body."""
    sim.faults.add(Fault(operation="call", status=500))
    assert httpx.get(f"{url}/health").status_code == 500
    sim.faults.rewrite("call", lambda answer: {**answer, "status": "sick"})
    assert httpx.get(f"{url}/health").json() == {"status": "sick"}
    assert [one.operation for one in sim.requests].count("call") == 2


def test_unknown_urls(sim: Server, url: str) -> None:
    """The app name belongs to the URL, and a deleted endpoint has none."""
    assert httpx.get(f"{url}x/health").status_code == 404
    sim.world.console_delete(sim.world.endpoints[0]["id"])
    assert httpx.get(f"{url}/health").status_code == 404


def test_d8_a_request_timeout_may_be_filled_in() -> None:
    """It is required as in the newest docs, unless a switch fills it in as older contracts did."""
    config = worker_config(requestTimeout=None)
    assert Api.of().try_create(workerConfig=config) == (400, "VALIDATOR_PARAM")
    api = Api.of(request_timeout_fill=120)
    endpoint_id = api.create(workerConfig=config)
    assert api.read(endpoint_id)["workerConfig"]["requestTimeout"] == 120
    assert api.update(endpoint_id, workerConfig=config) == (200, "")


def test_d8_the_answer_of_auth_save() -> None:
    """An empty object as in the docs, or the ID as for one production client."""
    auth = {"name": "ghcr.io", "username": "u", "password": "p"}
    assert Api.of().post("/repository/auth/save", auth) == (200, {})
    assert Api.of(auth_save_answer="id").post("/repository/auth/save", auth)[1].keys() == {"id"}
    assert outcome(Api.of().post("/repository/auth/save", {})) == (400, "VALIDATOR_PARAM")
