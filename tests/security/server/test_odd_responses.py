"""Answers of which a part has a form that nobody knows: it is not compared, named, and never a crash."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.kinds.endpoint.status import endpoint_info
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.resource import Page
from reconciler.novita.http.body import parse_json
from tests.builders import answer, endpoint, plan, record
from tests.e2e.sandbox import Sandbox, item
from tests.response_proxy import CannedResponse, response_proxy

HALF = "\ud800"
DEEP = parse_json(b"[" * 1000 + b"]" * 1000)
ODD: dict[str, Any] = {
    "list": ["a"],
    "object": {"a": 1},
    "half": f"x{HALF}",
    "true": True,
    "nan": float("nan"),
    "huge": 10**30,
    "endless": float("inf"),
    "word": "a word",
    "deep": DEEP,
}
PLACES = (
    ("name",),
    ("appName",),
    ("clusterID",),
    ("rootfsSize",),
    ("workerConfig",),
    *(("workerConfig", key) for key in ("minNum", "maxNum", "freeTimeout", "gpuNum", "cudaVersion")),
    ("policy",),
    ("policy", "type"),
    ("policy", "value"),
    ("image",),
    ("image", "image"),
    ("image", "command"),
    ("healthy",),
    ("healthy", "path"),
    ("ports",),
    ("ports", 0, "port"),
    ("products",),
    ("products", 0, "id"),
    ("envs",),
    ("envs", 0),
    ("envs", 0, "key"),
    ("envs", 0, "value"),
    ("volumeMounts",),
    ("state",),
    ("state", "state"),
    ("state", "error"),
    ("url",),
    ("createdAt",),
    ("workers",),
    ("workers", 0),
    ("workers", 0, "id"),
    ("workers", 0, "state"),
    ("workers", 0, "state", "error"),
)
READERS = (
    ("plan",),
    ("plan", "--json"),
    ("plan", "--explain"),
    ("drift",),
    ("list",),
    ("list", "--output", "wide"),
    ("status",),
    ("status", "ours"),
    ("get", "ours"),
    ("get", "theirs"),
    ("watch", "--initial", "--interval", "0.1", "--for", "0.2s"),
    ("cost",),
    ("doctor",),
    ("preview",),
    ("recover",),
    ("import", "--all", "--out", "more.yaml"),
    ("state", "rebuild", "--allow-other-files"),  # the import has written from more.yaml as well
    ("deploy", "new", "--image", "ubuntu:22.04", "--spec", "small", "--yes"),
)


def put(value: Any, path: tuple[Any, ...], odd: Any) -> None:
    """Set what stands at the path, as far as there is something."""
    for key in path[:-1]:
        if isinstance(value, list) and not value:
            value.append({})
        value = value[key]
    if isinstance(value, list) and not value:
        value.append(odd)
    elif isinstance(value, list | dict):
        value[path[-1]] = odd


def changing(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Any], Any]:
    """A rewrite of every answer that shows the endpoint of that name."""

    def rewrite(answered: Any) -> Any:
        for one in answered.get("endpoints", [answered.get("endpoint", answered)]):
            if isinstance(one, dict) and one.get("name") == name:
                change(one)
        return answered

    return rewrite


def rewrite(sandbox: Sandbox, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    for operation in ("list", "get"):
        sandbox.sim.faults.rewrite(operation, changing(name, change))


@pytest.fixture
def two(sandbox: Sandbox) -> Sandbox:
    """One endpoint of ours, applied, and one of somebody else."""
    sandbox.declare(item("ours", env={"A": "1"}, command="run"))
    sandbox.apply()
    sandbox.sim.world.console_create(name="theirs", envs=[{"key": "T", "value": "1"}])
    return sandbox


@pytest.mark.parametrize("odd", ODD)
def test_nothing_that_a_stranger_has_stops_anybody(two: Sandbox, odd: str) -> None:
    """Whatever form any field of somebody else's endpoint has, ours is planned and applied."""
    for path in PLACES:
        two.sim.faults.clear()
        rewrite(two, "theirs", lambda one, path=path: put(one, path, ODD[odd]))  # type: ignore[misc]
        ran = two.plan()
        assert ran.code == 0, (path, ran.out, ran.err)
    two.declare(item("ours", env={"A": "2"}, command="run"))
    assert two.run("apply", "--yes").code == 0
    assert two.live()["ours"]["envs"] == [{"key": "A", "value": "2"}]


@pytest.mark.parametrize("odd", ODD)
def test_what_cannot_be_read_of_ours_is_no_change(two: Sandbox, odd: str) -> None:
    """Not compared, hence no change, no drift and no delete; only what is a readable other value is one."""
    for path in PLACES:
        if odd == "word" and path[-1] not in ("minNum", "maxNum", "freeTimeout", "value", "gpuNum", "port"):
            continue
        two.sim.faults.clear()
        rewrite(two, "ours", lambda one, path=path: put(one, path, ODD[odd]))  # type: ignore[misc]
        if path == ("envs", 0, "value") and odd == "word":
            continue
        planned, drifted = two.plan(), two.run("drift", "--json")
        assert (planned.code, drifted.code) == (0, 0), (path, planned.out, planned.err)
    assert two.sent() == two.sent("create")


@pytest.mark.parametrize("odd", ["list", "half", "deep", "huge"])
def test_no_command_ends_in_a_crash(two: Sandbox, odd: str) -> None:
    """Every command, with an odd form in every field of both endpoints but ID and name."""

    def spoil(one: dict[str, Any]) -> None:
        for path in sorted(PLACES, key=len, reverse=True):
            if path != ("name",):
                put(one, path, ODD[odd])

    rewrite(two, "ours", spoil)
    rewrite(two, "theirs", spoil)
    for command in READERS:
        ran = two.run(*command)
        assert "has a bug" not in ran.out + ran.err, (command, ran.err)
        assert ran.code in (0, 1, 2), (command, ran.out, ran.err)
        assert "could not be listed completely" not in ran.err
    assert {"ours", "theirs"} <= two.live().keys()


@pytest.mark.parametrize("item_", [None, "x", 7, [], {}, {"name": "x"}, {"id": 5, "name": "y"}, {"id": HALF}])
def test_an_item_that_is_no_endpoint_counts_and_stops_nobody(two: Sandbox, item_: Any) -> None:
    """The listing is complete with it."""

    def add(answered: Any) -> Any:
        if answered["endpoints"]:
            answered["endpoints"] += [item_, item_]
        answered["total"] += 2
        return answered

    two.sim.faults.rewrite("list", add)
    for command in READERS:
        ran = two.run(*command)
        assert ran.code in (0, 2), (command, ran.out, ran.err)
        assert command == ("doctor",) or "unreadable" not in ran.out


def test_what_cannot_be_read_is_named(two: Sandbox) -> None:
    """Under -v by whatever command, in doctor, and as a note where it is ours."""
    rewrite(two, "ours", lambda one: one.update(envs=[{"key": ["a"]}], createdAt="yesterday"))
    rewrite(two, "theirs", lambda one: one["workerConfig"].update(minNum="many"))
    for command in (("plan",), ("list",), ("status",), ("drift",)):
        said = two.run("-v", *command).err
        assert f"`ours` ({two.id('ours')}): env, createdAt" in said
        assert f"`theirs` ({two.id('theirs')}): minReplicas" in said
    assert "minReplicas" not in two.run("plan").err
    assert (
        "`ours`: Novita's answer has env in a form that cannot be read; not compared" in two.run("plan").err
    )
    listing = next(one for one in two.run("doctor", "--json").document["checks"] if one["name"] == "listing")
    assert listing["grade"] == "warn"
    assert "env, createdAt" in listing["found"]
    assert "minReplicas" in listing["found"]


def test_an_update_never_loses_what_it_could_not_read(two: Sandbox) -> None:
    """It sends all envs, so a scale of an endpoint with unreadable ones is refused; the rest goes on."""
    rewrite(two, "ours", lambda one: one.update(envs=[{"key": ["a"], "value": "1"}]))
    ran = two.run("scale", "ours", "4", "--yes")
    assert ran.code == 1
    assert "cannot be changed" in ran.err
    assert not two.sent("update")
    two.declare(item("ours", command="run", replicas=2), item("new"))
    assert "reconciler apply --exclude ours" in two.run("apply", "--yes").err
    assert not two.sent("update")
    assert two.run("apply", "--yes", "--exclude", "ours").code == 0
    assert "new" in two.live()
    two.declare(item("ours", env={"A": "9"}, command="run", replicas=2), item("new"))
    assert two.run("apply", "--yes").code == 0
    assert two.live()["ours"]["envs"] == [{"key": "A", "value": "9"}]


@pytest.mark.parametrize("name", [["ours"], {"": ""}, HALF, True, None])
def test_nothing_is_deleted_whose_name_cannot_be_read(two: Sandbox, name: Any) -> None:
    """Nor forgotten: an error about that one."""
    rewrite(two, "ours", lambda one: one.update(name=name))
    two.declare(item("other"))
    ran = two.run("apply", "--yes", "--json")
    assert ran.code == 1
    assert "unreadable-endpoint" in ran.codes
    assert "ours" in two.inventory
    assert "ours" in two.live()
    assert two.run("apply", "--yes", "--exclude", "ours").code == 0
    assert "other" in two.live()


@pytest.mark.parametrize("object_id", [None, 7, ["x"], HALF, ""])
def test_an_id_that_cannot_be_read_is_an_error_about_that_one(two: Sandbox, object_id: Any) -> None:
    """Recorded or not, it is neither made again nor written."""
    rewrite(two, "ours", lambda one: one.update(id=object_id))
    two.declare(item("ours", env={"A": "2"}, command="run"), item("other"))
    ran = two.run("apply", "--yes", "--json")
    assert (ran.code, "unreadable-endpoint" in ran.codes) == (1, True)
    (two.root / "state/novita.json").unlink()
    assert "unreadable-endpoint" in two.plan().codes
    assert not two.sent("update", "delete")
    assert len(two.sent("create")) == 1
    assert two.run("apply", "--yes", "--exclude", "ours").code == 0
    assert len(two.sent("create")) == 2


@pytest.mark.parametrize("object_id", [None, 7, ["x"], HALF, "", "x\n"], ids=repr)
def test_a_create_that_answers_no_id_is_looked_up(sandbox: Sandbox, object_id: Any) -> None:
    """It was made: it is recorded by the ID that the listing has, and not made again."""
    sandbox.declare(item("chat"), item("embed"))
    with response_proxy(sandbox.sim.url) as proxy:
        proxy.canned["create"] = CannedResponse(
            body=json.dumps({"id": object_id}).encode(), forwards=True, times=1
        )
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", proxy.url)
        ran = sandbox.run("apply", "--yes", "--parallelism", "1")
    assert ran.code == 0, ran.err
    assert len(sandbox.sent("create")) == 2
    assert {name: record["id"] for name, record in sandbox.inventory.items()} == {
        name: sandbox.id(name) for name in ("chat", "embed")
    }


def test_numbers_and_depths_beyond_python(two: Sandbox) -> None:
    """A number of 5,000 digits or 100,000 brackets in one endpoint leave the others readable."""
    for odd in (
        b'"\xff"',
        b"9" * 5000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
    ):
        two.sim.faults.clear()
        rewrite(two, "theirs", lambda one: one.update(rootfsSize="the odd one"))
        for operation in ("list", "get"):
            two.sim.faults.rewrite(
                operation,
                lambda answered, odd=odd: json.dumps(answered).encode().replace(b'"the odd one"', odd),
            )
        ran = two.plan()
        assert ran.code == 0, ran.err
    assert parse_json(b'{"a": "]}\\"[[", "b": ' + b"[" * 3000 + b"]" * 3000 + b', "c": 1}')["c"] == 1


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from((*PLACES, ("id",))), ANY), min_size=1, max_size=4))
def test_any_form_is_read_and_shown(odd: list[tuple[tuple[Any, ...], Any]]) -> None:
    """And plans are made of it that can be digested."""
    changed = answer("a", env={"A": "1"})
    for path, value in odd:
        try:
            put(changed, path, value)
        except (KeyError, TypeError, IndexError, AttributeError):
            continue
    page = ENDPOINT.parse_page({"endpoints": [changed, answer("b")], "total": 2})
    assert isinstance(page, Page)
    assert len(page.endpoints) == 2
    known = [one for one in page.endpoints if one.is_identified]
    for one in known:
        assert str(endpoint_info(one))
        json.dumps(one.fields, allow_nan=False).encode()
    wanted = endpoint("a", env={"A": "1"})
    assert plan([wanted], [record(wanted)], known) is not None
