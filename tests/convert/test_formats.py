"""Forms of fields that the samples of docs/convert/ do not have."""

from typing import Any

import pytest

from reconciler.convert.notes import Note
from reconciler.model.resource import ENDPOINT, REGISTRY
from tests.convert.support import converted


def endpoint(text: str, format_name: str) -> dict[str, Any]:
    (item,) = converted(text, format_name)[0].items[ENDPOINT]
    return dict(item)


def reasons(notes: list[Note]) -> dict[str, str]:
    return {note.field: note.reason for note in notes}


DSTACK = "type: service\nname: chat\nimage: ghcr.io/acme/chat:1\n"
SKYPILOT = "name: chat\nresources: {image_id: 'docker:a/b:1'}\n"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("port: '80:8001'", {"port": 8001}),
        ("port: {local_port: 80, container_port: 8001}", {"port": 8001}),
        ("replicas: 3", {"replicas": 3}),
        ("replicas: {min: 0, max: 2}", {"minReplicas": 0, "maxReplicas": 2}),
        ("replicas: 0", {"minReplicas": 0, "maxReplicas": 1}),
        ("entrypoint: serve --port 8001", {"command": "serve --port 8001"}),
        ("commands: [serve]\nentrypoint: x", {"command": "serve"}),
        ("scaling: {scale_down_delay: 90}", {"freeTimeout": 90}),
        ("env: {A: null, B: '${{ secrets.B_KEY }}'}", {"env": {"A": "${env:A}", "B": "${env:B_KEY}"}}),
        ("env: {A: 'x-${{ secrets.B }}'}", {"env": {"A": "${env:CHAT_A}"}}),
        ("resources: {gpu: 'nvidia:H100,A100:2..4'}", {"specName": "h100-2gpu"}),
        ("resources: {gpu: 24GB}", {"specName": "any-1gpu"}),
        ("resources: {gpu: {name: L4, count: 2, memory: 24GB}}", {"specName": "l4-24gb-2gpu"}),
        ("resources: {gpu: {name: [L4, T4], vendor: amd, compute_capability: 8}}", {"specName": "l4-1gpu"}),
        ("resources: {gpu: 'tpu:v5:2', disk: {size: 50GB..}}", {"specName": "v5-2gpu"}),
    ],
)
def test_dstack(text: str, fields: dict[str, Any]) -> None:
    item = endpoint(DSTACK + text, "dstack")
    assert {name: item.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("service: {readiness_probe: /ready, replicas: 2}", {"healthPath": "/ready", "replicas": 2}),
        ("service: {replica_policy: {min_replicas: 2}}", {"replicas": 2}),
        (
            "service: {replica_policy: {min_replicas: 0, max_replicas: 3}}",
            {"minReplicas": 0, "maxReplicas": 3},
        ),
        ("service: {ports: 8001}", {"port": 8001}),
        ("service: {}\nrun: python -m server", {"command": "python -m server"}),
    ],
)
def test_skypilot(text: str, fields: dict[str, Any]) -> None:
    item = endpoint(SKYPILOT + text, "skypilot")
    assert {name: item.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("accelerators", "spec"),
    [
        ("H100:8", "h100-8gpu"),
        ("H100", "h100-1gpu"),
        ("{L4:8, A10g:8}", "l4-8gpu"),
        ("[L4:2, T4:2]", "l4-2gpu"),
        ("{L4: 2}", "l4-2gpu"),
        ("'{L4:1, T4:1}'", "l4-1gpu"),
        ("{L4: 1, T4: 2}", "l4-1gpu"),
        ("{L4: 0.5}", "l4-1gpu"),
        ("[]", "any-1gpu"),
    ],
)
def test_accelerators_of_skypilot(accelerators: str, spec: str) -> None:
    text = f"service: {{}}\nresources: {{accelerators: {accelerators}, ports: [8001, 9000]}}\n"
    assert endpoint(text, "skypilot")["specName"] == spec


def test_variables_that_only_the_tool_sets_are_noted() -> None:
    script = "run: serve --gpus $SKYPILOT_NUM_GPUS_PER_NODE\nservice: {}\n"
    _, notes = converted(SKYPILOT + script, "skypilot")
    assert "nobody sets SKYPILOT_NUM_GPUS_PER_NODE here: add them to `env`" in [note.reason for note in notes]


def test_a_service_without_a_gpu_beside_others_is_doubtful() -> None:
    """A database or a cache; a file without any GPU is converted as a whole."""
    gpu, plain = "  a: {image: 'x:1', runtime: nvidia}\n", "  b: {image: 'redis:7'}\n"
    from reconciler.convert.docker_compose import convert
    from reconciler.convert.source import Origin
    from reconciler.yamlfile.reader import parse

    def doubts(services: str) -> list[bool]:
        parts = convert(Origin(parse(f"services:\n{services}", "compose.yaml")))
        return [bool(one.doubt) for one in parts.candidates]

    assert doubts(gpu + plain) == [False, True]
    assert doubts(plain) == [False]


@pytest.mark.parametrize(
    ("service", "fields"),
    [
        ("ports: [{target: 8001, published: 80}]", {"port": 8001}),
        ("ports: ['127.0.0.1:80:8001/tcp', '53:53/udp']", {"port": 8001}),
        ("ports: ['${PORT:-8001}:${PORT:-8001}']", {"port": "${env:PORT:-8001}"}),
        ("ports: ['8000-8010']", {"port": None}),
        ("scale: 0", {"minReplicas": 0, "maxReplicas": 1}),
        ("command: serve --port 8001", {"command": "serve --port 8001"}),
        ("command: [sh, -c, 'echo \"$$HOME\"']", {"command": "sh -c 'echo \"$HOME\"'"}),
        ("entrypoint: serve", {"command": "serve"}),
        ("healthcheck: {test: 'curl http://localhost'}", {"healthPath": "/"}),
        ("healthcheck: {test: pg_isready}", {"healthPath": None}),
        ("healthcheck: {test: 'curl http://[ -f'}", {"healthPath": "/"}),
        ("healthcheck: {test: 'curl -f http://x:80/a/b?c=d || exit 1'}", {"healthPath": "/a/b"}),
        ("environment: {A: null, B: 1.10, C: ''}", {"env": {"A": "${env:A}", "B": "${env:B}", "C": ""}}),
        ("environment: {A: '${X:+y}', HOME: '${HOME}'}", {"env": {"HOME": "${env:CHAT_HOME}"}}),
        (
            "deploy: {resources: {reservations: {devices: [{device_ids: ['0', '3']}]}}}",
            {"specName": "any-2gpu"},
        ),
    ],
)
def test_docker_compose(service: str, fields: dict[str, Any]) -> None:
    item = endpoint(f"services:\n  chat:\n    image: a/b:1\n    {service}\n", "docker-compose")
    assert {name: item.get(name) for name in fields} == fields


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        ("workers=3", {"minReplicas": 0, "maxReplicas": 3}),
        ("workers=(2, 2)", {"replicas": 2}),
        ("workers=(3, 1)", {"replicas": None, "minReplicas": None}),
        ("image=os.environ['IMAGE']", {"image": "${env:IMAGE}"}),
        ("image=os.getenv('IMAGE', 'a/b:1')", {"image": "${env:IMAGE:-a/b:1}"}),
        ("template=PodTemplate(imageName='a/b:1')", {"image": "a/b:1"}),
        ("execution_timeout_ms=1500", {"requestTimeout": 2}),
        ("execution_timeout_ms=0", {"requestTimeout": None}),
        ("gpu=[GpuGroup.AMPERE_24, GpuType.NVIDIA_L4]", {"specName": "rtx-a5000-1gpu"}),
        ("scaler_type=other()", {"policy": None}),
    ],
)
def test_runpod_flash(arguments: str, fields: dict[str, Any]) -> None:
    code = f"import os\nfrom runpod_flash import Endpoint\nEndpoint('chat', {arguments})\n"
    item = endpoint(code, "runpod-flash")
    assert {name: item.get(name) for name in fields} == fields


def test_an_endpoint_of_flash_with_routes_scales_by_requests() -> None:
    code = "from runpod_flash import Endpoint\napi = Endpoint('api')\n\n@api.get('/x')\ndef x(): ...\n"
    assert endpoint(code, "runpod-flash")["policy"] == {"type": "concurrency", "value": 4}


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ('{"name": "a", "status": "", "image": "x:1", "replicas": 0, "maxReplicas": 4}', {"maxReplicas": 4}),
        ('{"name": "a", "status": "", "image": "x:1", "replicas": 0}', {"minReplicas": 0, "maxReplicas": 1}),
        ('{"endpoint": "a", "image": "x:1", "replicas": 2}', {"replicas": 2}),
        ('{"endpoint": "a", "image": "x:1", "replicas": 2, "maxReplicas": 5}', {"replicas": None}),
        ('{"endpoint": "a", "image": "x:1", "taskTimeout": 60, "scaleDownIdleTime": 9}', {"freeTimeout": 60}),
        (
            '{"endpoint": "a", "image": "x:1", "scaleUpThreshold": 3}',
            {"policy": {"type": "concurrency", "value": 3}},
        ),
    ],
)
def test_waverless(data: str, fields: dict[str, Any]) -> None:
    item = endpoint(data, "waverless")
    assert {name: item.get(name) for name in fields} == fields


def test_two_endpoints_share_a_credential_and_an_app_name() -> None:
    """The credential is declared once; the second name gets another place in a URL."""
    credential = '"registryCredential": {"username": "u", "password": "p"}'
    items = ", ".join(
        f'{{"endpoint": "{name}", "image": "ghcr.io/a:1", {credential}}}' for name in ("Chat", "chat", "CHAT")
    )
    conversion, _ = converted(f"[{items}]", "waverless")
    assert [one.get("appName") for one in conversion.items[ENDPOINT]] == ["chat", "chat-2", "chat-3"]
    (registry,) = conversion.items[REGISTRY]
    assert registry["name"] == "ghcr.io/u"
    assert [one["imageAuth"] for one in conversion.items[ENDPOINT]] == ["ghcr.io/u"] * 3


def test_two_passwords_of_one_user_are_two_credentials() -> None:
    items = ", ".join(
        f'{{"endpoint": "{name}", "image": "ghcr.io/a:1",'
        f' "registryCredential": {{"username": "u", "password": "{password}"}}}}'
        for name, password in (("a", "p1"), ("b", "p2"), ("c", "p1"))
    )
    conversion, _ = converted(f"[{items}]", "waverless")
    assert [one["imageAuth"] for one in conversion.items[ENDPOINT]] == [
        "ghcr.io/u",
        "ghcr.io/u-2",
        "ghcr.io/u",
    ]
    values = {one.name: one.value for one in conversion.variables}
    passwords = {one["name"]: values[one["password"][6:-1]] for one in conversion.items[REGISTRY]}
    assert passwords == {"ghcr.io/u": "p1", "ghcr.io/u-2": "p2"}


def test_the_variable_of_an_image_is_not_that_of_a_value() -> None:
    text = "services:\n  a: {build: ., environment: {A_IMAGE: x}, gpus: [{count: 1}]}\n"
    item = endpoint(text, "docker-compose")
    assert (item["image"], item["env"]) == ("${env:A_IMAGE}", {"A_IMAGE": "${env:A_A_IMAGE}"})


EARLIER = """\
from {package} import remote, LiveServerless, CpuLiveServerless, LiveLoadBalancer, GpuGroup

config = {call}

@remote(resource_config=config)
def work(data): ...
"""


@pytest.mark.parametrize("package", ["runpod_flash", "tetra_rp"])
@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (
            "LiveServerless(name='w', gpus=[GpuGroup.ADA_24], workersMin=1, workersMax=3, idleTimeout=5)",
            {
                "endpoint": "w",
                "specName": "rtx-4090-1gpu",
                "minReplicas": 1,
                "maxReplicas": 3,
                "freeTimeout": 5,
            },
        ),
        (
            "LiveServerless(imageName='a/b:1', executionTimeoutMs=1000, gpuCount=2, env={'A': 'b'})",
            {"image": "a/b:1", "requestTimeout": 1, "specName": "any-2gpu", "env": {"A": "${env:A}"}},
        ),
        ("LiveServerless()", {"endpoint": "config", "minReplicas": 0, "maxReplicas": 1, "freeTimeout": 60}),
        ("LiveLoadBalancer(name='w')", {"policy": {"type": "concurrency", "value": 4}}),
    ],
)
def test_resources_of_earlier_releases_of_flash(package: str, call: str, fields: dict[str, Any]) -> None:
    item = endpoint(EARLIER.format(package=package, call=call), "runpod-flash")
    assert {name: item.get(name) for name in fields} == fields


def test_notes_name_arguments_as_they_are_written() -> None:
    code = EARLIER.format(
        package="tetra_rp", call="LiveServerless(name='w', gpus=f(), networkVolume=v, locations='EU')"
    )
    _, notes = converted(code, "runpod-flash")
    assert {"w.gpus", "w.networkVolume", "w.locations", "w.image"} <= {note.field for note in notes}
    assert {note.place.line for note in notes} == {3}
