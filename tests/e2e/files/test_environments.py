"""Environments of config.yaml: files, inventory, account and names of each."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from reconciler.simulator import Server
from tests.e2e.sandbox import KEY, ROOT, Sandbox, item

DEV_KEY, PROD_KEY = "sk_dev-key-0123456789", "sk_prod-key-0123456789"


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    """A folder with the environments dev and prod in one account, where prod is protected."""
    sandbox.write("base.yaml", {"endpoints": [item("chat"), item("embed")]})
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": 5}]})
    configure(sandbox)
    return sandbox


def configure(sandbox: Sandbox, **more: Any) -> None:
    environments = {
        "dev": {"files": ["base.yaml"], "name": "{name}-dev"},
        "prod": {"files": ["base.yaml", "prod.yaml"], "name": "{name}-prod", "protected": True},
    }
    environments = {name: {**one, **more.pop(name, {})} for name, one in environments.items()}
    sandbox.write(
        "config.yaml", {"novita": {"settle_seconds": 0.05}, "environments": {**environments, **more}}
    )


def test_two_environments_live_in_one_account(shop: Sandbox) -> None:
    """Each has its own files, names and inventory, and neither plans to touch the other."""
    shop.apply("-e", "dev")
    shop.apply("-e", "prod")
    assert set(shop.live()) == {"chat-dev", "embed-dev", "chat-prod", "embed-prod"}
    assert {one["appName"] for one in shop.live().values()} == set(shop.live())
    assert shop.live()["chat-prod"]["workerConfig"]["maxNum"] == 5
    for name in ("dev", "prod"):
        assert shop.plan("--environment", name).code == 0
        records = json.loads((shop.root / f"state/{name}.json").read_text())
        assert records["environment"] == name
        assert set(records["endpoints"]) == {f"chat-{name}", f"embed-{name}"}
    assert not (shop.root / "state/novita.json").exists()


def test_an_environment_must_be_chosen(shop: Sandbox) -> None:
    """A command that plans, writes or reads the inventory refuses, with the list and the exact commands."""
    for command in (["plan"], ["apply", "--auto-approve"], ["state", "list"], ["history"], ["list"]):
        ran = shop.run(*command)
        assert ran.code == 1
        assert "no environment is chosen; config.yaml declares dev, prod" in ran.err
        assert f"\n  reconciler -e prod {' '.join(command)}\n" in ran.err
    secret = shop.run("deploy", "x", "--image", "a:1", "--spec", "small", "--env", "TOKEN=hush-hush")
    assert "no environment is chosen" in secret.err
    assert "hush" not in secret.err
    assert not shop.sent()


def test_the_variable_and_the_default(shop: Sandbox) -> None:
    """RECONCILER_ENV chooses like -e, which wins over it; `default: true` is chosen without both."""
    shop.monkeypatch.setenv("RECONCILER_ENV", "dev")
    assert set(shop.plan().actions) == {"chat-dev", "embed-dev"}
    assert set(shop.plan("-e", "prod").actions) == {"chat-prod", "embed-prod"}
    shop.monkeypatch.delenv("RECONCILER_ENV")
    configure(shop, dev={"default": True})
    assert set(shop.plan().actions) == {"chat-dev", "embed-dev"}
    configure(shop, dev={"default": True}, prod={"default": True})
    assert "both have `default: true`" in shop.run("plan").err


def test_an_unknown_environment(shop: Sandbox) -> None:
    ran = shop.run("plan", "-e", "prd")
    assert ran.code == 1
    assert "Did you mean `prod`? Known environments: dev, prod" in ran.err
    shop.monkeypatch.setenv("RECONCILER_ENV", "prd")
    assert "no environment `prd`, which RECONCILER_ENV names" in shop.run("plan").err
    for command in (["env", "list"], ["explain", "policy"], ["schema", "specs"], ["version"]):
        assert shop.run(*command).code == 0
    shop.write("config.yaml", {})
    assert "config.yaml declares no environment `prd`" in shop.run("plan", "-e", "prd").err


def test_two_environments_with_one_inventory(shop: Sandbox) -> None:
    configure(shop, dev={"state": "state/prod.json"})
    ran = shop.run("plan", "-e", "dev")
    assert "the environments `dev` and `prod` have the same inventory, state/prod.json" in ran.err
    assert "config.yaml:" in ran.err


@pytest.mark.parametrize("path", ["../elsewhere.yaml", "/etc/hosts", "a/../../b"])
@pytest.mark.parametrize("setting", ["files", "state", "env_file"])
def test_a_path_that_leads_outside(shop: Sandbox, setting: str, path: str) -> None:
    """Files of a pull request name nothing outside of the folder."""
    configure(shop, dev={setting: [path] if setting == "files" else path})
    ran = shop.run("plan", "-e", "dev")
    assert ran.code == 1
    assert f"`{setting}` names {path}, which is outside of this folder" in ran.err


def test_names_are_rendered(shop: Sandbox) -> None:
    """An explicit appName, renamedFrom and removed follow the template; targets accept both names."""
    shop.write("base.yaml", {"endpoints": [item("chat", appName="talk")]})
    shop.apply("-e", "dev")
    assert shop.live()["chat-dev"]["appName"] == "talk-dev"
    before = shop.id("chat-dev")
    shop.write("base.yaml", {"endpoints": [item("talk", appName="talk", renamedFrom="chat")]})
    assert shop.plan("-e", "dev", "--target", "talk").actions == {"talk-dev": "update"}
    assert shop.plan("-e", "dev", "--target", "talk-dev").actions == {"talk-dev": "update"}
    assert shop.plan("-e", "dev", "--exclude", "talk").actions == {}
    shop.apply("-e", "dev")
    assert shop.id("talk-dev") == before
    shop.write("base.yaml", {"endpoints": [], "removed": [{"endpoint": "talk", "destroy": False}]})
    shop.apply("-e", "dev")
    assert "talk-dev" in shop.live()
    assert json.loads((shop.root / "state/dev.json").read_text())["endpoints"] == {}


@pytest.mark.parametrize("field", ["endpoint", "appName"])
def test_a_rendered_app_name_that_is_too_long(shop: Sandbox, field: str) -> None:
    """46 characters hold for the rendered name; the place is that of the declared one."""
    names = {"endpoint": "chat", field: "a" * 42}
    shop.write("base.yaml", {"endpoints": [{**item("chat"), **names}]})
    assert shop.run("validate", "-e", "dev").code == 0
    ran = shop.run("validate", "-e", "prod")
    assert ran.code == 1
    assert "base.yaml:" in ran.err
    assert f"{'a' * 42}-prod" in ran.err


def test_a_protected_environment_asks_for_its_name(shop: Sandbox) -> None:
    asked = shop.run("apply", "-e", "prod", typed="yes\n")
    assert asked.code == 1
    assert "Only the name of the environment, 'prod', will be accepted to approve." in asked.err
    assert not shop.sent()
    assert shop.run("apply", "-e", "prod", typed="prod\n").code == 0
    assert set(shop.live()) == {"chat-prod", "embed-prod"}
    assert shop.run("scale", "chat-prod", "2", "-e", "prod", typed="yes\n").code == 1
    assert shop.run("scale", "chat-prod", "2", "-e", "prod", typed="prod\n").code == 0
    assert shop.run("apply", "-e", "dev", typed="yes\n").code == 0
    configure(shop, dev={"confirm": True})
    shop.write("base.yaml", {"endpoints": [item("chat"), item("embed", maxReplicas=3)]})
    assert shop.run("apply", "-e", "dev", typed="yes\n").code == 1
    assert shop.run("apply", "-e", "dev", "--auto-approve").code == 0


def test_a_protected_environment_is_not_destroyed(shop: Sandbox) -> None:
    """`destroy`, `plan --destroy` and `delete` of a declared endpoint are refused; an apply may delete."""
    shop.apply("-e", "prod")
    shop.run("deploy", "scratch", "--image", "a:1", "--spec", "small", "-e", "prod", "--auto-approve")
    commands = (
        ["destroy", "--auto-approve"],
        ["plan", "--destroy"],
        ["delete", "chat-prod", "--auto-approve"],
    )
    for command in commands:
        ran = shop.run(*command, "-e", "prod", "--json")
        assert ran.code == 3
        assert "protected-environment" in ran.codes
    assert not shop.sent("delete")
    assert shop.run("delete", "scratch", "-e", "prod", "--auto-approve").code == 0
    shop.write("base.yaml", {"endpoints": [item("chat")]})
    shop.apply("-e", "prod")
    assert set(shop.live()) == {"chat-prod"}
    configure(shop, prod={"protected": False})
    assert shop.run("destroy", "-e", "prod", "--auto-approve").code == 0


def test_a_saved_plan_remembers_its_environment(shop: Sandbox) -> None:
    assert shop.run("plan", "-e", "prod", "--out", "prod.plan").code == 0
    assert shop.run("show", "prod.plan").out.startswith("Environment: prod\n\n")
    other = shop.run("apply", "prod.plan", "-e", "dev", "--auto-approve")
    assert other.code == 6
    assert "-e: it was made with prod, this run has dev" in other.err
    assert "reconciler -e prod apply prod.plan" in other.err
    shop.monkeypatch.setenv("RECONCILER_ENV", "dev")
    assert shop.run("apply", "prod.plan", "--auto-approve").code == 6
    shop.monkeypatch.delenv("RECONCILER_ENV")
    declined = shop.run("apply", "prod.plan", typed="yes\n")
    assert declined.code == 1
    assert "chat-prod will be created" in declined.out
    assert shop.run("apply", "prod.plan", typed="prod\n").code == 0
    assert set(shop.live()) == {"chat-prod", "embed-prod"}
    assert (shop.root / "state/prod.json").exists()


def test_an_inventory_of_another_environment(shop: Sandbox) -> None:
    """The inventory of prod is refused with the files of dev, by the names of both."""
    shop.apply("-e", "prod")
    for command in (["plan"], ["scale", "chat-prod", "1"], ["destroy"]):
        ran = shop.run(*command, "-e", "dev", "--state", "state/prod.json", "--json")
        assert ran.code == 3, command
        assert "other-environment" in ran.codes
    text = shop.run("plan", "-e", "dev", "--state", "state/prod.json").err
    assert "belongs to the environment `prod`, and this run is for `dev`" in text
    assert not shop.sent("delete", "update")


def test_no_request_goes_to_the_other_environment(shop: Sandbox) -> None:
    """Also the listing that begins before the files are read has the host and the key of the environment."""
    for name in ("NOVITA_BASE_URL", "NOVITA_API_KEY"):
        shop.monkeypatch.delenv(name)
    shop.monkeypatch.setenv("PROD_KEY", PROD_KEY)
    with Server(seed=2) as other:
        configure(
            shop,
            dev={"base_url": shop.sim.url, "api_key": "${env:DEV_KEY}"},
            prod={"base_url": other.url, "api_key": "${env:PROD_KEY}"},
        )
        shop.apply("-e", "prod")
        assert shop.plan("-e", "prod").code == 0
        assert {received.headers["authorization"] for received in other.requests} == {f"Bearer {PROD_KEY}"}
        assert not shop.sim.requests
        count = len(other.requests)
        unset = shop.run("plan", "-e", "dev")
        assert unset.code == 1
        assert "DEV_KEY" in unset.err
        assert "config.yaml:" in unset.err
        shop.monkeypatch.setenv("DEV_KEY", DEV_KEY)
        shop.monkeypatch.setenv("NOVITA_API_KEY", KEY)
        shop.apply("-e", "dev")
        doctor = shop.run("doctor", "-e", "dev").out
        assert "from a reference in `environments.dev.api_key`" in doctor
        assert "environment  dev; inventory state/dev.json; names {name}-dev" in re.sub("  +", "  ", doctor)
        assert {received.headers["authorization"] for received in shop.sim.requests} == {f"Bearer {DEV_KEY}"}
        assert len(other.requests) == count


def test_a_folder_without_environments_is_as_before(sandbox: Sandbox) -> None:
    """Neither the plan nor the inventory says anything about environments."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert "environment" not in Path(sandbox.root / "state/novita.json").read_text()
    assert "environment" not in sandbox.run("plan", "--json").document


def test_operands_accept_the_declared_name(shop: Sandbox) -> None:
    """`chat` is `chat-prod` there, if that is declared or recorded; any other name is meant as it is."""
    shop.apply("-e", "dev")
    shop.apply("-e", "prod")
    assert shop.run("scale", "chat", "2", "-e", "prod", "--auto-approve").code == 0
    assert shop.live()["chat-prod"]["workerConfig"]["minNum"] == 2
    assert shop.live()["chat-dev"]["workerConfig"]["minNum"] == 1
    for command in (["get", "chat"], ["status", "chat"], ["history", "chat"], ["state", "show", "chat"]):
        ran = shop.run(*command, "-e", "dev")
        assert ran.code == 0, ran.err
        assert "chat-prod" not in ran.out
    assert shop.run("get", "chat-prod", "-e", "dev").code == 0
    twice = shop.run("deploy", "chat", "--image", "a:1", "--spec", "small", "-e", "dev")
    assert "reconciler -e dev update chat-dev" in twice.err
    assert shop.run("deploy", "own", "--image", "a:1", "--spec", "small", "-e", "dev", "--yes").code == 0
    assert "own" in shop.live()
    assert shop.run("state", "rm", "embed", "-e", "dev").code == 0
    assert "embed-dev" not in shop.run("state", "list", "-e", "dev").out


def test_edits_of_the_files(shop: Sandbox) -> None:
    """`drift accept`, `drift revert`, `scale --write` and `drift.ignore` know the declared name."""
    shop.write("dev.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": 2}]})
    configure(shop, dev={"files": ["base.yaml", "dev.yaml"]})
    shop.apply("-e", "dev")
    shop.sim.world.console_update(shop.id("chat-dev"), workerConfig={"maxNum": 4})
    assert shop.run("drift", "-e", "dev").code == 2
    assert shop.run("drift", "accept", "chat", "-e", "dev").code == 0
    assert json.loads((shop.root / "dev.yaml").read_text())["endpoints"][0]["maxReplicas"] == 4
    assert shop.run("scale", "chat", "--max", "6", "--write", "-e", "dev").code == 0
    assert json.loads((shop.root / "dev.yaml").read_text())["endpoints"][0]["maxReplicas"] == 6
    shop.apply("-e", "dev")
    assert shop.run("rollback", "chat", "--write", "-e", "dev", "--auto-approve").code == 0
    assert json.loads((shop.root / "dev.yaml").read_text())["endpoints"][0] != {
        "endpoint": "chat",
        "maxReplicas": 6,
    }
    shop.write("dev.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": 6}]})
    shop.sim.world.console_update(shop.id("chat-dev"), workerConfig={"maxNum": 1})
    settings = json.loads((shop.root / "config.yaml").read_text())
    for pattern in ("chat", "ch*", "chat-dev"):
        shop.write("config.yaml", {**settings, "drift": {"ignore": [{"endpoint": pattern}]}})
        assert shop.run("drift", "-e", "dev").code == 0
    shop.write("config.yaml", settings)
    assert shop.run("drift", "revert", "chat", "-e", "dev", "--auto-approve").code == 0
    assert shop.live()["chat-dev"]["workerConfig"]["maxNum"] == 6


def test_an_import_writes_the_declared_names(shop: Sandbox) -> None:
    """Endpoints of the environment lose its suffix; the others are left out, with a reason."""
    shop.apply("-e", "dev")
    shop.apply("-e", "prod")
    (shop.root / "state/prod.json").unlink()
    shop.write("base.yaml", {"endpoints": []})
    shop.write("prod.yaml", {"endpoints": []})
    configure(shop, prod={"files": None})
    ran = shop.run("import", "--all", "--out", "endpoints.yaml", "-e", "prod")
    assert ran.code == 0, ran.err
    assert "`chat-dev` is left out" in ran.err
    text = (shop.root / "endpoints.yaml").read_text()
    assert "- endpoint: chat\n" in text
    assert "prod" not in text
    assert shop.plan("-e", "prod").code == 0


def test_reports_name_the_environment(shop: Sandbox) -> None:
    """Text, JSON, Markdown, HTML and JUnit, also those of a run that failed."""
    names = {kind: f"report.{kind}" for kind in ("json", "markdown", "html", "junit")}
    into = [word for kind, name in names.items() for word in (f"--{kind}-into", name)]
    for fails in (False, True):
        if fails:
            shop.write("prod.yaml", "endpoints: [")
        ran = shop.run("plan", "-e", "prod", *into)
        assert fails or ran.out.startswith("Environment: prod\n\n")
        texts = {kind: (shop.root / name).read_text() for kind, name in names.items()}
        assert json.loads(texts["json"])["environment"] == "prod"
        assert texts["markdown"].startswith("## reconciler plan (prod)\n")
        assert "<title>reconciler plan (prod):" in texts["html"]
        assert 'name="reconciler plan (prod)"' in texts["junit"]
        assert ran.code == int(fails)


def test_env_list(shop: Sandbox) -> None:
    """No network, no key; the number of records of each."""
    shop.apply("-e", "prod")
    shop.monkeypatch.delenv("NOVITA_API_KEY")
    count = len(shop.sim.requests)
    ran = shop.run("env", "list", "-e", "prod")
    assert ran.out.splitlines()[1:] == [
        "dev   -        -          0          state/dev.json   {name}-dev   base.yaml",
        "prod  yes      yes        2          state/prod.json  {name}-prod  base.yaml prod.yaml",
    ]
    documents = shop.run("env", "list", "--json").document
    assert [(one["name"], one["recorded"], one["protected"], one["current"]) for one in documents] == [
        ("dev", 0, False, False),
        ("prod", 2, True, False),
    ]
    shop.write("state/dev.json", "{")
    assert "unreadable" in shop.run("env", "list").out
    assert len(shop.sim.requests) == count
    shop.write("config.yaml", {})
    assert "config.yaml declares no environments" in shop.run("env", "list").err


def test_env_diff(shop: Sandbox) -> None:
    """By declared name; secrets are shown as their references, which may be unset."""
    both = item("chat", env={"TOKEN": "${env:DEV_TOKEN}", "SAME": "${env:SAME}"})
    prod = {"endpoint": "chat", "maxReplicas": 5, "env": {"TOKEN": "${env:PROD_TOKEN}"}}
    shop.write("base.yaml", {"endpoints": [both, item("embed")]})
    shop.write("prod.yaml", {"endpoints": [prod, item("rerank")]})
    shop.monkeypatch.setenv("PROD_TOKEN", "hush-hush")
    ran = shop.run("env", "diff", "dev", "prod")
    assert ran.code == 2
    assert "hush" not in ran.out + ran.err
    assert ran.out.splitlines() == [
        "chat: 3 differences",
        "               dev                 prod",
        "  minReplicas  1                   0",
        "  maxReplicas  1                   5",
        '  env.TOKEN    "${env:DEV_TOKEN}"  "${env:PROD_TOKEN}"',
        "",
        "rerank: only in prod",
    ]
    document = shop.run("env", "diff", "dev", "prod", "--json").document
    assert document["exit_code"] == 2
    assert document["endpoints"][0]["fields"][1] == {"path": "workerConfig.maxNum", "dev": 1, "prod": 5}
    assert document["endpoints"][1] == {"name": "rerank", "in": ["prod"], "fields": []}
    same = shop.run("env", "diff", "dev", "dev")
    assert (same.code, same.out) == (0, "dev and dev declare the same.\n")
    assert "Did you mean `prod`?" in shop.run("env", "diff", "dev", "prd").err
    configure(shop, dev={"env_file": "dev.env"}, prod={"env_file": "prod.env"})
    for name in ("dev", "prod"):
        shop.write(f"{name}.env", f"TAG={name}\n")
    shop.write("base.yaml", {"endpoints": [{**both, "image": "chat:${env:TAG}"}]})
    shop.write("prod.yaml", {"endpoints": []})
    assert '  image  "chat:dev"  "chat:prod"' in shop.run("env", "diff", "dev", "prod", "-e", "dev").out
    shop.write("prod.yaml", {"endpoints": [{**prod, "maxReplicas": "many"}]})
    assert "(environment prod)" in shop.run("env", "diff", "dev", "prod").err
    assert not shop.sim.requests


def test_endpoints_of_the_other_environment_are_named(shop: Sandbox) -> None:
    """Plans and `list` say which environment they belong to; other ones are still unmanaged."""
    shop.apply("-e", "dev")
    assert "2 endpoints belong to environment dev (-v lists them)." in shop.run("plan", "-e", "prod").out
    shop.sim.world.console_create(name="newcomer")
    ran = shop.run("plan", "-e", "prod", "-v")
    assert (
        "1 endpoint of the account is not managed by this configuration;"
        " 2 endpoints belong to environment dev:\n" in ran.out
    )
    assert "(environment dev)\n" in ran.out
    unmanaged = shop.plan("-e", "prod").document["unmanaged"]
    assert {one["name"]: one.get("environment") for one in unmanaged} == {
        "chat-dev": "dev",
        "embed-dev": "dev",
        "newcomer": None,
    }
    listed = shop.run("list", "-e", "prod").out
    assert listed.count("environment dev") == 2
    assert "environment dev" in shop.run("get", "chat-dev", "-e", "prod").out
    assert "environment" not in shop.run("list", "-e", "dev").out


def test_an_endpoint_of_the_other_environment_is_not_touched(shop: Sandbox) -> None:
    """Neither adopted by its name, nor changed or deleted by hand; the owner is named."""
    shop.apply("-e", "dev")
    configure(shop, prod={"name": "{name}-dev"})
    for command in (
        "plan",
        "apply --auto-approve --adopt",
        "delete chat-dev --yes",
        "scale chat-dev 2 --yes",
    ):
        ran = shop.run(*command.split(), "-e", "prod", "--json")
        assert ran.code == 3, command
        assert "other-environment" in ran.codes
    assert "belongs to the environment `dev`" in shop.run("plan", "-e", "prod").err
    assert not shop.sent("update", "delete")


def test_a_refused_adoption_says_first_to_choose_another_name(shop: Sandbox) -> None:
    """To adopt it by --adopt would be refused as well, so no hint names the option."""
    shop.apply("-e", "dev")
    configure(shop, prod={"name": "{name}-dev"})
    ran = shop.run("plan", "-e", "prod", "--json")
    assert ran.code == 3
    assert "--adopt" not in ran.out
    hints = [one["hint"] for one in ran.document["problems"] if one["code"] == "other-environment"]
    assert len(hints) == 2
    assert all(hint.startswith("choose another name: ") for hint in hints)
    ran = shop.run("deploy", "chat-dev", "--image", "a:1", "--spec", "small", "-e", "prod", "--auto-approve")
    assert "exists already" in ran.err
    assert ", in the environment `dev`\n" in ran.err
    assert "Choose another name; -e dev changes it there" in ran.err
    assert "reconciler update" not in ran.err


def test_outputs_leave_out_the_other_environment(shop: Sandbox) -> None:
    """Also if the files of this one declare an endpoint of the same name."""
    shop.apply("-e", "dev")
    configure(shop, prod={"name": "{name}-dev"})
    assert shop.run("output", "-e", "prod", "--json").document == {}
    assert set(shop.run("output", "-e", "dev", "--json").document) == {"chat-dev", "embed-dev"}
    assert shop.run("list", "-e", "prod").out.count("environment dev") == 2


@pytest.mark.parametrize("command", ["call", "open", "logs"])
def test_a_name_of_the_other_environment_is_noted(shop: Sandbox, command: str) -> None:
    shop.apply("-e", "dev")
    note = f"Note: `chat-dev` ({shop.id('chat-dev')}) belongs to the environment `dev`"
    ran = shop.run(command, "chat-dev", "-e", "prod")
    assert note in ran.err
    assert "belongs to" not in shop.run(command, "chat-dev", "-e", "dev").err
    assert note in shop.run(command, "chat-dev", "-e", "prod", "--json").err


def test_a_probe_is_not_sent_to_the_other_environment(shop: Sandbox) -> None:
    """It has the secrets of its own one."""
    shop.write("base.yaml", {"endpoints": [item("chat", probe={})]})
    shop.apply("-e", "dev")
    configure(shop, prod={"name": "{name}-dev"})
    ran = shop.run("probe", "chat", "-e", "prod")
    assert (ran.code, "belongs to the environment `dev`" in ran.err) == (3, True)
    assert not shop.sent("call")


def test_two_environments_on_one_command_line(shop: Sandbox) -> None:
    for line in ("-e dev plan -e prod", "plan -e dev -e prod", "-e dev -e prod plan"):
        ran = shop.run(*line.split())
        assert (ran.code, "-e names 2 environments: dev, prod; give one" in ran.err) == (64, True)
    assert shop.run("-e", "dev", "plan", "-e", "dev").code == 0
    shop.monkeypatch.setenv("RECONCILER_ENV", "")
    assert "no environment is chosen" in shop.run("plan").err


def test_a_refused_plan_without_changes_says_what_was_refused(shop: Sandbox) -> None:
    shop.apply("-e", "dev")
    (shop.root / "state/dev.json").rename(shop.root / "state/prod.json")
    configure(shop, prod={"name": "{name}-dev", "files": ["base.yaml"]})
    ran = shop.run("plan", "-e", "prod", "--markdown-into", "r.md")
    assert ran.code == 3
    assert "No changes" not in ran.out + (shop.root / "r.md").read_text()
    assert (
        "\nRefused: the inventory belongs to the environment `dev`, and this run is for `prod`.\n" in ran.out
    )


def test_the_page(sandbox: Sandbox) -> None:
    """The commands of docs/environments.md do what it says, in the folder that it shows."""
    page = (ROOT / "docs/environments.md").read_text()
    (config,) = re.findall(r"<!-- config.yaml -->\n```yaml\n(.*?)```", page, re.DOTALL)
    sandbox.write("config.yaml", config)
    sandbox.write(".env.prod", "TOKEN=hush\n")
    sandbox.write("base.yaml", {"endpoints": [item("chat", env={"TOKEN": "${env:TOKEN:-none}"})]})
    sandbox.write("dev.yaml", {"endpoints": [item("try")]})
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": 5}]})
    sandbox.monkeypatch.setenv("PROD_API_KEY", KEY)
    (console,) = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    codes = []
    for line in console.splitlines():
        *assignments, command = line.removeprefix("$ ").partition("reconciler ")[::2]
        for assignment in " ".join(assignments).split():
            sandbox.monkeypatch.setenv(*assignment.split("="))
        codes.append(sandbox.run(*command.split()).code)
    assert codes == [0, 2, 0, 0, 0, 0]
    assert set(sandbox.live()) == {"chat"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("environments: {dev: {}, prod: [}", "config.yaml:1:"),
        ("environments: {1: {}}", "no environment is chosen; config.yaml declares 1"),
        ("environments: {../x: {}}", "letters, digits, `-` and `_`"),
        ("environments: [dev, prod]", "`environments` must be a mapping"),
        ("environments: {dev: {file: [a.yaml]}}", "did you mean `files`?"),
        ("environments: {dev: {name: prod}}", "one `{name}`"),
        ("environments: {dev: {files: [5]}}", "config.yaml:1:"),
        ("environments: {dev: {state: '${env:S}'}}", "`state` must be a path, not a reference"),
        ("environments: {dev: {protected: maybe}}", "true or false"),
    ],
)
def test_errors_in_the_section(sandbox: Sandbox, text: str, message: str) -> None:
    """Each has its place, and no command goes on with an inventory that might be the wrong one."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    before = sandbox.files()["state/novita.json"]
    sandbox.write("config.yaml", text)
    for command in (["plan"], ["state", "rm", "chat"], ["apply", "--auto-approve"]):
        ran = sandbox.run(*command)
        assert ran.code == 1
        assert message.casefold() in ran.err.casefold(), ran.err
    assert sandbox.files()["state/novita.json"] == before


def test_validate_checks_every_environment(shop: Sandbox) -> None:
    """Also if one is the default; a problem of shared files is reported once."""
    configure(shop, dev={"default": True})
    ran = shop.run("validate")
    assert ran.out.endswith("  4 endpoints in base.yaml, prod.yaml (dev, prod)\n")
    assert shop.run("validate", "--json").document["environments"] == ["dev", "prod"]
    assert shop.run("validate", "-e", "dev").out.endswith("  2 endpoints in base.yaml (dev)\n")
    shop.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "maxReplicas": "many"}]})
    shop.write("base.yaml", {"endpoints": [item("chat", port="none"), item("embed")]})
    ran = shop.run("validate")
    assert ran.code == 1
    assert ran.err.count("`port` must be") == 1
    assert ran.err.count("`maxReplicas` must be") == 1
    assert shop.run("validate", "-e", "dev").err.count("`maxReplicas` must be") == 0


@pytest.mark.parametrize("name", ["chat", "chat-dev"])
@pytest.mark.parametrize(
    "command", ["rollback {} --write --auto-approve", "scale {} --max 2 --write", "drift accept {}"]
)
def test_editors_of_the_files(shop: Sandbox, command: str, name: str) -> None:
    """Each edits the item of the declared name, whichever of the two names is typed."""
    configure(shop, dev={"files": ["dev.yaml"]})
    for count in (2, 3):
        shop.write("dev.yaml", {"endpoints": [item("chat", minReplicas=0, maxReplicas=count), item("embed")]})
        shop.apply("-e", "dev")
    if command.startswith("drift"):
        shop.sim.world.console_update(shop.id("chat-dev"), workerConfig={"maxNum": 2})
    ran = shop.run(*command.format(name).split(), "-e", "dev")
    assert ran.code == 0, ran.err
    declared = json.loads((shop.root / "dev.yaml").read_text())["endpoints"]
    assert [one["endpoint"] for one in declared] == ["chat", "embed"]
    assert declared[0]["maxReplicas"] == 2


def test_the_unset_key_of_an_environment_is_named(sandbox: Sandbox) -> None:
    """NOVITA_API_KEY would change nothing, because the key of the environment takes precedence."""
    sandbox.declare(item("chat"))
    configure(sandbox, dev={"files": ["endpoints.yaml"], "api_key": "${env:DEV_ONLY_KEY}"})
    for command in (("output",), ("list",)):
        ran = sandbox.run("-e", "dev", *command)
        assert ran.code == 1
        assert "`environments.dev.api_key`" in ran.err
        assert "DEV_ONLY_KEY is not set" in ran.err
        assert "export DEV_ONLY_KEY=..." in ran.err
        assert re.search(r"config\.yaml:\d+:\d+", ran.err)
        assert "NOVITA_API_KEY" not in ran.err
