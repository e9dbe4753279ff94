"""An endpoint that Waverless made is adopted from its own request without losing what Waverless added."""

import json

from tests.e2e.sandbox import Sandbox, item

ADDED = {
    "WAVERLESS_ENDPOINT_ID": "chat",
    "WAVERLESS_PING_INTERVAL": "10000",
    "WAVERLESS_WEBHOOK_GET_JOB": "https://w.example/v2/chat/job-take/$ID?",
    "WAVERLESS_WEBHOOK_PING": "https://w.example/v2/chat/ping/$ID?",
    "WAVERLESS_WEBHOOK_POST_OUTPUT": "https://w.example/v2/chat/job-done/$ID?",
    "WAVERLESS_WEBHOOK_POST_STREAM": "https://w.example/v2/chat/job-stream/$ID?",
    "WAVERLESS_API_KEY": "a-key-that-nobody-may-see",
    "NOVITA_PROVIDER": "true",
    "PROVIDER_TYPE": "novita",
    "NOVITA_REGION": "us-dallas-nas-2",
}
KEPT = ["env.WAVERLESS_*", "env.NOVITA_*", "env.PROVIDER_TYPE"]


def made_by_waverless(sandbox: Sandbox) -> str:
    """Return the ID of the endpoint that a deploy request and the variables of Waverless give."""
    sandbox.declare(item("chat", env={"MODEL": "x", **ADDED}))
    sandbox.apply()
    (sandbox.root / "state" / "novita.json").unlink()
    (made,) = sandbox.sim.world.endpoints
    return str(made["id"])


def live_keys(sandbox: Sandbox) -> set[str]:
    (made,) = sandbox.sim.world.endpoints
    return {env["key"] for env in made["envs"]}


def set_live(sandbox: Sandbox, **values: str) -> None:
    """Set variables in the console."""
    (made,) = sandbox.sim.world.endpoints
    envs = {env["key"]: env["value"] for env in made["envs"]} | values
    sandbox.sim.world.console_update(
        made["id"], envs=[{"key": key, "value": value} for key, value in envs.items()]
    )


def test_d4_what_an_adoption_removes_is_named(sandbox: Sandbox) -> None:
    """The note names the variables and not their values, with the line that keeps them."""
    made_by_waverless(sandbox)
    sandbox.declare(item("chat", env={"MODEL": "x"}))
    ran = sandbox.plan("--adopt")
    (note,) = [problem for problem in ran.document["problems"] if problem["code"] == "waverless-variables"]
    assert note["summary"].startswith("`chat` loses 10 variables that Waverless added: ")
    assert all(key in note["summary"] for key in ADDED)
    assert "ignoreChanges: [env.WAVERLESS_*, env.NOVITA_REGION, env.NOVITA_PROVIDER" in note["hint"]
    assert "a-key-that-nobody-may-see" not in ran.out + ran.err


def test_d4_a_glob_keeps_them(sandbox: Sandbox) -> None:
    """Adopted, changed and checked for drift, they stay as they are; other variables are still ours."""
    made_by_waverless(sandbox)
    sandbox.declare(item("chat", env={"MODEL": "x"}, lifecycle={"ignoreChanges": KEPT}))
    ran = sandbox.plan()
    assert ran.actions == {"chat": "adopt"}
    sandbox.apply()
    assert sandbox.plan().code == 0
    sandbox.declare(item("chat", env={"MODEL": "y"}, replicas=2, lifecycle={"ignoreChanges": KEPT}))
    assert [field["path"] for field in sandbox.plan().document["resource_changes"][0]["fields"]] == [
        ["workerConfig", "minNum"],
        ["workerConfig", "maxNum"],
        ["envs", "MODEL"],
    ]
    sandbox.apply()
    assert live_keys(sandbox) == {"MODEL", *ADDED}
    assert sandbox.plan().code == 0
    assert sandbox.run("drift").code == 0
    set_live(sandbox, WAVERLESS_API_KEY="another")
    assert sandbox.run("drift").code == 0
    set_live(sandbox, STRANGE="1")
    assert sandbox.run("drift").code == 2


def test_d4_an_import_keeps_them(sandbox: Sandbox) -> None:
    made_by_waverless(sandbox)
    (sandbox.root / "endpoints.yaml").unlink()
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert ran.code == 0, ran.err
    text = (sandbox.root / "endpoints.yaml").read_text()
    assert all(key in text for key in ADDED)


def test_d4_drift_ignore_takes_globs(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", env={"MODEL": "x"}))
    sandbox.apply()
    set_live(sandbox, WAVERLESS_X="1")
    assert sandbox.run("drift").code == 2
    ignores = [{"endpoint": "chat", "path": "env.WAVERLESS_*", "why": "they belong to Waverless"}]
    sandbox.write("config.yaml", json.dumps({"drift": {"ignore": ignores}}))
    assert sandbox.run("drift").code == 0
    set_live(sandbox, OTHER="1")
    assert sandbox.run("drift").code == 2
