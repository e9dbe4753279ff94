"""Endpoints that were made elsewhere: recorded one by one, or declared and recorded all at once."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from reconciler.inventory.files import FileSystem
from reconciler.inventory.lock_holder import current_holder
from reconciler.inventory.session import open_session
from reconciler.inventory.stores.file.store import FileStore
from reconciler.model.errors import InvalidConfig
from reconciler.novita.http.client import CallInfo
from reconciler.workflow.importer.import_all import import_all
from reconciler.workflow.importer.import_one import import_record
from reconciler.workflow.runtime.context import Context
from tests.e2e.sandbox import Sandbox, item

SCHEMAS = (".reconciler/endpoints.schema.json", ".reconciler/specs.schema.json")

AS_DECLARED = {
    "workerConfig": {"minNum": 1, "maxNum": 1, "freeTimeout": 300, "requestTimeout": 3600},
    "policy": {"type": "queue", "value": 60},
    "healthy": {"path": "/health"},
}
"""What the console's form says otherwise than an item without any field does."""


def env(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def test_one_is_recorded(sandbox: Sandbox) -> None:
    """A declared one; what differs is shown as our change, and asks for no adoption."""
    chat = sandbox.sim.world.console_create(name="chat", appName="chat", **AS_DECLARED)
    sandbox.declare(item("chat", replicas=2), item("other", env={"A": "${env:NOT_SET}"}))
    ran = sandbox.run("import", "chat", chat)
    assert (ran.code, ran.out, ran.err) == (0, f"chat is recorded as {chat}.\n", "")
    planned = sandbox.plan("--target", "chat", "--exclude", "other")
    assert planned.actions == {"chat": "scale"}  # the other's variable is not set, and it is not concerned
    sandbox.declare(item("chat", replicas=2))
    planned = sandbox.plan()
    assert planned.actions == {"chat": "scale"}
    (change,) = planned.document["resource_changes"]
    assert {field["cause"] for field in change["fields"]} == {"config"}
    assert sandbox.run("import", "chat", chat).out == f"chat was already recorded as {chat}.\n"
    assert sandbox.sent() == []


def test_one_that_nobody_declares(sandbox: Sandbox) -> None:
    """It is listed, never deleted, and its values are not on the disk; no endpoint file is needed."""
    chat = sandbox.sim.world.console_create(name="Chat", envs=env(TOKEN="hf_one_value"))
    ran = sandbox.run("import", "chat", chat, "--json")
    assert ran.document["imported"] == [{"name": "chat", "id": chat, "spec": None}]
    assert ran.codes == ["other-name", "not-declared"]
    assert sandbox.inventory["chat"]["origin"] == "imperative"
    assert b"hf_one_value" not in b"".join(sandbox.files().values())
    sandbox.declare()
    planned = sandbox.plan()
    assert planned.code == 0
    assert [one["id"] for one in planned.document["unmanaged"]] == [chat]
    sandbox.declare(item("chat", image="x:1"))
    assert sandbox.plan().actions == {"chat": "update"}


def test_a_storage_that_is_not_there_is_called_a_storage(sandbox: Sandbox) -> None:
    sandbox.declare(storages=[{"name": "weights", "region": "us-dallas-nas-2", "sizeGb": 10}])
    refused = sandbox.run("import", "novita_storage.weights", "nope")
    assert "there is no such network storage" in refused.err


def test_one_that_cannot_be_recorded(sandbox: Sandbox) -> None:
    """It is not there, or recorded otherwise; nothing is written then, not even a lock."""
    world = sandbox.sim.world
    chat, other = world.console_create(name="chat"), world.console_create(name="other")
    before = sandbox.files()
    assert "there is no such endpoint" in sandbox.run("import", "chat", "nope").err
    assert sandbox.run("import", "chat").code == 64
    assert sandbox.files() == before
    assert sandbox.run("import", "chat", chat).code == 0
    ran = sandbox.run("import", "chat", other)
    assert (ran.code, f"recorded with {chat}" in ran.err) == (1, True)
    assert "reconciler state rm chat" in ran.err
    assert "recorded as `chat`" in sandbox.run("import", "mine", chat).err
    world.console_delete(chat)
    assert sandbox.run("import", "chat", other).code == 0
    assert sandbox.inventory["chat"]["id"] == other


def test_a_declared_one_needs_its_own_variables(sandbox: Sandbox) -> None:
    """What is secret in its YAML must be known, or its live value could not be told from a literal."""
    chat = sandbox.sim.world.console_create(name="chat", envs=env(T="hf_value"))
    sandbox.declare(item("chat", env={"T": "${env:T}"}))
    ran = sandbox.run("import", "chat", chat)
    assert (ran.code, "T is not set" in ran.err) == (1, True)
    sandbox.monkeypatch.setenv("T", "hf_value")
    assert sandbox.run("import", "chat", chat).code == 0
    assert b"hf_value" not in b"".join(sandbox.files().values())


def make_thirty(sandbox: Sandbox) -> dict[str, str]:
    """Thirty endpoints as people make them in the console; their secrets by where they are."""
    create = sandbox.sim.world.console_create
    secrets = {"token": "hf_token_of_all", "old": "hf_token_of_one", "command": "sk-in-the-command"}
    odd = {
        "BRACES": "${not:a:reference} $${x} ${env:HOME}",
        "LINES": "one\ntwo\r\n\ttabs\n",
        "UNICODE": "é 😀 \u2028",
        "EMPTY": "",
        "NUMBER": "0123",
        "PATH": "/usr/local/bin",
        "CI_TOKEN": "ci-secret-value",
        "with.dots": "dotted-value",
    }
    create(name="odd", envs=env(**odd))
    create(name="Odd Name!", appName="odd-name", envs=env(BRACES="another", HF_TOKEN=secrets["token"]))
    create(name="unicode é", envs=env(HF_TOKEN=secrets["old"]))
    create(name="cli", image={"command": f"serve --api-key {secrets['command']}"})
    create(name="shell", image={"command": 'sh -c "echo ${HOME}; exec serve --token $HF_TOKEN" # run'})
    create(name="private", image={"image": "registry:5000/a/b@sha256:" + "0a1b" * 16, "authId": "auth-1"})
    create(name="taken", appName="not-taken")
    create(name="not-taken")
    create(name="plain", appName="plain", **AS_DECLARED)
    for number in range(21):
        create(
            name=f"worker-{number}",
            workerConfig={
                "minNum": number % 3,
                "maxNum": max(number % 3, 1 + number % 2),
                "gpuNum": 1 + number % 2,
                "freeTimeout": 1 + number,
                "maxConcurrent": 1 + number % 4,
                "cudaVersion": ("", "any", "12.4")[number % 3],
            },
            policy={"type": ("queue", "concurrency")[number % 2], "value": 1 + number},
            products=[{"id": f"SL-serverless-{3 + number % 2}"}],
            rootfsSize=100 + 10 * (number % 2),
            ports=[{"port": 8000 + number % 3}],
            healthy={"path": ("/", "/health", "/${x}")[number % 3]},
            envs=env(HF_TOKEN=secrets["token"], NAME=f"name-of-{number}"),
            volumeMounts=[
                {"type": "local", "id": "", "size": 30, "mountPath": "/workspace"},
                {"type": "network", "id": "storage-1", "size": 0, "mountPath": "/network"},
            ][: number % 3],
        )
    return secrets | {key: value for key, value in odd.items() if len(value) > 5}


def variables(sandbox: Sandbox, ran: Any) -> dict[str, str]:
    """What a person would fill in: the value that each endpoint has live for each variable in its YAML."""
    import yaml

    live = sandbox.live()
    found: dict[str, str] = {}
    for path in sandbox.root.rglob("*.yaml"):
        for one in yaml.safe_load(path.read_text()).get("endpoints", []):
            has = {each["key"]: each["value"] for each in live[one["endpoint"]]["envs"]}
            for key, text in one.get("env", {}).items():
                if text:
                    found[text.removeprefix("${env:").removesuffix("}")] = has[key]
            if one.get("command", "").startswith("${env:"):
                command = live[one["endpoint"]]["image"]["command"]
                found[one["command"].removeprefix("${env:").removesuffix("}")] = command
    assert set(found) == {one["name"] for one in ran.document["variables"]}
    return found


@pytest.mark.parametrize("number_style", ["string", "int"])
def test_all_are_declared_and_the_plan_is_empty(sandbox: Sandbox, number_style: str) -> None:
    """Thirty endpoints made elsewhere: with the variables set nothing is to do; no value is on the disk."""
    sandbox.sim.world.switch(number_style=number_style, env_order="shuffled")
    secrets = make_thirty(sandbox)
    specs = (sandbox.root / "specs.yaml").read_text()
    before = sandbox.sim.world.endpoints
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["written"] == [*SCHEMAS, "specs.yaml", "endpoints.yaml", ".env.example"]
    assert len(ran.document["imported"]) == 30
    assert len(sandbox.inventory) == 30
    everything = b"".join(sandbox.files().values()).decode() + ran.out + ran.err
    assert [value for value in secrets.values() if value in everything] == []

    assert sandbox.run("plan").code == 1
    for name, value in variables(sandbox, ran).items():
        sandbox.monkeypatch.setenv(name, value)
    planned = sandbox.plan()
    assert (planned.code, planned.document["unmanaged"]) == (0, []), planned.out
    assert [one for one in planned.codes if one != "partial"] == []
    assert sandbox.run("validate").code == 0
    assert sandbox.run("apply", "--auto-approve").code == 0
    assert (sandbox.sent(), sandbox.sim.world.endpoints) == ([], before)
    assert (sandbox.root / "specs.yaml").read_text() != specs
    example = (sandbox.root / ".env.example").read_text()
    assert "\n# odd\nODD_CI_TOKEN=\n" in example
    assert "and 17 more\nHF_TOKEN" not in example  # one has another token, so each has its own
    assert sandbox.run("import", "--all", "--out", "again.yaml").out == "Nothing to import.\n"


def test_many_take_one_listing_and_few_syncs(sandbox: Sandbox) -> None:
    """Records are made durable together: an account of 120 takes as many syncs as one of 1."""
    for number in range(120):
        sandbox.sim.world.console_create(name=f"made-{number}")
    synced = []

    def sync(disk: FileSystem, fd: int) -> None:
        synced.append(fd)

    sandbox.monkeypatch.setattr(FileSystem, "sync", sync)
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert ran.code == 0, ran.err
    assert len(sandbox.inventory) == 120
    assert len(sandbox.sent("list")) == 3  # two pages, and the one past the end
    assert len(synced) < 10


OURS = """\
# ours
specs:
- name: small   # the one
  resources: {gpu: '1', ephemeralStorage: '100'}
  platforms: {novita: {productId: SL-serverless-3, region: us-dallas-nas-2}}
"""


def test_what_is_there_is_kept(sandbox: Sandbox) -> None:
    """Specs that fit are used, comments stay, and .env.example only grows."""
    sandbox.write("specs.yaml", OURS)
    sandbox.write(".env.example", "# ours\nexport TOKEN=\nOTHER=")
    before = sandbox.files()
    create = sandbox.sim.world.console_create
    create(name="a", envs=env(TOKEN="one", NEW="n"))
    ran = sandbox.run("import", "--all", "--out", "endpoints/a.yaml")
    assert ran.code == 0, ran.err
    assert sandbox.files()["specs.yaml"] == before["specs.yaml"]
    assert (sandbox.root / "endpoints/.env.example").exists()
    create(name="b", envs=env(TOKEN="one", NEW="m"), workerConfig={"gpuNum": 2})
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert ran.code == 0, ran.err
    specs = sandbox.files()["specs.yaml"]
    assert specs.startswith(before["specs.yaml"])
    assert b"# generated by `reconciler import`\n- name: novita-sl-serverless-3-2gpu\n" in specs
    added = sandbox.files()[".env.example"].decode().removeprefix("# ours\nexport TOKEN=\nOTHER=\n")
    # TOKEN is read by what was imported first, and nobody knows here what it holds
    assert added == "\n# b\nB_NEW=\n\n# b\nB_TOKEN=\n"
    assert "set -a" not in ran.out
    assert "  cp .env.example .env   # then fill in 2 values; do not commit this file\n" in ran.out
    assert "  reconciler --env-file .env plan   # expected result: no changes" in ran.out


def test_a_selection_is_imported(sandbox: Sandbox) -> None:
    """By --match, --target and --exclude; what is declared or recorded already is not touched."""
    for name in ("a-1", "a-2", "b-1", "mine"):
        sandbox.sim.world.console_create(name=name, appName=name)
    sandbox.declare(item("mine"))
    ran = sandbox.run(
        "import", "--all", "--out", "endpoints/x.yaml", "--match", "a-*", "--exclude", "*-2", "--json"
    )
    assert [one["name"] for one in ran.document["imported"]] == ["a-1"]
    assert ran.document["imported"][0]["spec"] == "small"
    ran = sandbox.run("import", "--all", "--out", "endpoints/y.yaml", "--target", "zzz")
    assert (ran.code, "--target zzz matches no endpoint" in ran.err) == (1, True)
    ran = sandbox.run("import", "--all", "--out", "endpoints/y.yaml", "--match", "zzz")
    assert (ran.code, ran.out) == (0, "Nothing to import.\n")
    ran = sandbox.run("import", "--all", "--out", "endpoints/y.yaml")
    assert sandbox.plan("--target", "a-*", "--target", "b-*").code == 0
    assert set(sandbox.inventory) == {"a-1", "a-2", "b-1"}


def test_what_cannot_be_declared_is_told(sandbox: Sandbox) -> None:
    """Twins, no name, keys that YAML does not take: a warning with the IDs, and the rest goes on."""
    create = sandbox.sim.world.console_create
    twins = sorted((create(name="twin"), create(name="twin")))
    nameless, odd = create(name=""), create(name="odd", envs=[{"key": "A B", "value": ""}])
    create(name="good")
    gone = create(name="gone")
    sandbox.sim.world.switch(terminating_seconds=60)
    sandbox.sim.world.console_delete(gone)
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert ran.code == 0
    assert set(sandbox.inventory) == {"good"}
    for what in (", ".join(twins), nameless, odd):
        assert what in ran.err
    assert gone not in ran.err


@pytest.mark.parametrize("name", ["endpoints.yaml", "endpoints.json", "endpoints.txt"])
def test_a_file_is_never_overwritten(sandbox: Sandbox, name: str) -> None:
    """What is there stays, and so does everything else."""
    sandbox.sim.world.console_create(name="a")
    sandbox.declare()
    before = sandbox.files()
    ran = sandbox.run("import", "--all", "--out", name)
    assert (ran.code, "nothing was written" in ran.err) == (1, True)
    assert sandbox.files() == before


def test_a_file_that_no_plan_reads(sandbox: Sandbox) -> None:
    """It is proven with the `-f` that it takes, which is told, with what would happen without."""
    sandbox.sim.world.console_create(name="mine", appName="mine", **AS_DECLARED)
    sandbox.declare(item("mine"))
    sandbox.apply()
    sandbox.sim.world.console_create(name="a")
    ran = sandbox.run("import", "--all", "--out", "a b.yaml")
    command = "reconciler -f endpoints.yaml -f 'a b.yaml' plan"
    assert (ran.code, command in ran.out, command in ran.err) == (0, True, True)
    assert sandbox.plan("-f", "endpoints.yaml", "-f", "a b.yaml").code == 0
    ran = sandbox.run("-f", "endpoints.yaml", "import", "--all", "--out", "b.yaml", "--json")
    assert ran.document["imported"] == []


def test_an_endpoint_that_would_change_stops_all(sandbox: Sandbox) -> None:
    """What YAML cannot say comes out as a difference: nothing is written, and the hint leads around it."""
    create = sandbox.sim.world.console_create
    create(name="two-ports", ports=[{"port": 80}, {"port": 81}], envs=env(TOKEN="hf_secret"))
    create(name="zero", workerConfig={"minNum": 0, "maxNum": 0})
    create(name="good")
    before = sandbox.files()
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--exclude", "zero")
    assert ran.code == 1
    assert "port: " in ran.err
    assert "--exclude two-ports" in ran.err
    assert "hf_secret" not in ran.err
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml", "--exclude", "two-ports")
    assert (ran.code, "maxReplicas" in ran.err) == (1, True)
    assert sandbox.files() == before
    ran = sandbox.run(
        "import", "--all", "--out", "endpoints.yaml", "--exclude", "two-ports", "--exclude", "zero"
    )
    assert ran.code == 0


def test_a_lock_comes_before_the_files(sandbox: Sandbox) -> None:
    """While another run holds the inventory nothing is written, of files neither."""
    made = sandbox.sim.world.console_create(name="a")
    with open_session(
        FileStore(sandbox.root / "state/novita.json"),
        current_holder(command="apply", environ={}, clock=time.time),
        base_url=sandbox.sim.url,
    ):
        assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 7
        assert sandbox.run("import", "a", made).code == 7
    assert not (sandbox.root / "endpoints.yaml").exists()
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml", "--lock-timeout", "1s").code == 0


class Failing(FileSystem):
    """A disk that is full for one file."""

    def __init__(self, name: str) -> None:
        self._name = name

    def replace(self, source: Path, target: Path) -> None:
        if target.name == self._name:
            raise OSError(28, "No space left on device")
        super().replace(source, target)


@pytest.mark.parametrize("name", ["specs.yaml", "endpoints.yaml", ".env.example"])
def test_a_failure_halfway_is_harmless(sandbox: Sandbox, name: str) -> None:
    """Records come last: what is declared and not recorded is adopted, and nothing is ever deleted."""
    sandbox.sim.world.console_create(name="a", envs=env(TOKEN="t"), workerConfig={"gpuNum": 2})
    context = Context(root=sandbox.root, environ={"NOVITA_BASE_URL": sandbox.sim.url, "NOVITA_API_KEY": "k"})
    with pytest.raises(InvalidConfig) as caught:
        import_all(context, Path("endpoints.yaml"), disk=Failing(name))
    assert f"cannot write {name}: No space left on device" in caught.value.problem.summary
    assert not [path for path in sandbox.files() if path.endswith(".tmp")]
    sandbox.monkeypatch.setenv("TOKEN", "t")
    if not (sandbox.root / "endpoints.yaml").exists():
        sandbox.declare()
        assert sandbox.plan().code == 0
        (sandbox.root / "endpoints.yaml").unlink()
        assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 0
    else:
        assert sandbox.plan().actions == {"a": "adopt"}
        sandbox.apply()
    assert sandbox.plan().code == 0
    assert sandbox.sent() == []


def test_another_run_in_between_is_seen(sandbox: Sandbox) -> None:
    """A record that came meanwhile stops the import before anything is written."""
    made = sandbox.sim.world.console_create(name="a")
    other = Context(root=sandbox.root, environ={"NOVITA_BASE_URL": sandbox.sim.url, "NOVITA_API_KEY": "k"})
    first = Lock()  # two pages are read at once, and the other run comes once

    def on_call(_call: CallInfo) -> None:
        if first.acquire(blocking=False):
            import_record(other, "a", made)

    ours = replace(other, on_call=on_call)
    with pytest.raises(InvalidConfig) as caught:
        import_all(ours, Path("endpoints.yaml"))
    assert "another run" in caught.value.problem.summary
    assert not (sandbox.root / "endpoints.yaml").exists()
