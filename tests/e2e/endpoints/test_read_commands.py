"""`list`, `get`, `status`, `specs`: what is there, whose it is, and how it does."""

import re
import shlex
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.config.specs import Specs
from reconciler.model.errors import EndpointNotFound
from reconciler.model.resource import Inventory, Tracked
from reconciler.model.settings import Settings
from reconciler.model.status import Happening
from reconciler.workflow.endpoints import LocalState, get_endpoint, list_endpoints
from reconciler.workflow.runtime.context import Context
from tests.builders import live, tracked
from tests.e2e.command_line.test_terminal import ANSI, terminal
from tests.e2e.sandbox import KEY, ROOT, SPECS, Sandbox, item


def listed(sandbox: Sandbox, *args: str) -> dict[str, Any]:
    """Name -> element of `list --json`."""
    ran = sandbox.run("list", "--json", *args)
    assert ran.code == 0, ran.err
    return {one["name"]: one for one in ran.document}


def whose(sandbox: Sandbox, *args: str) -> dict[str, str]:
    return {name: one["managed"] for name, one in listed(sandbox, *args).items()}


def columns(text: str) -> list[list[str]]:
    """The words of each line."""
    return [line.split() for line in text.splitlines()]


@pytest.fixture
def three(sandbox: Sandbox) -> Sandbox:
    """A declared endpoint, one that is no longer declared, and one of somebody else."""
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=3), item("former"))
    sandbox.apply()
    sandbox.sim.world.console_create(name="theirs", appName="theirs", workerConfig={"minNum": 0, "maxNum": 1})
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=3))
    return sandbox


def test_all_endpoints_in_columns(three: Sandbox) -> None:
    """By name, words in columns, without colour or frames, so that awk can read them."""
    ran = three.run("list")
    assert (ran.code, ran.err) == (0, "")
    title, *rows = columns(ran.out)
    assert title == ["NAME", "STATUS", "READY", "SCALE", "AGE", "MANAGED", "URL"]
    assert [[*row[:4], *row[5:]] for row in rows] == [
        ["chat", "Running", "1/3", "1-3", "declared", three.url("chat")],
        ["former", "Running", "1/1", "1-1", "recorded", three.url("former")],
        ["theirs", "Running", "0/0", "0-1", "unmanaged", three.url("theirs")],
    ]  # fmt: skip
    assert all(re.fullmatch(r"\d+s", row[4]) for row in rows)
    assert ran.out.isascii()


def test_names_and_all_columns(three: Sandbox) -> None:
    """--output name for xargs, --output wide for all there is; an empty cell is a dash."""
    assert three.run("list", "--output", "name").out == "chat\nformer\ntheirs\n"
    title, chat, *_ = columns(three.run("list", "--output", "wide").out)
    assert [*title[:8:7], *title[8:]] == ["NAME", "MANAGED", "IMAGE", "PRODUCT", "REGION", "URL", "MESSAGE"]
    assert len(chat) == len(title) == 13
    assert (chat[1], chat[8], chat[-1]) == (three.id("chat"), "ubuntu:22.04", "-")


def test_the_list_for_programs(three: Sandbox) -> None:
    """A list of documents with everything but environment and command."""
    chat = listed(three)["chat"]
    (worker,) = chat.pop("workers")
    assert worker.pop("created_at") == worker.pop("ready_at")
    assert worker == {
        "id": worker["id"],
        "state": "running",
        "healthy": True,
        "message": "",
        "draining": False,
        "ended": False,
        "log": f"https://logs.novita.invalid/{worker['id']}",
    }
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", chat.pop("created_at"))
    object_id = three.id("chat")
    assert chat == {
        "name": "chat",
        "id": object_id,
        "status": "Running",
        "state": "serving",
        "message": "",
        "min_replicas": 1,
        "max_replicas": 3,
        "desired_replicas": 3,
        "total_replicas": 1,
        "ready_replicas": 1,
        "available_replicas": 1,
        "conditions": [
            {"type": "Available", "status": True, "reason": "Running"},
            {"type": "Progressing", "status": False, "reason": "Running"},
            {"type": "Failed", "status": False, "reason": "Running"},
        ],
        "image": "ubuntu:22.04",
        "url": three.url("chat"),
        "app_name": "chat",
        "product": "SL-serverless-3",
        "region": "us-dallas-nas-2",
        "managed": "declared",
        "labels": {"provider": "novita", "endpoint-id": object_id, "region": "us-dallas-nas-2"},
        "lease": None,
        "log": f"https://logs.novita.invalid/{object_id}",
    }


def test_no_secret_is_shown(sandbox: Sandbox) -> None:
    """Live environments are no part of any look, whoever set them."""
    sandbox.sim.world.console_create(name="theirs", envs=[{"key": "TOKEN", "value": "hf_secret"}])
    for args in (["list"], ["list", "--output", "wide"], ["list", "--json"], ["get", "theirs"],
                 ["get", "theirs", "--json"], ["status", "--json"]):  # fmt: skip
        ran = sandbox.run(*args)
        assert "hf_secret" not in ran.out + ran.err
        assert KEY not in ran.out + ran.err


def test_only_what_is_asked_for(three: Sandbox) -> None:
    """--target and --exclude choose; a target that matches nothing is a slip of the finger."""
    assert three.run("list", "--output", "name", "--target", "*er", "--exclude", "x").out == "former\n"
    ran = three.run("list", "--target", "nobody")
    assert ran.code == 1
    assert "--target nobody matches no endpoint" in ran.err


def test_an_empty_account(sandbox: Sandbox) -> None:
    """It is said in words on stderr; stdout stays empty, and JSON is an empty list."""
    for command in ("list", "status"):
        ran = sandbox.run(command)
        assert (ran.code, ran.out) == (0, "")
        assert ran.err.startswith("The account has no endpoints")
        assert sandbox.run(command, "--json").document == []


def test_without_any_file(sandbox: Sandbox) -> None:
    """No endpoint file is needed; then the inventory alone says what is ours."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    (sandbox.root / "endpoints.yaml").unlink()
    (sandbox.root / "specs.yaml").unlink()
    sandbox.sim.world.console_create(name="theirs")
    assert whose(sandbox) == {"chat": "declared", "theirs": "unmanaged"}
    assert sandbox.run("list").err == ""


def test_a_broken_yaml_is_a_note(three: Sandbox) -> None:
    """What is there can be told all the same; only whose it is may be wrong, and that is said."""
    three.write("endpoints.yaml", "endpoints:\n  - endpoint: chat\n    imgae: x\n")
    ran = three.run("list")
    assert ran.code == 0
    assert [row[5] for row in columns(ran.out)[1:]] == ["declared", "declared", "unmanaged"]
    assert ran.err.startswith(
        "Note: the management status of endpoints may be wrong, because the files have errors"
    )
    assert "endpoints.yaml:" in ran.err
    assert "reconciler validate" in ran.err
    assert set(listed(three)) == {"chat", "former", "theirs"}


def test_a_broken_inventory_is_a_note(three: Sandbox) -> None:
    """The YAML says what is declared; of the others nobody can tell."""
    three.write("state/novita.json", "{")
    ran = three.run("get", "chat", "--json")
    assert (ran.code, ran.document["managed"]) == (0, "declared")
    assert "the inventory cannot be read" in ran.err
    assert "reconciler state rebuild" in ran.err


def test_broken_settings_are_an_error(sandbox: Sandbox) -> None:
    """Whom to ask must be certain."""
    sandbox.write("config.yaml", {"novita": {"poll_interval": 0}})
    ran = sandbox.run("list")
    assert ran.code == 1
    assert sandbox.sim.requests == []


def test_one_endpoint_costs_one_call(three: Sandbox) -> None:
    """A recorded ID is asked for directly."""
    before = len(three.sim.requests)
    assert three.run("get", "chat").code == 0
    assert [one.operation for one in three.sim.requests[before:]] == ["get"]


def test_all_about_one(three: Sandbox) -> None:
    """Status, counts, where it is, and its workers with state and health."""
    ran = three.run("get", "chat")
    assert ran.code == 0
    for words in (
        "status     Running (Novita state: serving)",
        f"id         {three.id('chat')}",
        "workers    1 ready, 1 running, 1 in total; scales from 1 to 3",
        'image                      "ubuntu:22.04"',
        'specName.region            "us-dallas-nas-2"',
        "managed    declared",
        "available  yes (Running)",
        "HEALTHY",
    ):
        assert words in ran.out
    (worker,) = [line.split() for line in ran.out.splitlines() if " yes " in line and "w-" in line]
    assert [*worker[1:3], worker[4]] == ["running", "yes", "-"]
    assert "WORKER" not in three.run("get", "theirs").out


def test_the_configuration_of_one(sandbox: Sandbox) -> None:
    """E9: all of it by its YAML names with secrets masked, also of an endpoint of others; JSON has it too."""
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_secret")
    sandbox.declare(item("chat", env={"MODEL": "llama", "HF_TOKEN": "${env:HF_TOKEN}"}, healthPath="/ready"))
    sandbox.apply()
    envs = [{"key": "TOKEN", "value": "hf_secret"}]
    sandbox.sim.world.console_create(name="theirs", appName="theirs", envs=envs)
    ran = sandbox.run("get", "chat")
    settings = dict(
        line.split(maxsplit=1) for line in ran.out.split("Configuration\n")[1].split("\n\n")[0].splitlines()
    )
    assert (
        settings.items()
        >= {
            "specName": '"small"',
            "minReplicas": "1",
            "port": "8000",
            "policy.type": '"queue"',
            "env.MODEL": '"llama"',
            "env.HF_TOKEN": "(sensitive value)",
            "healthPath": '"/ready"',
            "freeTimeout": "300",
        }.items()
    )
    assert "env.TOKEN                  (sensitive value)" in sandbox.run("get", "theirs").out
    document = sandbox.run("get", "chat", "--json").document
    assert document["spec_name"] == "small"
    assert document["configuration"]["envs"] == {"HF_TOKEN": "(sensitive value)", "MODEL": "llama"}
    for name in ("chat", "theirs"):
        for args in ((), ("--json",)):
            assert "hf_secret" not in sandbox.run("get", name, *args).out


def test_the_addresses_of_logs(sandbox: Sandbox) -> None:
    """E9: that of the endpoint and one for each worker, in `get` and in `logs`."""
    sandbox.declare(item("chat", replicas=2))
    sandbox.apply()
    workers = [worker["id"] for worker in listed(sandbox)["chat"]["workers"]]
    expected = [
        ["chat", f"https://logs.novita.invalid/{sandbox.id('chat')}"],
        *([worker, f"https://logs.novita.invalid/{worker}"] for worker in workers),
    ]
    ran = sandbox.run("logs", "chat")
    assert (ran.code, [line.split() for line in ran.out.splitlines()]) == (0, expected)
    assert sandbox.run("get", "chat").out.endswith(f"\nLogs\n{ran.out}")
    assert [[one["name"], one["log"]] for one in sandbox.run("logs", "chat", "--json").document] == expected
    ran = sandbox.run("logs", "chatt")
    assert ran.code == 1
    assert "Did you mean `chat`?" in ran.err


def test_an_endpoint_by_its_id(three: Sandbox) -> None:
    """Where a name is not enough, the ID is."""
    assert three.run("get", three.id("theirs"), "--json").document["name"] == "theirs"


def test_one_that_moved(three: Sandbox) -> None:
    """A record whose ID is gone is no dead end: the listing has the new one."""
    three.sim.world.console_delete(three.id("chat"))
    three.sim.world.console_create(name="chat", appName="chat-2")
    found = three.run("get", "chat", "--json").document
    assert (found["id"], found["managed"]) == (three.id("chat"), "declared")


def test_one_that_was_renamed_elsewhere(three: Sandbox) -> None:
    """It is found by its record, and under the name that it has now, until a newcomer has the old name."""
    object_id = three.id("chat")
    three.sim.world.console_update(object_id, name="talk")
    assert three.run("get", "chat", "--json").document["id"] == object_id
    assert three.run("get", "talk", "--json").document["managed"] == "declared"
    newcomer = three.sim.world.console_create(name="chat", appName="chat-2")
    assert three.run("get", "chat", "--json").document["id"] == newcomer


def test_several_of_one_name(sandbox: Sandbox) -> None:
    """Nobody guesses: the IDs are listed, and each can be asked for."""
    ids = sorted(sandbox.sim.world.console_create(name="twin", appName=f"twin-{n}") for n in range(2))
    ran = sandbox.run("get", "twin")
    assert ran.code == 1
    assert f"2 live endpoints are called `twin`: {', '.join(ids)}" in ran.err
    assert sandbox.run("status", ids[1], "--json").document["endpoint"] == "twin"


def test_a_namesake_on_its_way_out(sandbox: Sandbox) -> None:
    """One that terminates is meant only where there is no other."""
    sandbox.sim.world.switch(terminating_seconds=3600.0)
    old = sandbox.sim.world.console_create(name="chat", appName="chat")
    sandbox.sim.world.console_delete(old)
    assert sandbox.run("get", "chat", "--json").document["status"] == "Terminating"
    new = sandbox.sim.world.console_create(name="chat", appName="chat-2")
    assert sandbox.run("get", "chat", "--json").document["id"] == new


@pytest.mark.parametrize("command", ["get", "status"])
def test_an_unknown_name(three: Sandbox, command: str) -> None:
    """The seed's words and its solution, with what was probably meant; exit 1."""
    ran = three.run(command, "chta")
    assert (ran.code, ran.out) == (1, "")
    assert "Error: endpoint not found in Novita: `chta`" in ran.err
    assert "Did you mean `chat`? `reconciler list` shows all" in ran.err
    stranger = three.run(command, "zzz").err
    assert "If the endpoint truly doesn't exist, create a new one" in stranger
    assert three.run(command, "zzz", "--json").document["problems"][0]["code"] == "not-found"


def test_one_that_is_declared_and_not_made(sandbox: Sandbox) -> None:
    """The way out is an apply."""
    sandbox.declare(item("chat"))
    assert "It is declared, and `reconciler apply` creates it" in sandbox.run("get", "chat").err


def test_names_cannot_forge_lines(sandbox: Sandbox) -> None:
    """Others choose names: what moves a cursor is escaped, in every format for people."""
    sandbox.sim.world.console_create(name="a\x1b[2J\nchat  Running", appName="a")
    for args in (
        ["list"],
        ["list", "--output", "name"],
        ["status"],
        ["get", sandbox.sim.world.endpoints[0]["id"]],
    ):
        ran = sandbox.run(*args)
        assert "\x1b" not in ran.out
        assert "\\x1b[2J\\n" in ran.out


def test_statuses(three: Sandbox) -> None:
    """Total, ready and available workers of each, and the reason of whoever does not serve."""
    three.sim.world.switch(no_stock=True)
    three.sim.world.console_create(name="stuck", appName="stuck", workerConfig={"minNum": 1, "maxNum": 2})
    title, *rows = columns(three.run("status").out)
    assert title == ["ENDPOINT", "STATUS", "TOTAL", "READY", "AVAILABLE", "MESSAGE"]
    assert (rows[0][0], rows[1]) == ("stuck", ["chat", "Running", "1", "1", "1", "-"])
    stuck = three.run("status", "stuck", "--json").document
    assert stuck.pop("message").endswith("failed: failed to schedule worker")
    assert stuck == {
        "endpoint": "stuck",
        "status": "Pending",
        "total_replicas": 0,
        "ready_replicas": 0,
        "available_replicas": 0,
    }
    assert three.run("status", "--output", "name").out.split() == ["chat", "former", "stuck", "theirs"]
    assert columns(three.run("status", "chat", "--output", "wide").out)[1][1] == three.id("chat")


def test_an_account_that_cannot_be_read(sandbox: Sandbox) -> None:
    """The call's own problem and its exit code."""
    sandbox.sim.world.switch(api_key="another")
    ran = sandbox.run("list")
    assert ran.code == 8
    assert "INVALID_API_KEY" in ran.err
    sandbox.sim.world.switch(api_key=None, total_offset=1)
    assert sandbox.run("get", "x").code == 1


def test_a_terminal_gets_a_table(three: Sandbox) -> None:
    """With colours by status, bars of replicas, and a line that counts; NO_COLOR takes the colours alone."""
    with terminal(three, "list", columns=140) as (screen, _):
        shown = screen.rest()
    assert "\x1b[32mRunning" in shown
    assert "─" * 50 in shown
    assert re.search(r"█░░ +1/3", ANSI.sub("", shown))
    assert "3 endpoints: 3 running. 2 workers, 2 ready." in shown
    three.monkeypatch.setenv("NO_COLOR", "1")
    with terminal(three, "status") as (screen, _):
        shown = screen.rest()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)
    assert "─" in shown


def test_a_narrow_terminal(three: Sandbox) -> None:
    """What fits no frame is aligned plainly, and nothing is cut off."""
    with terminal(three, "list", "--output", "wide") as (screen, _):
        shown = screen.rest()
    assert three.url("chat") in shown
    assert "─" not in shown


def test_the_functions_behind_it(three: Sandbox) -> None:
    """Plain functions and frozen values, for programs."""
    context = Context(root=three.root, environ={"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": three.sim.url})
    assert [one.name for one in list_endpoints(context).endpoints] == ["chat", "former", "theirs"]
    assert get_endpoint(context, "chat").endpoints[0].ready_replicas == 1
    with pytest.raises(EndpointNotFound, match="endpoint not found in Novita"):
        get_endpoint(context, "nobody")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["pods"], "Novita manages workers internally"),
        (["pods", "chat"], "reconciler get NAME"),
    ],
)
def test_what_novita_does_not_offer(sandbox: Sandbox, args: list[str], words: str) -> None:
    """The seed's reason and where to look instead, without asking anybody; exit 1."""
    ran = sandbox.run(*args)
    assert (ran.code, ran.out) == (1, "")
    assert words in ran.err
    assert sandbox.run(*args, "--json").document["problems"][0]["code"] == "unsupported-by-novita"
    assert sandbox.sim.requests == []


def test_specs(sandbox: Sandbox) -> None:
    """All of specs.yaml, what cannot be used on Novita included, without a network or a key."""
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    seed = SPECS["specs"][0] | {"displayName": "Small", "category": "gpu", "resourceType": "serverless"}
    seed["resources"] = {
        "gpu": "1",
        "gpuType": "RTX 5090",
        "cpu": 12,
        "memory": "50",
        "ephemeralStorage": "100",
    }
    other = {"name": "k8s", "resources": {"gpu": "1", "ephemeralStorage": "10Gi"}, "platforms": {"k8s": {}}}
    sandbox.write("specs.yaml", {"specs": [seed, other]})
    small, k8s = sandbox.run("specs", "--json").document
    assert small == {
        "name": "small",
        "display_name": "Small",
        "category": "gpu",
        "resource_type": "serverless",
        "gpu": "1",
        "gpu_type": "RTX 5090",
        "cpu": "12",
        "memory": "50",
        "ephemeral_storage": "100",
        "product_id": "SL-serverless-3",
        "region": "us-dallas-nas-2",
        "cuda_version": "",
        "usable": True,
        "why_not": [],
    }
    assert (k8s["usable"], k8s["why_not"]) == (
        False,
        [
            "failed to parse rootfs size of spec k8s: `10Gi` is not a number of GB",
            "no Novita product ID found for spec k8s",
        ],
    )
    title, row, _ = columns(sandbox.run("specs").out)
    assert title[:2] == ["NAME", "USABLE"]
    assert row[:5] == ["small", "yes", "1", "12", "50"]
    assert sandbox.run("specs", "small", "--json").document == small
    assert "GPUs           1 x RTX 5090" in sandbox.run("specs", "small").out
    assert "usable         no: failed to parse rootfs size" in sandbox.run("specs", "k8s").out
    assert sandbox.sim.requests == []


def test_an_unknown_spec(sandbox: Sandbox) -> None:
    """What was probably meant, and what there is."""
    ran = sandbox.run("specs", "smal")
    assert ran.code == 1
    assert "Did you mean `small`? known specs: small, large" in ran.err


def test_specs_that_are_broken_or_missing(sandbox: Sandbox) -> None:
    """A broken one is told, and shown as far as it goes; without a file there is nothing to show."""
    sandbox.write("specs.yaml", {"specs": [{"name": "odd", "resources": {"gpu": []}}]})
    ran = sandbox.run("specs")
    assert ran.code == 1
    assert columns(ran.out)[1][:2] == ["odd", "no"]
    assert "specs.yaml:" in ran.err
    (sandbox.root / "specs.yaml").unlink()
    assert "specs.yaml contains no specs" in sandbox.run("specs").err
    assert sandbox.run("specs", "odd").code == 1


@pytest.mark.slow
def test_ten_thousand_endpoints(sandbox: Sandbox) -> None:
    """A list takes seconds: whose each one is, is looked up and not searched for."""
    for number in range(10_000):
        sandbox.sim.world.console_create(name=f"e{number}", appName=f"e{number}")
    sandbox.declare(*(item(f"e{number}") for number in range(0, 10_000, 2)))
    started = time.monotonic()
    ran = sandbox.run("list")
    assert time.monotonic() - started < 20
    assert ran.out.count(" declared ") == ran.out.count(" unmanaged ") == 5_000


def test_the_page_about_these_commands(sandbox: Sandbox) -> None:
    """Every command of docs/watching.md runs, and each event has its line there."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    page = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
    lines = page.split("```sh\n")[1].split("```")[0].splitlines()
    assert len(lines) == 10
    for line in lines:
        ran = sandbox.run(*shlex.split(line, comments=True)[1:])
        assert (ran.code, ran.err) == (0, ""), line
    command = re.search(r"`reconciler (scale chat 4 [^`]*)`", page)
    assert command
    assert sandbox.run(*shlex.split(command[1]), "--auto-approve").code == 0
    for happening in Happening:
        assert f"`{happening.value}`" in page


class CountedRecords(dict[str, Tracked]):
    """Records that note how often all of them are looked through."""

    scans = 0

    def values(self) -> Any:
        self.scans += 1
        return super().values()


@pytest.mark.parametrize("owners", [{}, {"id-svc-1": "prod"}], ids=["of none", "of another environment"])
def test_the_records_are_not_looked_through_for_each_endpoint(owners: dict[str, str]) -> None:
    """A list of 10,000 endpoints would take a second more."""
    names = [f"svc-{number}" for number in range(40)]
    records = CountedRecords({name: tracked(name, f"id-{name}") for name in names if name != "svc-1"})
    local = LocalState(
        settings=Settings(),
        inventory=Inventory(records=records),
        desired=None,
        specs=Specs(entries={}, file=None),
        owners=owners,
    )
    endpoints = [live(name, f"id-{name}") for name in names]
    infos = local.describe(endpoints, endpoints, datetime.now(UTC))
    assert [info.environment for info in infos if info.name == "svc-1"] == [owners.get("id-svc-1", "")]
    assert records.scans < 5
