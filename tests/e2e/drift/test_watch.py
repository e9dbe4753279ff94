"""`watch`: what happens as it happens, each change once."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.model.errors import KeyRefused
from reconciler.model.status import Happening, ReplicaEvent
from reconciler.simulator import Fault, Server
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.watch import WatchUpdate, watch
from tests.e2e.command_line.test_terminal import ANSI, terminal
from tests.e2e.sandbox import Sandbox

CREATED, SCALED, READY = Happening.CREATED, Happening.SCALED, Happening.READY
FAILED, CHANGED, DELETED = Happening.FAILED, Happening.CHANGED, Happening.DELETED


@dataclass
class World:
    """A simulated account, and a clock that only waiting moves: the watch's and the account's."""

    time: float = 1_750_000_000.0
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sim = Server(seed=1, clock=self.now)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds

    def looks(self, sandbox: Sandbox, **options: Any) -> Iterator[WatchUpdate]:
        context = Context(root=sandbox.root, environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": self.sim.url})
        return watch(context, clock=self, **options)


@pytest.fixture
def world() -> Iterator[World]:
    found = World()
    with found.sim:
        yield found


def happened(look: WatchUpdate) -> list[tuple[str, tuple[Happening, ...]]]:
    return [(event.name, event.happenings) for event in look.events]


def test_a_whole_life(sandbox: Sandbox, world: World) -> None:
    """Created, scaled, ready, failed, deleted: in that order, each once, and nothing in between."""
    sim = world.sim.world
    seen: list[tuple[int, ReplicaEvent]] = []
    sim.switch(worker_boot_seconds=25.0)
    life: dict[int, Callable[[], object]] = {
        1: lambda: sim.console_create(name="chat", workerConfig={"minNum": 1, "maxNum": 1}),
        2: lambda: sim.console_update(sim.endpoints[0]["id"], workerConfig={"maxNum": 3}),
        7: lambda: sim.switch(endpoint_state="failed"),
        9: lambda: sim.console_delete(sim.endpoints[0]["id"]),
    }
    for number, look in enumerate(world.looks(sandbox, within=120.0)):
        seen += [(number, event) for event in look.events]
        life.get(number + 1, lambda: None)()
    assert [(number, event.happenings) for number, event in seen] == [
        (1, (CREATED,)),
        (2, (SCALED,)),
        (3, (READY,)),
        (7, (FAILED,)),
        (9, (DELETED,)),
    ]
    counts = [(event.desired_replicas, event.ready_replicas, event.available_replicas) for _, event in seen]
    assert counts == [(1, 0, 0), (3, 0, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1)]


def test_polling(sandbox: Sandbox, world: World) -> None:
    """Every `poll_interval` seconds, or as asked; the last look is at the end of the time."""
    sandbox.write("config.yaml", {"novita": {"poll_interval": 7}})
    start = world.time
    times = [world.time - start for _ in world.looks(sandbox, within=20.0)]
    assert times == [0, 7, 14, 20]
    start = world.time
    assert [world.time - start for _ in world.looks(sandbox, within=0.5, every=0.25)] == [0, 0.25, 0.5]
    assert len(list(world.looks(sandbox, within=0.0))) == 1


def test_what_is_there_at_first(sandbox: Sandbox, world: World) -> None:
    """It is no event, unless asked for; the look shows it in any case."""
    world.sim.world.console_create(name="chat")
    (look,) = world.looks(sandbox, within=0.0)
    assert ([app.name for app in look.endpoints], look.events) == (["chat"], ())
    (look,) = world.looks(sandbox, within=0.0, initial=True)
    assert happened(look) == [("chat", (Happening.PRESENT,))]


def test_deleted_and_made_anew_between_two_looks(sandbox: Sandbox, world: World) -> None:
    """The ID is another one, so both are seen."""
    sim = world.sim.world
    old = sim.console_create(name="chat", appName="chat")
    with closing(world.looks(sandbox)) as watched:
        next(watched)
        sim.console_delete(old)
        sim.console_create(name="chat", appName="chat")
        assert happened(next(watched)) == [("chat", (DELETED,)), ("chat", (CREATED, READY))]
        assert happened(next(watched)) == []


def test_a_listing_that_lacks_one(sandbox: Sandbox, world: World) -> None:
    """Only the endpoint itself can say that it is gone; a listing that lags is no proof."""
    sim = world.sim.world
    sim.console_create(name="chat")
    with closing(world.looks(sandbox, every=1.0)) as watched:
        assert [app.name for app in next(watched).endpoints] == ["chat"]
        sim.switch(list_lag_seconds=3600.0)
        look = next(watched)
    assert (happened(look), [app.name for app in look.endpoints]) == ([], ["chat"])


def test_one_that_is_going(sandbox: Sandbox, world: World) -> None:
    """Terminating is a change; gone is gone, once."""
    sim = world.sim.world
    sim.switch(terminating_seconds=15.0)
    created = sim.console_create(name="chat")
    with closing(world.looks(sandbox)) as watched:
        next(watched)
        sim.console_delete(created)
        assert [happened(next(watched)) for _ in range(3)] == [
            [("chat", (CHANGED,))],
            [("chat", (DELETED,))],
            [],
        ]


def test_no_stock_is_a_failure(sandbox: Sandbox, world: World) -> None:
    """Workers that cannot be started are told as failed, and as ready once there is stock."""
    sim = world.sim.world
    sim.switch(no_stock=True)
    with closing(world.looks(sandbox)) as watched:
        next(watched)
        sim.console_create(name="chat")
        (event,) = next(watched).events
        assert event.happenings == (CREATED, FAILED)
        assert event.message.endswith("failed to schedule worker")
        sim.switch(no_stock=False)
        assert happened(next(watched)) == [("chat", (READY,))]


def test_only_one_of_them(sandbox: Sandbox, world: World) -> None:
    """By name or ID; one that is not there yet is waited for, one that is renamed is followed."""
    sim = world.sim.world
    sim.console_create(name="other", appName="other")
    with closing(world.looks(sandbox, name="chat")) as watched:
        assert next(watched).endpoints == ()
        chat = sim.console_create(name="chat", appName="chat")
        assert happened(next(watched)) == [("chat", (CREATED, READY))]
        sim.console_update(chat, name="talk")
        assert happened(next(watched)) == [("talk", (CHANGED,))]
    (look,) = world.looks(sandbox, name=chat, within=0.0)
    assert [app.name for app in look.endpoints] == ["talk"]


def test_a_poll_that_fails(sandbox: Sandbox, world: World) -> None:
    """It is told once, however often it fails; then the watch goes on, and nothing that happened is lost."""
    sim, faults = world.sim.world, world.sim.faults
    with closing(world.looks(sandbox)) as watched:
        next(watched)
        sim.console_create(name="chat")
        faults.add(Fault(operation="list", kind="html", page=0, times=2))
        first, second, third = (next(watched) for _ in range(3))
        assert first.problem is not None
        assert first.problem.code == "edge-blocked"
        assert (second.problem, happened(second)) == (None, [])
        assert happened(third) == [("chat", (CREATED, READY))]
        faults.add(Fault(operation="list", kind="html", page=0))
        assert next(watched).problem is not None, "it had come to an end"


def test_a_key_that_is_refused(sandbox: Sandbox, world: World) -> None:
    """No other look will do better: the watch ends."""
    with closing(world.looks(sandbox)) as watched:
        next(watched)
        world.sim.world.switch(api_key="another")
        with pytest.raises(KeyRefused):
            next(watched)


def test_the_callback(sandbox: Sandbox, world: World) -> None:
    """The seed's WatchReplicas: each event as it comes, until told to stop."""
    sim, stop = world.sim.world, threading.Event()
    context = Context(root=sandbox.root, environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": world.sim.url})
    told: list[ReplicaEvent] = []

    def heard(event: ReplicaEvent) -> None:
        told.append(event)
        if event.happenings == (DELETED,):
            stop.set()
        else:
            sim.console_delete(event.id)

    world.sim.faults.before("list", lambda _: sim.console_create(name="chat"), nth=3)
    for update in watch(context, stop=stop, clock=world):
        for event in update.events:
            heard(event)
    assert [event.happenings for event in told] == [(CREATED, READY), (DELETED,)]


def test_a_line_an_event(sandbox: Sandbox) -> None:
    """Time, name, what happened, status and ready/desired in columns; nothing else on stdout."""
    sandbox.sim.world.console_create(name="chat", appName="a")
    sandbox.sim.faults.before(
        "list", lambda _: sandbox.sim.world.console_create(name="new", appName="b"), nth=3
    )
    process = sandbox.start("watch", "--initial", "--interval", "0.05")
    assert process.stdout is not None
    first, second = (process.stdout.readline().split() for _ in range(2))
    assert first[1:] == ["chat", "present", "Running", "1/3"]
    assert second[1:] == ["new", "created,ready", "Running", "1/3"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "Interrupted.")
    assert sandbox.run("watch", "--for", "0", "--initial", "--output", "name").out == "chat\nnew\n"
    wide = sandbox.run("watch", "chat", "--for", "0", "--initial", "--output", "wide").out.split()
    assert wide[5:] == [sandbox.id("chat"), "running=1", "conditions=Available"]


def test_one_document_a_line(sandbox: Sandbox) -> None:
    """Each event as soon as it is known, and a failed poll between them; Ctrl-C ends it with 130."""
    process = sandbox.start("watch", "--json", "--interval", "0.05")
    assert process.stdout is not None
    looked = threading.Event()
    sandbox.sim.faults.after("list", lambda _: looked.set(), nth=2)
    assert looked.wait(60)
    object_id = sandbox.sim.world.console_create(name="chat")
    event = json.loads(process.stdout.readline())
    assert event.pop("at").endswith("Z")
    conditions = event.pop("conditions")
    assert conditions[0] == {"type": "Available", "status": True, "reason": "Running"}
    assert event == {
        "type": "event",
        "happenings": ["created", "ready"],
        "name": "chat",
        "id": object_id,
        "status": "Running",
        "desired_replicas": 3,
        "ready_replicas": 1,
        "available_replicas": 1,
        "message": "",
        "lease": None,
    }
    sandbox.sim.faults.add(Fault(operation="list", kind="html", page=0))
    problem = json.loads(process.stdout.readline())
    assert (problem["type"], problem["code"]) == ("problem", "edge-blocked")
    sandbox.sim.world.console_delete(object_id)
    assert json.loads(process.stdout.readline())["happenings"] == ["deleted"]
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert [json.loads(line)["code"] for line in rest.splitlines()] == ["interrupted"]
    assert err == ""


def test_problems_beside_the_lines(sandbox: Sandbox) -> None:
    """For people a failed poll goes to stderr; a refused key ends the watch with its exit code."""
    fault = Fault(operation="list", kind="html", page=0)
    sandbox.sim.faults.after("list", lambda _: sandbox.sim.faults.add(fault), nth=2)
    sandbox.sim.faults.before("list", lambda _: sandbox.sim.world.switch(api_key="another"), nth=5)
    ran = sandbox.run("watch", "--interval", "0.05")
    assert (ran.code, ran.out) == (8, "")
    assert ran.err.startswith("Error: failed to list Novita endpoints (403 Forbidden)\n")
    assert ran.err.count("Error: ") == 2
    assert "INVALID_API_KEY" in ran.err
    ran = sandbox.run("watch", "--json")
    assert (ran.code, ran.document["code"]) == (8, "key-refused")


@pytest.mark.parametrize("args", [["--interval", "0"], ["--interval", "soon"], ["--for", "-1"]])
def test_times_that_are_none(sandbox: Sandbox, args: list[str]) -> None:
    """Usage errors, before anything is asked."""
    assert sandbox.run("watch", *args).code == 64
    assert sandbox.sim.requests == []


def test_a_live_table(sandbox: Sandbox) -> None:
    """On a terminal the table is redrawn in place, with what happened last; the last one stays."""
    sandbox.sim.faults.before("list", lambda _: sandbox.sim.world.console_create(name="chat"), nth=3)
    fault = Fault(operation="list", kind="html", page=0)
    sandbox.sim.faults.after("list", lambda _: sandbox.sim.faults.add(fault), nth=4)
    with terminal(sandbox, "watch", "--interval", "0.1") as (screen, process):
        screen.read_until("403 Forbidden")
        process.send_signal(signal.SIGINT)
        shown = screen.rest()
        assert process.wait(60) == 130
    text = ANSI.sub("", shown)
    assert "No endpoint found yet." in text
    assert "█░░      1/3" in text
    assert "1 endpoint: 1 running. 1 worker, 1 ready." in text
    assert "chat  created,ready  Running  1/3" in text
    assert "failed to list Novita endpoints (403 Forbidden)" in text
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h"), "the cursor is back"


def test_a_terminal_that_is_gone(sandbox: Sandbox) -> None:
    """Nobody looks any more, so the watch ends, even where no signal says so."""
    with terminal(sandbox, "watch", "--interval", "0.1") as (screen, process):
        screen.read_until("Press Ctrl-C to stop.")
    assert process.wait(60) == 1


def test_an_interrupted_table(sandbox: Sandbox) -> None:
    """Ctrl-C leaves the terminal as it was; exit 130."""
    with terminal(sandbox, "watch", "--output", "wide") as (screen, process):
        screen.read_until("Press Ctrl-C to stop.")
        process.send_signal(signal.SIGINT)
        shown = screen.rest()
        assert process.wait(60) == 130
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")
    assert shown.rstrip().endswith("Interrupted.")
