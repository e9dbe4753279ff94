"""E3: plans, problems and reports have the names of the YAML; the wire path is in --explain and JSON."""

import json
import re

import pytest

from tests.e2e.sandbox import Sandbox, item

WIRE_NAMES = ("workerConfig", "minNum", "image.image", "healthy", "envs", "products", "clusterID", "ports")

YAML = """\
endpoints:
  - endpoint: chat
    specName: small
    image: ubuntu:22.04
    minReplicas: 0
    maxReplicas: 20
    port: 9000
    healthPath: /ready
    env: {HF_TOKEN: x}
    storage:
      - {type: local, sizeGb: 30, mountPath: /a}
      - {type: network, id: ns-1, mountPath: /b}
"""

REPORTS = ("markdown", "html", "junit")


def test_a_create_has_the_names_of_the_yaml(sandbox: Sandbox) -> None:
    """In the order in which people write them; what a spec stands for follows it."""
    sandbox.write("endpoints.yaml", YAML)
    ran = sandbox.run("plan", *(part for name in REPORTS for part in (f"--{name}-into", f"report.{name}")))
    shown = {line.split()[1]: line.partition(" = ")[2] for line in ran.out.splitlines() if " = " in line}
    assert list(shown)[:8] == [
        "endpoint",
        "appName",
        "image",
        "specName",
        "specName.gpu",
        "specName.productId",
        "specName.ephemeralStorage",
        "specName.region",
    ]
    assert (
        shown.items()
        >= {
            "specName": '"small"',
            "minReplicas": "0",
            "maxReplicas": "20",
            "image": '"ubuntu:22.04"',
            "port": "9000",
            "healthPath": '"/ready"',
            "env.HF_TOKEN": '"x"',
            "storage./a.sizeGb": "30",
        }.items()
    )
    for text in (ran.out, *((sandbox.root / f"report.{name}").read_text() for name in REPORTS[:2])):
        assert "specName" in text
        assert not [name for name in WIRE_NAMES if f"{name} " in text or f"{name}<" in text]
    explained = sandbox.run("plan", "--explain").out
    assert re.search(r"\+ minReplicas +=( 0) +# workerConfig\.minNum\n", explained)
    assert re.search(r"\+ appName +=( \"chat\")\n", explained)
    (change,) = json.loads(sandbox.run("plan", "--json").out)["resource_changes"]
    assert ["workerConfig", "minNum"] in [field["path"] for field in change["fields"]]


def test_changes_and_drift_have_the_names_of_the_yaml(sandbox: Sandbox) -> None:
    """In every format; --explain adds the wire path."""
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=2, healthPath="/a"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/b"})
    sandbox.declare(item("chat", minReplicas=0, maxReplicas=3, healthPath="/a"))
    ran = sandbox.run("plan", *(part for name in REPORTS for part in (f"--{name}-into", f"report.{name}")))
    for text in (ran.out, *((sandbox.root / f"report.{name}").read_text() for name in REPORTS)):
        assert "maxReplicas" in text
        assert "healthPath" in text
        assert not [name for name in WIRE_NAMES if name in text]
    explained = sandbox.run("plan", "--explain").out
    assert "maxReplicas (workerConfig.maxNum): changed in the YAML since the last apply" in explained
    assert "healthPath (healthy.path): changed in the account since the last apply" in explained


@pytest.mark.parametrize(
    ("field", "limits"),
    [
        ("maxReplicas: 20", {"maxWorkerNum": 10}),
        ("specName: small", {"maxRootfsSize": 90}),
        ("{type: local, sizeGb: 30", {"maxLocalVolumeSize": 20}),
    ],
)
def test_the_caret_stands_at_the_field(sandbox: Sandbox, field: str, limits: dict[str, int]) -> None:
    """And not at the name of the endpoint."""
    sandbox.write("endpoints.yaml", YAML)
    sandbox.sim.world.switch(limits=limits)
    (problem,) = json.loads(sandbox.run("plan", "--json").out)["problems"]
    line = YAML.splitlines()[problem["line"] - 1]
    assert field in line


def test_a_name_that_a_report_shows_can_be_ignored(sandbox: Sandbox) -> None:
    """Such as a part of the spec."""
    sandbox.declare(item("chat", lifecycle={"ignoreChanges": ["specName.region", "minReplicas"]}))
    assert sandbox.run("validate").code == 0
