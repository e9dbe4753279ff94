"""A null with nothing below it to remove is a mistake that is shown with what to write in its stead."""

from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

HEAD = "endpoints:\n- endpoint: chat\n  specName: small\n"
IMAGE = "  image: ubuntu:22.04\n"

EMPTY = [
    # what is written, where it is told, what the hint shows
    (HEAD + IMAGE + "  maxReplicas:\n", "5:3", "`maxReplicas: 10`, the default"),
    (HEAD + IMAGE + "  minReplicas: ~\n", "5:3", "`minReplicas: 0`, the default"),
    (HEAD + IMAGE + "  requestTimeout: null\n", "5:3", "`requestTimeout: 3600`, the default"),
    (HEAD + IMAGE + "  healthPath:\n", "5:3", "`healthPath: /health`, the default"),
    (HEAD + IMAGE + "  command:\n", "5:3", '`command: ""`'),
    (HEAD + "  image:\n", "4:3", "image: ubuntu:22.04"),
    (HEAD + IMAGE + "  env:\n    HF_TOKEN:\n", "6:5", '`HF_TOKEN: ""`'),
    (HEAD + IMAGE + "  env:\n    HF_TOKEN:\n", "6:5", "${env:HF_TOKEN}"),
    (HEAD + IMAGE + "  env:\n    hf-token: Null\n", "6:5", "${env:HF_TOKEN}"),
    (HEAD + IMAGE + "  env:\n", "5:3", "`env: {}`"),
    (HEAD + IMAGE + "  policy: {type: queue, value: }\n", "5:25", "write"),
    (HEAD + IMAGE + "  storage: [null]\n", "5:13", "remove the item"),
    (HEAD + IMAGE + "  storage: [{type: local, sizeGb: , mountPath: /x}]\n", "5:27", "`sizeGb: 30`"),
    (HEAD + IMAGE + "  lifecycle: {preventDestroy: }\n", "5:15", "`preventDestroy: false`, the default"),
    ("defaults:\n  port:\n" + HEAD + IMAGE, "2:3", "`port: 8000`, the default"),
    ("defaults: {env: {A: }}\n" + HEAD + IMAGE, "1:18", '`A: ""`'),
    ('{"endpoints": [{"endpoint": "a", "specName": "small", "image": null}]}', "1:55", "image: ubuntu:22.04"),
]


@pytest.mark.parametrize(("text", "at", "shown"), EMPTY)
def test_what_is_left_empty_is_told(sandbox: Sandbox, text: str, at: str, shown: str) -> None:
    sandbox.write("endpoints.yaml", text)
    ran = sandbox.run("apply", "--auto-approve", "--json")
    (problem,) = ran.document["problems"]
    assert (ran.code, problem["code"]) == (1, "empty-value")
    assert f"{problem['line']}:{problem['column']}" == at
    assert shown in problem["hint"]
    assert sandbox.sent() == []


@pytest.mark.parametrize("below", [False, True], ids=["nothing below", "something below"])
@pytest.mark.parametrize(
    ("base", "over"),
    [
        ({"maxReplicas": 3, "minReplicas": 1}, {"maxReplicas": None}),
        ({"env": {"A": "1", "B": "2"}}, {"env": {"A": None}}),
        ({"command": "serve"}, {"command": None}),
        ({"storage": [{"type": "local", "sizeGb": 3, "mountPath": "/x"}]}, {"storage": None}),
    ],
)
def test_an_overlay_removes_what_is_below_it(
    sandbox: Sandbox, base: dict[str, Any], over: dict[str, Any], below: bool
) -> None:
    """As documented where there is something; where there is nothing, it is told in the overlay's file."""
    sandbox.write("base.yaml", {"endpoints": [item("chat", **(base if below else {}))]})
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", **over}]})
    ran = sandbox.run("-f", "base.yaml", "-f", "prod.yaml", "plan", "--json")
    if below:
        assert (ran.code, ran.codes) == (0, [])
    else:
        assert (ran.code, ran.codes) == (1, ["empty-value"])
        assert ran.document["problems"][0]["file"] == "prod.yaml"


def test_a_default_is_removed_by_an_item_and_by_a_later_default(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", maxReplicas=None), item("embed"), defaults={"maxReplicas": 3})
    assert sandbox.run("validate").code == 0
    sandbox.write("prod.yaml", {"defaults": {"maxReplicas": None}, "endpoints": []})
    sandbox.declare(item("embed"), defaults={"maxReplicas": 3})
    assert sandbox.run("-f", "endpoints.yaml", "-f", "prod.yaml", "validate").code == 0


def test_a_null_in_a_lower_overlay_is_told_although_a_later_one_has_a_value(sandbox: Sandbox) -> None:
    sandbox.write("base.yaml", {"endpoints": [item("chat", maxReplicas=None)]})
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": 4}]})
    ran = sandbox.run("-f", "base.yaml", "-f", "prod.yaml", "validate", "--json")
    (problem,) = ran.document["problems"]
    assert (problem["code"], problem["file"]) == ("empty-value", "base.yaml")


def test_null_takes_back_what_a_merge_key_brings(sandbox: Sandbox) -> None:
    text = HEAD.replace("chat", "&a chat") + IMAGE + "  maxReplicas: 3\n"
    text = text.replace("- endpoint: &a", "- &a\n  endpoint:")
    sandbox.write("endpoints.yaml", text + "- <<: *a\n  endpoint: b\n  maxReplicas:\n")
    assert sandbox.run("validate").code == 0


def test_clients_send_null_for_what_novita_does_not_have(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", volumeMounts=None, shmSize=None, enablePtrace=None, priority=None))
    assert sandbox.run("validate").code == 0


def test_a_null_in_a_default_is_told_once(sandbox: Sandbox) -> None:
    sandbox.declare(*(item(f"e{n}") for n in range(5)), defaults={"port": None})
    assert [one["code"] for one in sandbox.run("validate", "--json").document["problems"]] == ["empty-value"]


@pytest.mark.parametrize("field", ["path", "until"])
def test_an_ignore_that_is_left_empty_silences_nothing(sandbox: Sandbox, field: str) -> None:
    """Left out, these mean all of an endpoint and for ever; left empty they are a mistake."""
    sandbox.declare(item("chat"))
    sandbox.write("config.yaml", {"drift": {"ignore": [{"endpoint": "chat", field: None}]}})
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert f"`drift.ignore[0].{field}` must be text, not nothing" in ran.err + ran.out


def test_a_cuda_version_that_is_left_empty_is_told(sandbox: Sandbox) -> None:
    specs = (sandbox.root / "specs.yaml").read_text().replace('"12.4"', "null")
    sandbox.write("specs.yaml", specs)
    sandbox.declare(item("chat", specName="large"))
    ran = sandbox.run("validate", "--json")
    assert [one["code"] for one in ran.document["problems"]] == ["empty-value"]
