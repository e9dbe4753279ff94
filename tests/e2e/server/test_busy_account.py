"""A listing of an account in which another run creates and deletes all the time."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from reconciler.simulator import Request
from tests.e2e.desk import API, KEY, Sandbox, item

RATE = 50
"""Creates a second, and as many deletes."""

BODY = {
    "workerConfig": {"minNum": 0, "maxNum": 1, "freeTimeout": 300, "maxConcurrent": 1, "gpuNum": 1,
                     "requestTimeout": 100},
    "ports": [{"port": 8000}], "policy": {"type": "queue", "value": 60}, "image": {"image": "theirs:1"},
    "products": [{"id": "SL-serverless-3"}], "rootfsSize": 100, "healthy": {"path": "/"},
}  # fmt: skip


@contextmanager
def another_run(desk: Sandbox, *, alive: int) -> Iterator[None]:
    """Somebody who creates and deletes over the socket; `alive` of his endpoints are there at any time."""
    over, steady = threading.Event(), threading.Event()
    failures: list[object] = []

    def work() -> None:
        connection = http.client.HTTPConnection(desk.sim.url.removeprefix("http://"), timeout=10)
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
        assert steady.wait(20)
        yield
    finally:
        over.set()
        thread.join(20)
    assert not failures


def stable(desk: Sandbox, count: int) -> set[str]:
    """The IDs of that many endpoints of others, which stay."""
    return {desk.sim.world.console_create(name=f"stays-{number}") for number in range(count)}


@pytest.mark.parametrize("order", ["oldest", "newest"])
@pytest.mark.parametrize(("size", "alive"), [(7, 1), (7, 30), (40, 5), (100, 20)])
def test_all_that_stays_is_listed(desk: Sandbox, order: str, size: int, alive: int) -> None:
    """However the pages shift meanwhile, a listing ends with a proof, and nothing recorded is missing."""
    names = [f"e{number}" for number in range(40)]
    desk.declare(*map(item, names[:20]))
    desk.apply()
    desk.sim.world.switch(list_order=order, max_page_size=size)
    stable(desk, 60)
    with another_run(desk, alive=alive):
        desk.declare(*map(item, names))
        desk.apply()
        stable(desk, 60)
        for _ in range(3):
            listed = desk.run("list", "--json")
            assert listed.code == 0, listed.err
            assert set(names) <= {one["name"] for one in listed.document}
            planned = desk.plan()
            assert (planned.code, planned.actions) == (0, {}), planned.out


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_nothing_is_doubled_when_the_map_is_lost(desk: Sandbox, order: str) -> None:
    """Every declared endpoint is found by its name, although the pages shift."""
    names = [f"e{number}" for number in range(20)]
    desk.declare(*(item(name) for name in names))
    desk.apply()
    (desk.root / "state/novita.json").unlink()
    desk.sim.world.switch(list_order=order, max_page_size=5)
    with another_run(desk, alive=10):
        desk.apply()
    assert set(desk.inventory) == set(names)
    made = [json.loads(one.body)["endpoint"]["name"] for one in desk.sent("create")]
    assert sorted(name for name in made if not name.startswith("theirs")) == sorted(names)


@pytest.mark.parametrize("busy", [False, True])
def test_a_count_that_cannot_be_reached_is_refused(desk: Sandbox, busy: bool) -> None:
    """After more than two walks, in bounded time, with both numbers; nothing is concluded from the part."""
    desk.monkeypatch.setattr("reconciler.novita.pagination.PAUSES", (0.02,) * 5)
    desk.declare(item("chat"))
    desk.apply()
    stable(desk, 60)
    desk.sim.world.switch(total_offset=200, max_page_size=25)
    before = len(desk.sent("list"))
    began = time.monotonic()
    if busy:
        with another_run(desk, alive=5):
            ran = desk.plan()
    else:
        ran = desk.plan()
    assert (ran.code, ran.codes, ran.actions) == (1, ["incomplete-listing"], {})
    assert "but Novita counts 26" in ran.document["problems"][0]["summary"]
    assert "read 3 times" in ran.document["problems"][0]["detail"] or busy
    assert time.monotonic() - began < 20
    assert len(desk.sent("list")) - before > 2 * 4
    assert len(desk.sent("create")) == 1 or busy


def shifting(desk: Sandbox, *, keeps_the_count: bool) -> Callable[[Request], None]:
    """The first endpoint of the first page goes once that page was read; another one may come at the end."""

    def shift(_request: Request) -> None:
        desk.sim.world.console_delete(desk.sim.world.endpoints[0]["id"])
        if keeps_the_count:
            desk.sim.world.console_create(name="new")

    return shift


@pytest.mark.parametrize("keeps_the_count", [True, False])
@pytest.mark.parametrize("command", [("apply", "--auto-approve"), ("plan", "--json")])
def test_what_a_shifting_page_hid_is_not_created(
    desk: Sandbox, keeps_the_count: bool, command: tuple[str, ...]
) -> None:
    """A declared endpoint that is live and not recorded is found, also where no count tells of the shift."""
    stable(desk, 2)
    desk.declare(item("chat", appName="chat-1"))
    desk.apply()
    stable(desk, 2)
    (desk.root / "state/novita.json").unlink()
    desk.declare(item("chat", appName="chat-2"))  # so that Novita would not refuse a second one
    desk.sim.world.switch(max_page_size=2)
    desk.sim.faults.after("list", shifting(desk, keeps_the_count=keeps_the_count))
    ran = desk.run(*command, "--parallelism", "1")
    assert ran.code == 3, "it exists, and differs in what cannot be changed"
    assert "adopt-would-replace" in ran.out or "exists as" in ran.err
    assert len(desk.sent("create")) == 1


def test_what_a_shifting_page_hid_stays_recorded(desk: Sandbox) -> None:
    """A rebuild asks for every recorded ID that the listing lacks."""
    stable(desk, 2)
    desk.declare(item("chat"))
    desk.apply()
    stable(desk, 2)
    desk.sim.world.switch(max_page_size=2)
    desk.sim.faults.after("list", shifting(desk, keeps_the_count=True))
    before = desk.inventory
    assert desk.run("state", "rebuild").code == 0
    assert desk.inventory == before


def test_a_quiet_account_is_listed_once(desk: Sandbox) -> None:
    """One walk; only where endpoints are to be created, and there is more than one page, a second look."""
    desk.declare(item("chat"))
    desk.apply()
    stable(desk, 3)
    for size, names, calls in (
        (100, ["chat"], 2),
        (100, ["chat", "new"], 2),
        (2, ["chat"], 3),
        (2, ["new"], 5),
    ):
        desk.sim.world.switch(max_page_size=size)
        desk.declare(*map(item, names))
        before = len(desk.sent("list"))
        desk.plan()
        assert len(desk.sent("list")) - before == calls
