"""A listing of an account in which another run creates and deletes all the time."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from reconciler.simulator import Request
from tests.e2e.sandbox import API, KEY, Sandbox, item

RATE = 50
"""Creates a second, and as many deletes."""

BODY = {
    "workerConfig": {"minNum": 0, "maxNum": 1, "freeTimeout": 300, "maxConcurrent": 1, "gpuNum": 1,
                     "requestTimeout": 100},
    "ports": [{"port": 8000}], "policy": {"type": "queue", "value": 60}, "image": {"image": "theirs:1"},
    "products": [{"id": "SL-serverless-3"}], "rootfsSize": 100, "healthy": {"path": "/"},
}  # fmt: skip


@contextmanager
def another_run(sandbox: Sandbox, *, alive: int) -> Iterator[None]:
    """Somebody who creates and deletes over the socket; `alive` of his endpoints are there at any time."""
    over, steady = threading.Event(), threading.Event()
    failures: list[object] = []

    def work() -> None:
        connection = http.client.HTTPConnection(sandbox.sim.url.removeprefix("http://"), timeout=10)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

        def post(call: str, body: object) -> dict[str, str]:
            connection.request("POST", f"{API}/endpoint/{call}", json.dumps(body), headers)
            answer: dict[str, str] = json.loads(connection.getresponse().read())
            return answer

        ids: list[str] = []
        due, count = time.monotonic(), 0
        try:
            while not over.is_set():
                count += 1
                name = f"theirs-{count}"
                ids.append(post("create", {"endpoint": {"name": name, "appName": name, **BODY}})["id"])
                if len(ids) > alive:
                    post("delete", {"id": ids.pop(count * 7 % len(ids))})
                    steady.set()
                    due = max(due + 1 / RATE, time.monotonic() - 1)
                    over.wait(max(0.0, due - time.monotonic()))
        except Exception as error:
            failures.append(error)
            steady.set()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert steady.wait(60)
        yield
    finally:
        over.set()
        thread.join(60)
    assert not failures


def stable(sandbox: Sandbox, count: int) -> set[str]:
    """The IDs of that many endpoints of others, which stay."""
    return {sandbox.sim.world.console_create(name=f"stays-{number}") for number in range(count)}


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize(("size", "alive"), [(7, 1), (7, 30), (40, 5), (100, 20)])
def test_all_that_stays_is_listed(sandbox: Sandbox, order: str, size: int, alive: int) -> None:
    """However the pages shift meanwhile, a listing ends with a proof, and nothing recorded is missing."""
    names = [f"e{number}" for number in range(40)]
    sandbox.declare(*map(item, names[:20]))
    sandbox.apply()
    sandbox.sim.world.switch(list_order=order, max_page_size=size)
    stable(sandbox, 60)
    with another_run(sandbox, alive=alive):
        sandbox.declare(*map(item, names))
        sandbox.apply()
        stable(sandbox, 60)
        for _ in range(3):
            listed = sandbox.run("list", "--json")
            assert listed.code == 0, listed.err
            assert set(names) <= {one["name"] for one in listed.document}
            planned = sandbox.plan()
            assert (planned.code, planned.actions) == (0, {}), planned.out


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_nothing_is_doubled_when_the_map_is_lost(sandbox: Sandbox, order: str) -> None:
    """Every declared endpoint is found by its name, although the pages shift."""
    names = [f"e{number}" for number in range(20)]
    sandbox.declare(*(item(name) for name in names))
    sandbox.apply()
    (sandbox.root / "state/novita.json").unlink()
    sandbox.sim.world.switch(list_order=order, max_page_size=5)
    with another_run(sandbox, alive=10):
        sandbox.apply()
    assert set(sandbox.inventory) == set(names)
    made = [json.loads(one.body)["endpoint"]["name"] for one in sandbox.sent("create")]
    assert sorted(name for name in made if not name.startswith("theirs")) == sorted(names)


@pytest.mark.parametrize("busy", [False, True])
def test_a_count_that_cannot_be_reached_is_refused(sandbox: Sandbox, busy: bool) -> None:
    """After more than two walks, in bounded time, with both numbers; nothing is concluded from the part."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.SCAN_PAUSES", (0.02,) * 5)
    sandbox.declare(item("chat"))
    sandbox.apply()
    stable(sandbox, 60)
    sandbox.sim.world.switch(total_offset=200, max_page_size=25)
    before = len(sandbox.sent("list"))
    began = time.monotonic()
    if busy:
        with another_run(sandbox, alive=5):
            ran = sandbox.plan()
    else:
        ran = sandbox.plan()
    assert (ran.code, ran.codes, ran.actions) == (1, ["incomplete-listing"], {})
    assert "but Novita counts 26" in ran.document["problems"][0]["summary"]
    assert "read 3 times" in ran.document["problems"][0]["detail"] or busy
    assert time.monotonic() - began < 60
    assert len(sandbox.sent("list")) - before > 2 * 4
    assert len(sandbox.sent("create")) == 1 or busy


def shifting(sandbox: Sandbox, *, keeps_the_count: bool) -> Callable[[Request], None]:
    """The first endpoint of the first page goes once that page was read; another one may come at the end."""

    def shift(_request: Request) -> None:
        sandbox.sim.world.console_delete(sandbox.sim.world.endpoints[0]["id"])
        if keeps_the_count:
            sandbox.sim.world.console_create(name="new")

    return shift


@pytest.mark.parametrize("keeps_the_count", [True, False])
@pytest.mark.parametrize("command", [("apply", "--auto-approve"), ("plan", "--json")])
def test_what_a_shifting_page_hid_is_not_created(
    sandbox: Sandbox, keeps_the_count: bool, command: tuple[str, ...]
) -> None:
    """A declared endpoint that is live and not recorded is found, also where no count tells of the shift."""
    stable(sandbox, 2)
    sandbox.declare(item("chat", appName="chat-1"))
    sandbox.apply()
    stable(sandbox, 2)
    (sandbox.root / "state/novita.json").unlink()
    sandbox.declare(item("chat", appName="chat-2"))  # so that Novita would not refuse a second one
    sandbox.sim.world.switch(max_page_size=2)
    sandbox.sim.faults.after("list", shifting(sandbox, keeps_the_count=keeps_the_count))
    ran = sandbox.run(*command, "--parallelism", "1")
    assert ran.code == 3, "it exists, and differs in what cannot be changed"
    assert "adopt-would-replace" in ran.out or "exists as" in ran.err
    assert len(sandbox.sent("create")) == 1


def test_what_a_shifting_page_hid_stays_recorded(sandbox: Sandbox) -> None:
    """A rebuild asks for every recorded ID that the listing lacks."""
    stable(sandbox, 2)
    sandbox.declare(item("chat"))
    sandbox.apply()
    stable(sandbox, 2)
    sandbox.sim.world.switch(max_page_size=2)
    sandbox.sim.faults.after("list", shifting(sandbox, keeps_the_count=True))
    before = sandbox.inventory
    assert sandbox.run("state", "rebuild").code == 0
    assert sandbox.inventory == before


def test_a_quiet_account_is_listed_once(sandbox: Sandbox) -> None:
    """One walk; only where endpoints are to be created, and there is more than one page, a second look."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    stable(sandbox, 3)
    for size, names, calls in (
        (100, ["chat"], 2),
        (100, ["chat", "new"], 2),
        (2, ["chat"], 3),
        (2, ["new"], 5),
    ):
        sandbox.sim.world.switch(max_page_size=size)
        sandbox.declare(*map(item, names))
        before = len(sandbox.sent("list"))
        sandbox.plan()
        assert len(sandbox.sent("list")) - before == calls
