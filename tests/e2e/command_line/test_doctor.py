"""`doctor`: each thing that can be wrong, with the way out; one failure does not hide the others."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.session import open_session
from reconciler.inventory.stores.file.store import FileStore
from reconciler.simulator import Fault, Server
from tests.e2e.sandbox import KEY, SPECS, Sandbox, item

NAMES = [
    *("files", "key", "address", "reachable", "accepted", "clock", "limits", "regions", "listing", "records"),
    *("balance", "inventory", "lock", "unfinished", "git"),
]


def checked(sandbox: Sandbox, code: int = 0) -> dict[str, dict[str, Any]]:
    """Name -> check of `doctor --json`, all of which are made whatever happens."""
    ran = sandbox.run("doctor", "--json")
    assert ran.code == ran.document["exit_code"] == code, ran.out
    assert KEY not in ran.out
    found = {check.pop("name"): check for check in ran.document["checks"]}
    assert list(found) == NAMES
    return found


def wrong(sandbox: Sandbox, code: int = 0) -> dict[str, str]:
    """Name -> grade of all that is not well."""
    return {name: check["grade"] for name, check in checked(sandbox, code).items() if check["grade"] != "ok"}


@pytest.fixture
def applied(sandbox: Sandbox) -> Sandbox:
    sandbox.sim.world.switch(balance=10_000_000)  # a thousand dollars, for more than three days
    sandbox.declare(item("chat"), item("embed", specName="large"))
    sandbox.apply()
    return sandbox


def test_a_single_record(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert "ok    records          1 is live\n" in sandbox.run("doctor").out


def test_all_is_well(applied: Sandbox) -> None:
    """A line for each check, and one for all of them; exit 0."""
    ran = applied.run("doctor")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert [line.split()[1] for line in lines[: len(NAMES)]] == NAMES
    assert lines[-1] == "No problems found."
    assert "ok    files            2 endpoints in endpoints.yaml, 2 specs\n" in ran.out
    assert "ok    key              from NOVITA_API_KEY\n" in ran.out
    assert f"ok    address          {applied.sim.url}\n" in ran.out
    assert "ok    limits           the declared endpoints are within the limits\n" in ran.out
    assert "ok    regions          us-dallas-nas-2\n" in ran.out
    assert "ok    listing          2 endpoints, proven complete\n" in ran.out
    assert "ok    records          all 2 are live\n" in ran.out
    assert wrong(applied) == {"git": "skip"}
    assert KEY not in ran.out


def test_it_changes_nothing(applied: Sandbox) -> None:
    """No write is sent, and no file is touched."""
    files, writes = applied.files(), len(applied.sent())
    applied.run("doctor")
    assert (applied.files(), len(applied.sent())) == (files, writes)


def test_an_empty_folder(sandbox: Sandbox) -> None:
    """Nothing is wrong where nothing is there yet; the first step is told."""
    (sandbox.root / "config.yaml").unlink()
    (sandbox.root / "specs.yaml").unlink()
    found = checked(sandbox)
    assert (found["files"]["grade"], found["git"]["grade"]) == ("skip", "skip")
    assert found["files"]["way_out"].startswith("reconciler init")
    assert found["inventory"]["found"] == "there is none yet"


def test_files_with_errors(applied: Sandbox) -> None:
    """The first is told with its place; the account is asked all the same."""
    applied.write("endpoints.yaml", "endpoints:\n  - endpoint: chat\n    imgae: x\n")
    found = checked(applied, 1)
    assert found["files"]["grade"] == "fail"
    assert "endpoints.yaml:" in found["files"]["found"]
    assert found["files"]["way_out"].startswith("reconciler validate")
    assert found["records"]["found"] == "all 2 are live"


def test_files_with_warnings(sandbox: Sandbox) -> None:
    """What plan and apply would refuse is a warning here, as it is for validate; exit 0."""
    sandbox.declare(item("chat", env={"TOKEN": "${env:NOBODY_SET_THIS}"}))
    ran = sandbox.run("doctor")
    assert ran.code == 0
    assert "warn  files            1 warning, the first at endpoints.yaml:" in ran.out
    assert ran.out.endswith("\n1 warning.\n")


def test_no_key(applied: Sandbox) -> None:
    """Where to get one is told; what needs none is checked."""
    applied.monkeypatch.delenv("NOVITA_API_KEY")
    found = checked(applied, 1)
    assert (found["key"]["grade"], found["key"]["found"]) == ("fail", "novita API key is required")
    assert "console.novita.ai" in found["key"]["way_out"]
    assert {found[name]["grade"] for name in NAMES[3:10]} == {"skip"}
    assert found["inventory"]["grade"] == "ok"
    applied.monkeypatch.setenv("NOVITA_API_KEY", "two words")
    assert "contains a space" in checked(applied, 1)["key"]["found"]


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ("plain-key-1234", "from `novita.api_key`"),
        ("pre-${env:PART}", "from a reference in `novita.api_key`"),
    ],
)
def test_where_the_key_comes_from(applied: Sandbox, written: str, source: str) -> None:
    """The place is told, and no part of the key."""
    applied.monkeypatch.delenv("NOVITA_API_KEY")
    applied.monkeypatch.setenv("PART", "part")
    applied.write("config.yaml", {"novita": {"api_key": written}})
    ran = applied.run("doctor")
    assert f"ok    key              {source}\n" in ran.out
    assert "pre-" not in ran.out
    assert "plain-key" not in ran.out


def test_a_refused_key(applied: Sandbox) -> None:
    """Novita answers, and does not accept it; the clock is checked by that answer."""
    applied.sim.world.switch(api_key="another")
    found = checked(applied, 1)
    assert (found["reachable"]["grade"], found["clock"]["grade"]) == ("ok", "ok")
    assert found["accepted"]["grade"] == "fail"
    assert "INVALID_API_KEY" in found["accepted"]["found"]
    assert "Verify API key" in found["accepted"]["way_out"]
    assert {found[name]["grade"] for name in NAMES[6:10]} == {"skip"}


def test_a_page_of_the_network(applied: Sandbox) -> None:
    """A 403 with HTML is no bad key, and said to be none."""
    applied.sim.faults.add(Fault(operation="list", kind="html"))
    found = checked(applied, 1)
    assert found["reachable"]["grade"] == "fail"
    assert "That is not a bad key" in found["reachable"]["way_out"]
    assert found["accepted"] == {"grade": "skip", "found": "the API key was not checked", "way_out": ""}
    assert found["clock"]["grade"] == "skip"


def test_nobody_there(applied: Sandbox, closed_port: int) -> None:
    """Asked once, without patience; the inventory is checked all the same."""
    applied.monkeypatch.setenv("NOVITA_BASE_URL", f"http://127.0.0.1:{closed_port}")
    started = time.monotonic()
    found = checked(applied, 1)
    assert time.monotonic() - started < 25
    assert found["reachable"]["found"].endswith(f"(cannot reach 127.0.0.1:{closed_port})")
    assert found["inventory"]["grade"] == "ok"


@pytest.mark.parametrize("address", ["http://example.com", "nonsense"])
def test_a_bad_address(applied: Sandbox, address: str) -> None:
    """It is told, and nobody else is asked instead."""
    applied.monkeypatch.setenv("NOVITA_BASE_URL", address)
    before = len(applied.sim.requests)
    assert checked(applied, 1)["address"]["grade"] == "fail"
    assert len(applied.sim.requests) == before


def test_an_environment_that_cannot_be_used(applied: Sandbox) -> None:
    """What keeps the client from being made is a failure like any other."""
    applied.monkeypatch.setenv("NOVITA_BASE_URL", "https://127.0.0.1:9")
    applied.monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    ran = applied.run("doctor", "--json")
    assert ran.code == 1
    failures = [check for check in ran.document["checks"] if check["grade"] == "fail"]
    assert "SSL_CERT_FILE" in failures[0]["found"]


def test_a_key_that_cannot_be_sent(applied: Sandbox) -> None:
    """The check of the key says so, before a request is made."""
    applied.monkeypatch.setenv("NOVITA_API_KEY", "k\u00e9y")
    found = checked(applied, 1)
    assert found["key"]["grade"] == "fail"
    assert "a character that cannot be sent" in found["key"]["found"]


@pytest.fixture
def slow_clock(sandbox: Sandbox) -> Iterator[Server]:
    """An account where it is five minutes earlier than here."""
    with Server(clock=lambda: time.time() - 300) as sim:
        sandbox.monkeypatch.setenv("NOVITA_BASE_URL", sim.url)
        yield sim


def test_clocks_that_differ(sandbox: Sandbox, slow_clock: Server) -> None:
    """More than a minute is a warning, with the direction."""
    clock = checked(sandbox)["clock"]
    assert clock["grade"] == "warn"
    assert clock["found"].endswith(" s ahead of Novita's")


def test_limits(applied: Sandbox) -> None:
    """What is declared is held against them; where they cannot be read, that is said."""
    applied.declare(item("chat", freeTimeout=5000, requestTimeout=3600), item("embed", replicas=2000))
    limits = checked(applied)["limits"]
    assert limits["grade"] == "warn"
    assert limits["found"].startswith("freeTimeout 5000 of `chat` is above")
    assert limits["found"].endswith(", and 1 more")
    applied.sim.world.switch(limit_offered=False)
    assert "cannot be read" in checked(applied)["limits"]["found"]


def test_a_default_that_is_lowered_is_within_the_limits(applied: Sandbox) -> None:
    """Nobody wrote 3600 seconds, and a plan sends what the account allows."""
    applied.sim.world.switch(limits={"maxRequestTimeout": "1800"})
    assert checked(applied)["limits"]["grade"] == "ok"


def test_regions(applied: Sandbox) -> None:
    """A region that the account does not list is told with those that it does."""
    elsewhere = {"productId": "x", "region": "mars-1"}
    applied.write("specs.yaml", {"specs": [{**SPECS["specs"][0], "platforms": {"novita": elsewhere}}]})
    applied.declare(item("chat"))
    regions = checked(applied)["regions"]
    assert regions["found"] == "mars-1 of chat is not a region of the account"
    assert "us-dallas-nas-2" in regions["way_out"]
    applied.sim.faults.add(Fault(operation="clusters", status=404))
    assert checked(applied)["regions"]["grade"] == "skip"


def test_a_listing_without_proof(applied: Sandbox) -> None:
    """Nothing is concluded from it."""
    applied.sim.world.switch(total_offset=1)
    found = checked(applied, 1)
    assert found["listing"]["grade"] == "fail"
    assert found["records"]["grade"] == "skip"


def test_records_that_are_gone(applied: Sandbox) -> None:
    """They are named; a listing that lags is no proof."""
    applied.sim.world.console_delete(applied.id("chat"))
    records = checked(applied)["records"]
    assert (records["grade"], records["found"]) == ("warn", "gone from the account: chat")
    applied.apply()
    applied.sim.world.switch(list_lag_seconds=3600.0)
    assert checked(applied)["records"]["grade"] == "ok"


def test_an_inventory_that_cannot_be_read(applied: Sandbox) -> None:
    """The way back is told, and the account is asked all the same."""
    applied.write("state/novita.json", "{")
    found = checked(applied, 1)
    assert found["inventory"]["grade"] == "fail"
    assert "reconciler state rebuild" in found["inventory"]["way_out"]
    assert found["unfinished"]["grade"] == "skip"
    assert found["listing"]["grade"] == "ok"


def test_an_inventory_of_another_account(applied: Sandbox) -> None:
    """Written for one host, used with another."""
    path = applied.root / "state/novita.json"
    path.write_text(path.read_text().replace(applied.sim.url, "https://api.novita.ai"))
    inventory = checked(applied)["inventory"]
    assert inventory["grade"] == "warn"
    assert "was written for https://api.novita.ai" in inventory["found"]


def test_a_lock_that_is_held(applied: Sandbox) -> None:
    """By whom is told, and looking does not take it."""
    with open_session(
        FileStore(applied.root / "state/novita.json"),
        current_holder(command="reconciler apply", environ={"USER": "ada"}, clock=time.time),
        base_url=applied.sim.url,
    ):
        lock = checked(applied)["lock"]
    assert lock["grade"] == "warn"
    assert lock["found"].startswith("held by ada on ")
    assert lock["found"].endswith(": reconciler apply")
    assert checked(applied)["lock"]["found"] == "free"


def test_what_was_left_unfinished(applied: Sandbox) -> None:
    """An open create and an apply that did not end, each with the command that ends it."""
    applied.declare(item("chat"), item("embed", specName="large"), item("new"))
    applied.killed("create", when="before")
    ran = applied.run("doctor")
    assert ran.code == 0
    assert "warn  unfinished       creates whose outcome is unknown: new\n" in ran.out
    assert "reconciler recover   settles them\n" in ran.out
    assert "warn  unfinished       an approved apply has not finished\n" in ran.out


def test_a_journal_that_was_not_folded(applied: Sandbox) -> None:
    """A run that was cut off after its last step leaves the map behind."""
    applied.declare(item("chat"), item("embed", specName="large"), item("new"))
    applied.killed("get", nth=1)
    ran = applied.run("doctor")
    assert "its changes are in the journal, and not in the inventory file yet" in ran.out


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_git_makes_of_the_map(applied: Sandbox) -> None:
    """A hint and no more: in it, ignored, or not in it yet."""
    assert checked(applied)["git"] == {
        "grade": "skip",
        "found": "there is no git repository here",
        "way_out": "",
    }

    def git(*args: str) -> None:
        subprocess.run(["git", *args], cwd=applied.root, check=True, capture_output=True, timeout=60)

    git("init")
    applied.write(".git/info/exclude", "state/*.lock\nstate/*.jsonl\n")
    found = checked(applied)["git"]
    assert (found["grade"], found["found"]) == ("ok", "state/novita.json is not in git")
    assert "it contains no secrets" in found["way_out"]
    applied.write(".gitignore", "state/\n")
    assert checked(applied)["git"]["found"] == "state/novita.json is ignored"
    git("add", "--force", "state/novita.json")
    assert checked(applied)["git"]["found"] == "state/novita.json is in git"
    applied.monkeypatch.setenv("PATH", "/nowhere")
    assert checked(applied)["git"]["grade"] == "skip"


def test_each_call_is_told(applied: Sandbox) -> None:
    """-v shows the calls of the doctor, too."""
    err = applied.run("doctor", "-v").err
    assert "GET /gpu-instance/openapi/v1/clusters 200" in err


def test_a_store_that_cannot_be_reached(sandbox: Sandbox) -> None:
    """It is told, with what to check, and the other rows are there all the same."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("doctor", "--state", "postgres://127.0.0.1:1/infra?inventory=prod")
    assert ran.code == 1
    assert "fail  store            Cannot connect to postgres://127.0.0.1:1/infra?inventory=prod" in ran.out
    assert "fail  inventory  " in ran.out
    assert "skip  lock             the store does not tell\n" in ran.out
    assert "failures." in ran.out
