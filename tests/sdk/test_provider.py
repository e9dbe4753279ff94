"""The seed's calls in Python: names, fields, defaults and answers are the seed's, and the core is ours."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler import (
    AsyncNovitaDeploymentProvider,
    Client,
    DeployRequest,
    EndpointNotFound,
    Happening,
    InvalidConfig,
    InventoryLocked,
    KeyRefused,
    NotApplied,
    NovitaDeploymentProvider,
    ReconcilerError,
    Refused,
    ReplicaEvent,
    Secret,
    UnsupportedByNovita,
    UpdateDeploymentRequest,
)
from reconciler.simulator import Fault, Server

from .conftest import KEY, NOW, SPEC

TOKEN = "a-value-that-nobody-may-see-4711"


def request(name: str = "probe", **fields: Any) -> DeployRequest:
    return DeployRequest(**{"endpoint": name, "spec_name": "small", "image": "ubuntu:22.04", **fields})


def settings(sim: Server, name: str = "probe") -> dict[str, Any]:
    return next(one for one in sim.world.endpoints if one["name"] == name)


def counts(sim: Server, name: str = "probe") -> tuple[int, int]:
    worker = settings(sim, name)["workerConfig"]
    return worker["minNum"], worker["maxNum"]


def writes(sim: Server) -> list[str]:
    return [one.operation for one in sim.requests if one.method == "POST"]


def test_deploy_makes_what_was_asked_for(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """With the seed's defaults, and an answer that says what became of it and when."""
    answer = provider.deploy(request(env={"A": "1"}, task_timeout=1200))
    made = settings(sim)
    assert (answer.endpoint, answer.created_at) == ("probe", NOW)
    assert made["id"] in answer.message
    assert counts(sim) == (1, 1)
    assert made["workerConfig"]["freeTimeout"] == 1200
    assert made["envs"] == [{"key": "A", "value": "1"}]


def test_preview_is_the_body_that_deploy_sends(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Nobody is asked for it; env values are masked until revealed."""
    asked = request(env={"TOKEN": TOKEN}, min_replicas=0, policy={"type": "queue", "value": 5})
    assert TOKEN not in provider.preview_deployment(asked)
    shown = provider.preview_deployment(asked, reveal=True)
    assert sim.requests == []
    provider.deploy(asked)
    (sent,) = (one for one in sim.requests if one.operation == "create")
    assert sent.body.decode() == shown


def test_every_field_of_the_seed_is_taken(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """What Novita does not have is accepted and never sent, also in its empty spelling."""
    provider.deploy(
        request(
            max_pending_tasks=10,
            min_replicas=1,
            max_replicas=10,
            scale_up_threshold=2,
            scale_down_idle_time=300,
            scale_up_cooldown=30,
            scale_down_cooldown=60,
            priority=50,
            enable_dynamic_prio=True,
            high_load_threshold=10,
            priority_boost=20,
            volume_mounts=(),
            shm_size="",
            enable_ptrace=False,
        )
    )
    assert counts(sim) == (1, 10)
    assert settings(sim)["policy"] == {"type": "concurrency", "value": 2}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"spec_name": "smal"}, "there is no spec `smal`"),
        ({"replicas": 0}, "no worker that could ever start"),
        ({"env": {"A": 1}}, "`env.A` must be text, not a number"),
        ({"shm_size": "1Gi"}, "Shared memory size configuration not applicable to Novita"),
        ({"enable_ptrace": True}, "Ptrace capability not applicable to Novita"),
        ({"volume_mounts": [{"pvcName": "p", "mountPath": "/p"}]}, "PVC volume mounts are not supported"),
        ({"image": ""}, "`image` is empty"),
        ({"endpoint": "No_Label"}, "cannot be the appName"),
    ],
)
def test_a_request_that_cannot_be_is_refused_before_anything_is_sent(
    provider: NovitaDeploymentProvider, sim: Server, fields: dict[str, Any], words: str
) -> None:
    """In the seed's words where it has any, and the problem names the field instead of a place."""
    with pytest.raises(InvalidConfig) as caught:
        provider.deploy(request(**fields))
    assert words in str(caught.value)
    assert {problem.place for problem in caught.value.problems if "specs" not in str(problem.place)} <= {None}
    assert sim.requests == []


@pytest.mark.parametrize("fields", [{"env": {1: "x"}}, {"endpoint": None}])
def test_a_request_of_wrong_types_is_refused_like_any_other(
    provider: NovitaDeploymentProvider, fields: dict[str, Any]
) -> None:
    """Nothing but the package's own errors comes out of what an untyped caller passes."""
    with pytest.raises(InvalidConfig):
        provider.preview_deployment(request(**fields))


def test_text_is_literal(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """A program that writes `${` means it."""
    provider.deploy(request(env={"A": "${env:HOME} $${x}"}, command="run ${PORT}"))
    assert settings(sim)["envs"] == [{"key": "A", "value": "${env:HOME} $${x}"}]
    assert settings(sim)["image"]["command"] == "run ${PORT}"


def test_a_name_is_deployed_once(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """The second is refused, whoever made the first."""
    provider.deploy(request())
    with pytest.raises(NotApplied, match="exists already"):
        provider.deploy(request())
    sim.world.console_create(name="theirs", appName="theirs")
    with pytest.raises(NotApplied, match="exists already"):
        provider.deploy(request("theirs"))
    assert writes(sim) == ["create"]


def test_unset_differs_from_zero_and_from_empty(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """None leaves a field as it is; 0 scales to zero and keeps the most; {} removes all variables."""
    provider.deploy(request(replicas=3, env={"A": "1", "B": "2"}))
    answer = provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", image="ubuntu:24.04"))
    assert (answer.message, answer.created_at) == ("endpoint updated", NOW)
    assert counts(sim) == (3, 3)
    assert len(settings(sim)["envs"]) == 2
    provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", replicas=0, task_timeout=60))
    assert counts(sim) == (0, 3)
    assert settings(sim)["workerConfig"]["freeTimeout"] == 60
    provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={"C": "3"}))
    assert settings(sim)["envs"] == [{"key": "C", "value": "3"}]
    provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={}))
    assert settings(sim)["envs"] == []
    answer = provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={}))
    assert answer.message == "nothing to change"
    assert settings(sim)["image"]["image"] == "ubuntu:24.04"


def test_an_update_that_cannot_be_is_refused(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Before anything is asked; a reference is a text like others, and no number."""
    bad: list[dict[str, Any]] = [{"image": "a:1 b"}, {"replicas": "${env:N}"}, {"env": {"A": 1}}]
    for fields in bad:
        with pytest.raises(InvalidConfig):
            provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", **fields))
    assert sim.requests == []


def test_scale_app_sets_the_workers(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Surplus ones are drained first where that is asked for."""
    provider.deploy(request())
    provider.scale_app("probe", 5)
    assert counts(sim) == (5, 5)
    provider.scale_app("probe", 3, drain=True)
    assert writes(sim) == ["create", "update", "drain", "drain", "update"]
    provider.scale_app("probe", 0)
    assert counts(sim) == (0, 3)


def test_looking_at_what_is_there(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """By name, by ID and all of them, with counts that mean what the seed's mean."""
    provider.deploy(request(min_replicas=2, max_replicas=4))
    sim.world.console_create(name="theirs", appName="theirs")
    app = provider.get_app("probe")
    assert (app.name, app.status, app.image) == ("probe", "Running", "ubuntu:22.04")
    assert (app.replicas, app.ready_replicas, app.available_replicas) == (4, 2, 2)
    assert app.labels == {"provider": "novita", "endpoint-id": app.id, "region": "us-dallas-nas-2"}
    assert [(one.state, one.healthy) for one in app.workers] == [("running", True)] * 2
    assert provider.get_app(app.id) == app
    assert [one.name for one in provider.list_apps()] == ["probe", "theirs"]
    status = provider.get_app_status("probe")
    assert (status.endpoint, status.status, status.message) == ("probe", "Running", "")
    assert (status.total_replicas, status.ready_replicas, status.available_replicas) == (2, 2, 2)


@pytest.mark.parametrize(
    "call",
    [
        lambda p: p.get_app("nobody"),
        lambda p: p.get_app_status("nobody"),
        lambda p: p.scale_app("nobody", 1),
        lambda p: p.delete_app("nobody"),
        lambda p: p.update_deployment(UpdateDeploymentRequest(endpoint="nobody", replicas=1)),
    ],
)
def test_what_is_not_there_is_not_found(
    provider: NovitaDeploymentProvider, call: Callable[[NovitaDeploymentProvider], object]
) -> None:
    """In the seed's words."""
    with pytest.raises(EndpointNotFound, match="endpoint not found in Novita"):
        call(provider)


def test_several_of_one_name_are_refused(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """With the IDs, by changes and by looks."""
    ids = [sim.world.console_create(name="twin", appName=f"twin-{number}") for number in (1, 2)]
    calls: list[Callable[[], object]] = [
        lambda: provider.delete_app("twin"),
        lambda: provider.scale_app("twin", 2),
        lambda: provider.get_app("twin"),
    ]
    for call in calls:
        with pytest.raises(ReconcilerError) as caught:
            call()
        assert all(one in str(caught.value) for one in ids)
    assert writes(sim) == []


def test_delete_app_deletes(provider: NovitaDeploymentProvider, sim: Server, tmp_path: Path) -> None:
    """What was made here, and what nobody recorded."""
    provider.deploy(request())
    sim.world.console_create(name="theirs", appName="theirs")
    provider.delete_app("probe")
    provider.delete_app("theirs")
    assert sim.world.endpoints == []
    assert json.loads((tmp_path / "inventory.json").read_text())["endpoints"] == {}


def test_delete_app_never_returns_while_the_endpoint_lives(
    provider: NovitaDeploymentProvider, sim: Server
) -> None:
    """One that was renamed elsewhere is not deleted, and neither is another that took its name."""
    provider.deploy(request())
    sim.world.edit(provider.get_app("probe").id, lambda fields: fields.update(name="moved"))
    other = sim.world.console_create(name="probe", appName="other")
    with pytest.raises(NotApplied, match="`moved`"):
        provider.delete_app("probe")
    sim.world.console_delete(other)
    with pytest.raises(NotApplied, match="called `moved` now"):
        provider.delete_app("probe")
    assert [one["name"] for one in sim.world.endpoints] == ["moved"]


@pytest.mark.parametrize("interval", [0, -1.0])
def test_a_watch_that_would_not_wait_is_refused(
    provider: NovitaDeploymentProvider, sim: Server, interval: float
) -> None:
    """It would end after its first look without a word."""
    with pytest.raises(InvalidConfig, match="poll_interval"):
        provider.watch_replicas(print, poll_interval=interval)
    with pytest.raises(InvalidConfig, match="poll_interval"):
        next(provider.replica_events(poll_interval=interval))
    assert sim.requests == []


def test_what_novita_answers_is_raised_as_itself(
    provider: NovitaDeploymentProvider, sim: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused image, a refused key, and a value that Novita changed."""
    monkeypatch.setattr("reconciler.model.durations.VISIBLE_TIMEOUT", 1.0)
    sim.faults.add(Fault(operation="create", status=400, reason="IMAGE_NOT_FOUND"))
    with pytest.raises(Refused):
        provider.deploy(request())
    provider.deploy(request())
    sim.faults.add(Fault(operation="update", kind="error_in_2xx", status=401, reason="INVALID_API_KEY"))
    with pytest.raises(KeyRefused):
        provider.scale_app("probe", 2)
    sim.faults.after("update", lambda _: sim.world.console_update(settings(sim)["id"], policy={"value": 7}))
    sim.faults.after(
        "update", lambda _: sim.world.console_update(settings(sim)["id"], workerConfig={"maxNum": 9})
    )
    with pytest.raises(NotApplied):
        provider.scale_app("probe", 3)


def test_a_lost_answer_is_looked_for(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """One endpoint, one answer."""
    sim.faults.add(Fault(operation="create", kind="lost_answer"))
    provider.deploy(request())
    assert len(sim.world.endpoints) == 1
    assert writes(sim) == ["create"]


def test_threads_take_turns(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Changes from many threads all happen, and none fails for another."""
    failures: list[BaseException] = []

    def make(number: int) -> None:
        try:
            provider.deploy(request(f"probe-{number}"))
            provider.scale_app(f"probe-{number}", 2)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert {counts(sim, f"probe-{number}") for number in range(6)} == {(2, 2)}


def test_another_process_is_waited_for_no_longer_than_told(client: Client, tmp_path: Path) -> None:
    """The lock of the inventory is the commands' lock."""
    from reconciler.inventory.lock_holder import current_holder
    from reconciler.inventory.stores.file.lock import hold

    inventory = tmp_path / "inventory.json"
    provider = NovitaDeploymentProvider(client, [SPEC], inventory, lock_timeout=0.0)
    held = hold(inventory, current_holder(command="apply", environ={}, clock=lambda: 0.0))
    with held, pytest.raises(InventoryLocked):
        provider.deploy(request())


def test_specs_as_they_are_written(
    provider: NovitaDeploymentProvider, client: Client, tmp_path: Path
) -> None:
    """All of them, one by name, and a bad form at once."""
    (spec,) = provider.list_specs()
    assert provider.get_spec("small") == spec
    assert (spec.display_name, spec.gpu, spec.gpu_type, spec.ephemeral_storage) == (
        "Small",
        "1",
        "RTX",
        "100",
    )
    assert (spec.product_id, spec.region) == ("SL-serverless-3", "us-dallas-nas-2")
    with pytest.raises(InvalidConfig, match="there is no spec `large`"):
        provider.get_spec("large")
    with pytest.raises(InvalidConfig, match="has no `name`"):
        NovitaDeploymentProvider(client, [{"resources": {}}], tmp_path / "inventory.json")


def test_events_tell_changes_and_nothing_else(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """One for what is there at first if that is asked for, one a change, one for what is gone."""
    stop = threading.Event()
    provider.deploy(request())
    events = provider.replica_events(poll_interval=0.01, stop=stop, initial=True)
    first = next(events)
    assert (first.name, first.happenings, first.desired_replicas) == ("probe", (Happening.PRESENT,), 1)
    provider.scale_app("probe", 3)
    scaled = next(events)
    assert (scaled.desired_replicas, Happening.SCALED in scaled.happenings) == (3, True)
    provider.delete_app("probe")
    gone = next(event for event in events if Happening.DELETED in event.happenings)
    assert gone.name == "probe"
    stop.set()
    assert list(events) == []


def test_a_callback_is_told_until_it_is_stopped(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """The seed's WatchReplicas."""
    stop = threading.Event()
    told: list[ReplicaEvent] = []

    def tell(event: ReplicaEvent) -> None:
        told.append(event)
        stop.set()

    sim.world.console_create(name="theirs", appName="theirs")
    provider.watch_replicas(tell, poll_interval=0.01, stop=stop, initial=True)
    assert [event.name for event in told] == ["theirs"]


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda p: p.get_app_logs("probe"), "console.novita.ai"),
        (lambda p: p.get_pods("probe"), "reconciler get"),
        (lambda p: p.describe_pod("probe", "w-1"), "reconciler get"),
        (lambda p: p.get_pod_yaml("probe", "w-1"), "reconciler get"),
    ],
)
def test_what_novita_does_not_offer_says_where_to_look(
    provider: NovitaDeploymentProvider, call: Callable[[NovitaDeploymentProvider], object], where: str
) -> None:
    """At once, without a call."""
    for one in (provider, AsyncNovitaDeploymentProvider(provider)):
        with pytest.raises(UnsupportedByNovita) as caught:
            call(one)  # type: ignore[arg-type]
        assert where in caught.value.problem.hint


def test_network_storages_are_listed(provider: NovitaDeploymentProvider) -> None:
    """The account has none; the awaited call answers the same."""
    assert provider.list_pvcs() == []
    assert asyncio.run(AsyncNovitaDeploymentProvider(provider).list_pvcs()) == []


def test_the_same_calls_awaited(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Nothing is implemented twice, and every call is there."""

    async def life() -> list[str]:
        async with AsyncNovitaDeploymentProvider(provider) as awaited:
            await asyncio.gather(*(awaited.deploy(request(f"probe-{number}")) for number in range(3)))
            await awaited.scale_app("probe-0", 2)
            await awaited.update_deployment(UpdateDeploymentRequest(endpoint="probe-1", replicas=3))
            await awaited.delete_app("probe-2")
            assert (await awaited.get_app("probe-0")).replicas == 2
            assert (await awaited.get_app_status("probe-1")).total_replicas == 3
            assert [spec.name for spec in await awaited.list_specs()] == ["small"]
            assert (await awaited.get_spec("small")).gpu == "1"
            assert "probe" in await awaited.preview_deployment(request())
            async for event in awaited.replica_events(poll_interval=0.01, initial=True):
                assert event.name == "probe-0"
                break
            return [app.name for app in await awaited.list_apps()]

    assert asyncio.run(life()) == ["probe-0", "probe-1"]
    own = {name for name in dir(NovitaDeploymentProvider) if not name.startswith("_")}
    assert own - set(dir(AsyncNovitaDeploymentProvider)) == {"from_config", "watch_replicas"}


def test_nothing_leaks(provider: NovitaDeploymentProvider, sim: Server, tmp_path: Path) -> None:
    """Neither the key nor an env value is in a file, an answer or an error."""
    said: list[object] = [provider.deploy(request(env={"TOKEN": TOKEN}))]
    said.append(
        provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={"TOKEN": TOKEN + "2"}))
    )
    said += [provider, provider.get_app("probe"), provider.list_apps(), provider.get_app_status("probe")]
    sim.faults.add(
        Fault(operation="update", status=400, reason="VALIDATOR_PARAM", message=f"bad {TOKEN} {KEY}")
    )
    with pytest.raises(Refused) as caught:
        provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={"TOKEN": TOKEN}))
    said += [caught.value, *caught.value.problems]
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (TOKEN, KEY):
        assert secret not in repr(said)
        assert secret.encode() not in files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the commands read."""
    (tmp_path / "specs.yaml").write_text(json.dumps({"specs": [SPEC]}))
    (tmp_path / "endpoints.yaml").write_text(
        json.dumps({"endpoints": [{"endpoint": "chat", "specName": "small", "image": "ubuntu:22.04"}]})
    )
    (tmp_path / "config.yaml").write_text("novita: {poll_interval: 0.01}")
    return tmp_path


def test_from_config_reads_what_the_commands_read(folder: Path, sim: Server) -> None:
    """Specs, what is declared and protected, the inventory, and the environment's word on key and address."""
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    with NovitaDeploymentProvider.from_config(folder, environ=environ) as provider:
        provider.deploy(request("chat"))
        provider.deploy(request("probe"))
        assert [spec.name for spec in provider.list_specs()] == ["small"]
        assert next(provider.replica_events(initial=True)).name == "chat"
        records = json.loads((folder / "state/novita.json").read_text())["endpoints"]
        assert [records[name].get("origin") for name in ("chat", "probe")] == [None, "imperative"]
        protected = {
            "endpoint": "chat",
            "specName": "small",
            "image": "x:1",
            "lifecycle": {"preventDestroy": True},
        }
        (folder / "endpoints.yaml").write_text(json.dumps({"endpoints": [protected]}))
        with pytest.raises(NotApplied, match="preventDestroy"):
            provider.delete_app("chat")


def test_a_broken_specs_file_is_an_error(folder: Path, sim: Server) -> None:
    """And no empty list; a missing endpoints.yaml is none of a caller's business."""
    (folder / "specs.yaml").write_text("specs: [{nam: small}]")
    (folder / "endpoints.yaml").unlink(missing_ok=True)
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    with NovitaDeploymentProvider.from_config(folder, environ=environ) as provider:
        for call in (
            provider.list_specs,
            lambda: provider.get_spec("small"),
            lambda: provider.preview_deployment(request()),
        ):
            with pytest.raises(InvalidConfig, match="has no `name`") as caught:
                call()
            assert "no-endpoints" not in {problem.code for problem in caught.value.problems}


def test_from_config_needs_a_key(folder: Path, sim: Server) -> None:
    """In the seed's words, and before anything is asked."""
    with pytest.raises(InvalidConfig, match="novita API key is required"):
        NovitaDeploymentProvider.from_config(folder, environ={})
    (folder / "config.yaml").write_text("novita: {enabled: false}")
    with pytest.raises(InvalidConfig, match="novita provider is not enabled"):
        NovitaDeploymentProvider.from_config(folder, environ={"NOVITA_API_KEY": KEY})


def test_a_client_that_was_given_stays_open(client: Client, provider: NovitaDeploymentProvider) -> None:
    """It is the caller's; one that was made is closed."""
    provider.close()
    assert provider.list_apps() == []


def test_a_key_of_its_own_keeps_fingerprints_comparable(sim: Server, tmp_path: Path) -> None:
    """Two API keys that share one inventory know each other's secrets."""
    inventory = tmp_path / "inventory.json"

    def key_of_the_fingerprint() -> object:
        record = json.loads(inventory.read_text())["endpoints"]["probe"]
        return record["applied"]["envs"]["A"]["key"]

    for key in ("sk_one", "sk_two"):
        with Client(sim.url, Secret(value=key, source="test")) as client:
            provider = NovitaDeploymentProvider(client, [SPEC], inventory, state_key="shared")
            if key == "sk_one":
                provider.deploy(request(env={"A": "1"}))
            seen = key_of_the_fingerprint()
            provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", env={"A": "2"}))
            assert key_of_the_fingerprint() == seen


def test_from_config_in_an_environment(folder: Path, sim: Server) -> None:
    """It has the inventory of the environment; a protected one keeps what it declares."""
    (folder / "config.yaml").write_text(
        "environments: {dev: {}, prod: {name: '{name}-prod', protected: true}}"
    )
    environ = {"NOVITA_API_KEY": KEY, "NOVITA_BASE_URL": sim.url}
    with pytest.raises(InvalidConfig, match="no environment is chosen"):
        NovitaDeploymentProvider.from_config(folder, environ=environ)
    with NovitaDeploymentProvider.from_config(folder, environ=environ, environment="prod") as provider:
        provider.deploy(request("chat-prod"))
        provider.deploy(request("probe"))
        assert set(json.loads((folder / "state/prod.json").read_text())["endpoints"]) == {
            "chat-prod",
            "probe",
        }
        with pytest.raises(NotApplied, match="protected"):
            provider.delete_app("chat-prod")
        provider.delete_app("probe")
    with NovitaDeploymentProvider.from_config(
        folder, environ={**environ, "RECONCILER_ENV": "dev"}
    ) as provider:
        provider.deploy(request("chat"))
        assert (folder / "state/dev.json").exists()


def test_d1_fields_of_waverless_clients(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """They are accepted without an effect, checked against the spec, or refused with the way out."""
    credential = {"registry": "ghcr.io", "username": "robot", "password": TOKEN}
    refused = request(registry_credential=credential)
    assert TOKEN not in repr(refused)
    with pytest.raises(InvalidConfig) as caught:
        provider.deploy(refused)
    assert "imageAuthId" in caught.value.problems[0].hint
    with pytest.raises(InvalidConfig, match="gpuCount"):
        provider.deploy(request(gpu_count=8))
    assert writes(sim) == []
    provider.deploy(
        request(gpu_count=1, labels={"a": "b"}, image_prefix="x", validate_image=True, registry_credential={})
    )
    assert "labels" not in settings(sim)


def test_d2_images_are_checked(provider: NovitaDeploymentProvider, sim: Server) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidConfig, match="lower case"):
        provider.deploy(request(image="AcmeAI/Chat:1"))
    with pytest.raises(InvalidConfig, match="cannot contain `/`"):
        provider.update_deployment(UpdateDeploymentRequest(endpoint="probe", image="chat:feature/login"))
    assert writes(sim) == []
