"""What people are told of a controller: once, on time, and without a secret."""

from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.schema import load_schema
from reconciler.simulator import Fault
from tests.controller.notify.receiver import Receiver, receiver
from tests.e2e.run.controller import Controller
from tests.e2e.sandbox import KEY, Sandbox, item

AUTO = {"novita": {"settle_seconds": 0.05, "sync": {"apply": "auto"}}}
ONCE = ("run", "--once", "--poll", "0.1s")
TOKEN = "the-token-of-the-endpoint-0123456789"
THEIRS = "what-somebody-wrote-in-the-console"


@pytest.fixture
def told(sandbox: Sandbox) -> Iterator[Receiver]:
    """A webhook that RECONCILER_NOTIFY names."""
    with receiver() as server:
        sandbox.monkeypatch.setenv("RECONCILER_NOTIFY", server.url)
        yield server
    for document in server.documents:
        Draft202012Validator(load_schema("notification")).validate(document)


def events(server: Receiver) -> list[str]:
    """Return the kind and the subject of all events so far, and forget them."""
    found = [f"{event['kind']} {event['subject']}" for one in server.documents for event in one["events"]]
    server.requests.clear()
    return found


def test_the_life_of_an_endpoint_is_told_once(sandbox: Sandbox, told: Receiver) -> None:
    sandbox.declare(item("chat"))
    sandbox.run(*ONCE)
    (document,) = told.documents
    (event,) = document["events"]
    assert document["text"] == "reconciler: 1 waiting"
    assert event["summary"] == "A plan waits for an approval: Plan: 1 to add, 0 to change, 0 to destroy."
    assert len(event["digest"]) >= 12
    assert events(told) == ["waiting plan"]
    sandbox.run(*ONCE)
    assert events(told) == []

    sandbox.write("config.yaml", AUTO)
    sandbox.run(*ONCE)
    assert events(told) == ["applied plan"]

    sandbox.sim.world.edit(sandbox.id("chat"), lambda one: one["workerConfig"].update(maxNum=7))
    sandbox.run(*ONCE)
    (event,) = told.documents[0]["events"]
    assert event["details"] == ["maxReplicas: 1 → 7"]
    assert events(told) == ["drift_found novita_endpoint.chat"]
    sandbox.run(*ONCE)
    assert events(told) == []
    assert sandbox.run("drift", "revert", "--auto-approve").code == 0
    sandbox.run(*ONCE)
    assert events(told) == ["drift_gone novita_endpoint.chat"]


def test_files_that_are_not_valid_are_told_with_their_place(sandbox: Sandbox, told: Receiver) -> None:
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"))
    sandbox.run(*ONCE)
    events(told)
    sandbox.declare(item("chat", replicas="many"))
    sandbox.run(*ONCE)
    (event,) = told.documents[0]["events"]
    assert (event["kind"], event["subject"]) in [("refused", "source"), ("failed", "source")]
    assert "endpoints.yaml:" in event["summary"]
    events(told)
    sandbox.declare(item("chat"))
    sandbox.run(*ONCE)
    assert events(told) == ["recovered source"]


def test_nothing_that_is_told_has_a_secret(sandbox: Sandbox, told: Receiver) -> None:
    """Drift of secrets, messages of the server that quote them, and the URL of the webhook itself."""
    sandbox.monkeypatch.setenv("TOKEN", TOKEN)
    sandbox.write("config.yaml", AUTO)
    secretive = item("chat", env={"TOKEN": "${env:TOKEN}"}, command="serve --flag ${env:TOKEN}")
    sandbox.declare(secretive)
    said = [sandbox.run(*ONCE, "-v")]
    live = [{"key": "TOKEN", "value": THEIRS}, {"key": "NEW", "value": THEIRS}]
    sandbox.sim.world.edit(
        sandbox.id("chat"), lambda one: (one.update(envs=live), one["image"].update(command=THEIRS))
    )
    said.append(sandbox.run(*ONCE, "-v"))
    fault = Fault(
        operation="create", status=400, reason="VALIDATOR_PARAM", message=f"{TOKEN} and Bearer {KEY}"
    )
    sandbox.sim.faults.add(fault)
    sandbox.declare(secretive, item("embed", env={"T": "${env:TOKEN}"}))
    said.append(sandbox.run(*ONCE, "-v"))
    bodies = [body.decode() for _, _, body in told.requests]
    assert [line for line in bodies if "env.NEW" in line], "the name of the field is told"
    assert "failed novita_endpoint.embed" in events(told)
    text = "\n".join([*bodies, *(ran.out + ran.err for ran in said)])
    text += "".join(content.decode(errors="replace") for content in sandbox.files().values())
    for secret in (TOKEN, TOKEN[:16], KEY, THEIRS, "THE-SECRET"):
        assert secret not in text


def test_a_webhook_that_is_away_does_not_delay_a_round(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("RECONCILER_NOTIFY_OPS", "http://127.0.0.1:9/THE-SECRET")
    ran = sandbox.run(*ONCE, "--notify", "RECONCILER_NOTIFY_OPS")
    assert ran.code == 0
    assert "notification to RECONCILER_NOTIFY_OPS was dropped: the server cannot be reached" in ran.err
    assert "SECRET" not in ran.err


@pytest.mark.parametrize("given", ["https://hooks.slack.com/services/THE-SECRET", "OPS"])
def test_a_url_is_not_taken_from_the_command_line(sandbox: Sandbox, given: str) -> None:
    sandbox.declare(item("chat"))
    ran = sandbox.run(*ONCE, "--notify", given)
    assert ran.code == 1
    assert "export RECONCILER_NOTIFY_TEAM=URL" in ran.err
    assert "SECRET" not in ran.out + ran.err
    assert sandbox.sim.requests == []


def test_a_reference_never_reads_the_url(sandbox: Sandbox, told: Receiver) -> None:
    sandbox.declare(item("chat", env={"URL": "${env:RECONCILER_NOTIFY}"}))
    ran = sandbox.run("plan")
    assert ran.code == 1
    assert "references never read RECONCILER_NOTIFY" in ran.out + ran.err


def test_a_new_leader_repeats_nothing_although_the_state_could_not_be_written_for_a_time(
    sandbox: Sandbox,
) -> None:
    """People are told of an outage while it lasts; the state is kept as soon as it can be."""
    controller = Controller(sandbox=sandbox)
    sandbox.write("config.yaml", AUTO)
    sandbox.declare(item("chat"))
    controller.run_until(1)
    document = next(sandbox.root.glob("state/*.run.sync.json"))
    content = document.read_text()

    def obstruct() -> None:
        document.unlink()
        document.mkdir()
        sandbox.sim.world.edit(sandbox.id("chat"), lambda one: one["workerConfig"].update(maxNum=7))
        sandbox.declare(item("chat"), item("embed"))

    def clear() -> None:
        document.rmdir()
        document.write_text(content)

    controller.clock.at(1.02, obstruct)
    controller.clock.at(1.1, clear)
    controller.run_until(1.15)
    (found,) = controller.told("drift_found")
    assert found.at.minute < 6
    controller.run_until(3)
    assert controller.told("drift_found") == [found]
    assert len(controller.told("applied")) == 2
