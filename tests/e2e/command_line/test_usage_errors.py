"""Whatever is wrong, there is one clear message, the right exit code, no traceback, and nothing written."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.simulator import Fault, Server
from tests.e2e.sandbox import KEY, ROOT, SPECS, Sandbox, item

COMMANDS = (
    ("validate",),
    ("plan",),
    ("preview",),
    ("apply", "--auto-approve"),
)
"""Those that are about what is declared; destroy is about what is recorded."""

ONLINE = (*COMMANDS[1:], ("destroy", "--auto-approve"))


def spec(**changes: Any) -> dict[str, Any]:
    """The one spec `small`, changed; a None removes a key."""
    found: dict[str, Any] = json.loads(json.dumps(SPECS["specs"][0]))
    for name, value in changes.items():
        section = found["platforms"]["novita"] if name in ("productId", "region") else found["resources"]
        if name == "platforms":
            found["platforms"] = value
        elif value is None:
            del section[name]
        else:
            section[name] = value
    return {"specs": [found]}


BAD_ENDPOINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "broken YAML": ("endpoints: [\n", ("endpoints.yaml:",)),
    "a tab": ("endpoints:\n\t- endpoint: chat\n", ("endpoints.yaml:2",)),
    "an unknown key": (
        "endpoints:\n  - {endpoint: chat, specname: small, image: 'ubuntu:22.04'}\n",
        ("endpoints.yaml:2:22", "specname", "Did you mean `specName`?"),
    ),
    "a wrong type": (
        "endpoints:\n  - endpoint: chat\n    specName: small\n    image: 'a:1'\n    replicas: many\n",
        ("endpoints.yaml:5:15", "replicas"),
    ),
    "a name twice": (
        "endpoints:\n"
        "  - {endpoint: chat, specName: small, image: 'a:1'}\n"
        "  - {endpoint: chat, specName: small, image: 'a:1'}\n",
        ("endpoints.yaml:3", "endpoints.yaml:2", "chat"),
    ),
    "a key twice": (
        "endpoints:\n  - endpoint: chat\n    specName: small\n    image: 'a:1'\n    image: 'a:2'\n",
        ("endpoints.yaml:5:5", "image"),
    ),
    "no image": ("endpoints:\n  - {endpoint: chat, specName: small}\n", ("image",)),
    "an unknown spec": (
        "endpoints:\n  - {endpoint: chat, specName: smal, image: 'a:1'}\n",
        ("endpoints.yaml:2", "smal", "small"),
    ),
    "a number as env": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', env: {N: 1}}\n",
        ('"1"',),
    ),
    "a boolean as env": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', env: {N: no}}\n",
        ('"no"',),
    ),
    "port 2222": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', port: 2222}\n",
        ("2222",),
    ),
    "port 0": ("endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', port: 0}\n", ("port",)),
    "min above max": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', minReplicas: 3, maxReplicas: 2}\n",
        ("minReplicas 3 is above maxReplicas 2",),
    ),
    "no worker at all": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', replicas: 0}\n",
        ("minReplicas: 0",),
    ),
    "a PVC": (
        "endpoints:\n"
        "  - {endpoint: chat, specName: small, image: 'a:1', volumeMounts: [{pvcName: p, mountPath: /p}]}\n",
        ("PVC volume mounts are not supported (Novita uses network storage)", "storage"),
    ),
    "shared memory": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', shmSize: 1Gi}\n",
        ("Shared memory size configuration not applicable to Novita",),
    ),
    "ptrace": (
        "endpoints:\n  - {endpoint: chat, specName: small, image: 'a:1', enablePtrace: true}\n",
        ("Ptrace capability not applicable to Novita",),
    ),
    "a name that is no label": (
        "endpoints:\n  - {endpoint: Chat Room, specName: small, image: 'a:1'}\n",
        ("appName: chat-room",),
    ),
    "not a mapping": ("- endpoint: chat\n", ("endpoints:",)),
}

BAD_SPECS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a rootfs with a unit": (
        spec(ephemeralStorage="100Gi"),
        ("failed to parse rootfs size", "specs.yaml:", 'ephemeralStorage: "100"'),
    ),
    "no platforms.novita": (
        spec(platforms={"k8s": {}}),
        ("no Novita product ID found for spec", "specs.yaml:", "platforms"),
    ),
    "no product": (spec(productId=None), ("no Novita product ID found for spec", "productId")),
    "no region": (spec(region=None), ("region",)),
}


def told(sandbox: Sandbox, *args: str) -> tuple[int, str]:
    """Run a command that must fail and write nothing; returns its code and what it said."""
    before, writes = sandbox.files(), len(sandbox.sent())
    ran = sandbox.run(*args)
    assert sandbox.files() == before, "nothing is written"
    assert len(sandbox.sent()) == writes, "nothing is sent"
    return ran.code, ran.err


def refused(sandbox: Sandbox, *args: str, code: int, says: tuple[str, ...]) -> None:
    """The command fails with this code, and its one message says all this, in text and in JSON alike."""
    text = told(sandbox, *args)
    assert text[0] == code, text[1]
    assert text[1].count("Error:") == 1, text[1]
    for words in says:
        assert words in text[1], text[1]
    ran = sandbox.run(*args, "--json")
    assert ran.code == code
    assert ran.document["exit_code"] == code
    errors = [problem for problem in ran.document["problems"] if problem["severity"] == "error"]
    assert errors
    assert ran.err == ""


@pytest.mark.parametrize("case", BAD_ENDPOINTS)
def test_bad_endpoints(sandbox: Sandbox, case: str) -> None:
    """A mistake in endpoints.yaml is told with its place, by every command, before anything is asked."""
    text, says = BAD_ENDPOINTS[case]
    sandbox.write("endpoints.yaml", text)
    for command in COMMANDS:
        code, err = told(sandbox, *command)
        assert code == 1
        assert "Error:" in err
        for words in says:
            assert words in err, err
        ran = sandbox.run(*command, "--json")
        assert (ran.code, ran.document["exit_code"], ran.err) == (1, 1, "")
        assert any(problem["severity"] == "error" for problem in ran.document["problems"])
    assert sandbox.operations <= {"list", "limit", "market_products", "balance"}


@pytest.mark.parametrize("case", BAD_SPECS)
def test_bad_specs(sandbox: Sandbox, case: str) -> None:
    """A spec that Novita cannot use is told in the words of the provider's own troubleshooting."""
    specs, says = BAD_SPECS[case]
    sandbox.write("specs.yaml", specs)
    sandbox.declare(item("chat"))
    for command in COMMANDS:
        code, err = told(sandbox, *command)
        assert code == 1
        for words in says:
            assert words in err, err
    assert sandbox.operations <= {"list", "limit", "market_products", "balance"}


def test_no_specs_at_all(sandbox: Sandbox) -> None:
    """Without specs.yaml an endpoint's spec is unknown, and the message names the file that is missing."""
    (sandbox.root / "specs.yaml").unlink()
    sandbox.declare(item("chat"))
    code, err = told(sandbox, "plan")
    assert code == 1
    assert "specs.yaml" in err


def test_no_endpoint_file(sandbox: Sandbox) -> None:
    """An empty folder is exit 1 with a hint to init."""
    code, err = told(sandbox, "plan")
    assert code == 1
    assert "reconciler init" in err


def test_all_problems_at_once(sandbox: Sandbox) -> None:
    """Three mistakes in two files are three messages in one run."""
    sandbox.write("specs.yaml", spec(ephemeralStorage="100GB"))
    sandbox.declare(item("chat", replicas="x"), item("embed", port=0), item("rerank"))
    err = told(sandbox, "plan")[1]
    assert err.count("Error:") == 3
    assert "\n\nError:" in err, "an empty line between two problems"
    assert "\n\n\n" not in err
    assert err.endswith("\n")
    assert not err.endswith("\n\n")


def test_an_unset_reference(sandbox: Sandbox) -> None:
    """validate and preview --create warn; plan and apply refuse, with the place of the reference."""
    sandbox.monkeypatch.delenv("HF_TOKEN", raising=False)
    sandbox.declare(item("chat", env={"HF_TOKEN": "${env:HF_TOKEN}"}))
    for command in (("validate",), ("preview", "--create")):
        ran = sandbox.run(*command)
        assert ran.code == 0
        assert "Warning:" in ran.err
        assert "HF_TOKEN" in ran.err
    for command in (("plan",), ("apply", "--auto-approve")):
        code, err = told(sandbox, *command)
        assert code == 1
        assert "HF_TOKEN" in err
        assert "endpoints.yaml:" in err


BAD_SETTINGS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "not enabled": ({"novita": {"enabled": False}}, ("novita provider is not enabled", "enabled: true")),
    "another provider": ({"providers": {"deployment": "k8s"}}, ("novita provider is not enabled",)),
    "an unknown setting": ({"novita": {"apikey": "x"}}, ("config.yaml:", "apikey", "`api_key`")),
    "plain http": ({"novita": {"base_url": "http://api.novita.ai"}}, ("is not https",)),
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_bad_settings(sandbox: Sandbox, case: str) -> None:
    """A mistake in config.yaml stops the run before it asks anybody."""
    config, says = BAD_SETTINGS[case]
    if "base_url" in config.get("novita", {}):
        sandbox.monkeypatch.delenv("NOVITA_BASE_URL")
    sandbox.write("config.yaml", config)
    sandbox.declare(item("chat"))
    for command in ONLINE:
        refused(sandbox, *command, code=1, says=says)
    assert sandbox.sim.requests == []


@pytest.mark.parametrize("key", ["", "your-novita-api-key-here"])
def test_no_key(sandbox: Sandbox, key: str) -> None:
    """No key and the placeholder of the example alike: the message says where keys come from."""
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    sandbox.write("config.yaml", {"novita": {"api_key": key}})
    sandbox.declare(item("chat"))
    for command in ONLINE:
        refused(sandbox, *command, code=1, says=("novita API key is required", "https://console.novita.ai"))
    assert sandbox.sim.requests == []


def hopeless(**fault: Any) -> Callable[[Server], None]:
    return lambda sim: sim.faults.add(Fault(**{"times": None, **fault}))


FAILING: dict[str, tuple[Callable[[Server], None], int, tuple[str, ...]]] = {
    "another key": (lambda sim: sim.world.switch(api_key="other"), 8, ("Invalid API key", "NOVITA_API_KEY")),
    "401": (hopeless(operation="list", status=401), 8, ("Invalid API key",)),
    "403": (hopeless(operation="list", status=403), 8, ("Invalid API key",)),
    "no money": (
        hopeless(operation="list", status=400, reason="BALANCE_NOT_ENOUGH"),
        8,
        ("out of money",),
    ),
    "a page of the edge": (hopeless(operation="list", kind="html"), 1, ("CDN", "1010")),
    "an error in a 200": (
        hopeless(operation="list", kind="error_in_2xx", status=400, reason="VALIDATOR_PARAM"),
        1,
        ("VALIDATOR_PARAM",),
    ),
    "more announced than there are": (
        lambda sim: sim.world.switch(total_offset=5),
        1,
        ("could not be listed completely",),
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_an_account_that_fails(sandbox: Sandbox, case: str) -> None:
    """No plan is made of an account that cannot be read, and the message says what to do next."""
    sandbox.monkeypatch.setattr("reconciler.model.durations.SCAN_PAUSES", (0.02,) * 5)
    fail, code, says = FAILING[case]
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("other"))
    fail(sandbox.sim)
    for command in ONLINE:
        refused(sandbox, *command, code=code, says=says)
    document = sandbox.run("plan", "--json").document
    assert document["errored"] is True
    assert document["complete"] is False
    assert document["resource_changes"] == []


@pytest.mark.slow
def test_a_server_that_stays_down(sandbox: Sandbox) -> None:
    """Reads are tried again for a while; then the message says how often, and for how long."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="list", status=503, times=None))
    code, err = told(sandbox, "plan")
    assert code == 1
    assert err.count("Error:") == 1
    first_page = [request for request in sandbox.sent("list") if request.query["pageNum"] == "0"]
    assert f"Sent {len(first_page)} times in " in err


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"kind": "html_502"}, {"kind": "truncated"}, {"kind": "reset"}]
)
def test_a_server_that_stumbles(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    """One failed read costs one more, and nobody is told."""
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="list", **fault))
    ran = sandbox.plan()
    assert ran.code == 2
    assert ran.err == ""


@pytest.mark.slow
def test_nobody_listens(sandbox: Sandbox, closed_port: int) -> None:
    """A closed port on this machine is told with the command that would open it."""
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", f"http://127.0.0.1:{closed_port}")
    sandbox.declare(item("chat"))
    code, err = told(sandbox, "plan", "-v")
    assert code == 1
    assert err.count("Error:") == 1
    assert f"127.0.0.1:{closed_port}" in err
    assert "reconciler simulator" in err
    assert KEY not in err


def many(sandbox: Sandbox, count: int) -> None:
    for number in range(count):
        sandbox.sim.world.console_create(name=f"other-{number}", appName=f"other-{number}")


def test_page_two_fails(sandbox: Sandbox) -> None:
    """A listing that breaks off in the middle is no plan, though its first page was fine."""
    many(sandbox, 250)
    sandbox.declare(item("chat"))
    sandbox.sim.faults.add(Fault(operation="list", kind="html", times=None, page=1))
    code, err = told(sandbox, "plan")
    assert code == 1
    assert "page 1 failed" in err


def test_fewer_announced_than_there_are(sandbox: Sandbox) -> None:
    """A total that is too low hides nobody: pages are read until they bring nothing new."""
    many(sandbox, 120)
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(total_offset=-100)
    planned = sandbox.plan()
    assert planned.actions == {}
    assert len(planned.document["unmanaged"]) == 120


USAGE: list[list[str]] = [
    ["plan", "--no-such"],
    ["nonsense"],
    ["apply", "one", "two"],
    ["plan", "--allow-delete", "-1"],
    ["apply", "--parallelism", "0"],
    ["-C", "no/such/folder", "plan"],
    ["state", "rm"],
    ["state", "nonsense"],
    ["schema", "nonsense"],
]


@pytest.mark.parametrize("args", USAGE, ids=" ".join)
def test_usage_errors(sandbox: Sandbox, args: list[str]) -> None:
    """A wrong command line is exit 64, and with --json one document, wherever that option stands."""
    code, err = told(sandbox, *args)
    assert code == 64
    assert "Error:" in err
    for given in (["--json", *args], [*args, "--json"]):
        ran = sandbox.run(*given)
        assert ran.code == 64
        assert ran.document["exit_code"] == 64
        assert ran.document["problems"][0]["code"] == "usage"


def test_a_plan_that_cannot_be_saved(sandbox: Sandbox) -> None:
    """`plan --out` into nowhere is one error, and still one document."""
    sandbox.declare(item("chat"))
    refused(
        sandbox, "plan", "--out", "no/such/folder/plan", code=1, says=("cannot write no/such/folder/plan",)
    )


def test_an_inventory_that_is_a_folder(sandbox: Sandbox) -> None:
    """An inventory that cannot be read stops the run; at most the account was listed."""
    sandbox.declare(item("chat"))
    (sandbox.root / "state/novita.json").mkdir(parents=True)
    for command in ONLINE:
        code, err = told(sandbox, *command)
        assert code == 1
        assert "state/novita.json" in err
    assert sandbox.operations <= {"list", "limit", "market_products", "balance"}


def test_a_time_that_is_none(sandbox: Sandbox) -> None:
    """--lock-timeout says how times are written."""
    code, err = told(sandbox, "apply", "--lock-timeout", "soon")
    assert code == 64
    assert "'soon' is not a valid duration; use 60, 60s or 5m" in err


@pytest.mark.parametrize("value", ["hf_secret1", "hf a b)", "hf'\"\n"])
def test_a_variable_without_its_option_is_masked(sandbox: Sandbox, value: str) -> None:
    run = sandbox.run("deploy", "chat", "--image", "a:1", "--spec", "small", f"HF_TOKEN={value}")
    assert run.code == 64
    assert "HF_TOKEN=***" in run.err
    assert "--env NAME" in run.err
    as_json = sandbox.run(
        "deploy", "chat", "--json", f"HF_TOKEN={value}", "--image", "a:1", "--spec", "small"
    )
    assert "HF_TOKEN=***" in as_json.out
    assert "hf" not in run.err + as_json.out + as_json.err


def test_a_number_that_is_an_assignment_is_masked(sandbox: Sandbox) -> None:
    run = sandbox.run("scale", "chat", "REPLICAS=hf_secret1")
    assert run.code == 64
    assert "Invalid value for '[N]': 'REPLICAS=***'" in run.err


@pytest.mark.parametrize(
    "command",
    [
        "get helo",
        "status helo",
        "output helo",
        "open helo",
        "logs helo",
        "call helo",
        "update helo --replicas 2 --yes",
        "scale helo 2 --yes",
        "delete helo --yes",
        "history helo",
        "rollback helo",
        "state show helo",
        "plan --target helo",
        "plan --replace helo",
        "list --target helo",
        "drift accept helo",
    ],
)
def test_a_mistyped_name_has_a_suggestion(sandbox: Sandbox, command: str) -> None:
    """E15: in every command that takes a name."""
    sandbox.declare(item("hello"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("hello"), healthy={"path": "/"})
    ran = sandbox.run(*command.split())
    assert (ran.code, "Did you mean `hello`?" in ran.err) == (1, True), ran.err


def test_a_run_without_files_writes_nothing_to_stdout(sandbox: Sandbox) -> None:
    """E15: an error goes to stderr."""
    ran = sandbox.run("apply", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "no endpoints.yaml found here" in ran.err


ODD = re.compile(r"(?i)rings no alarm|with whose it is|how the endpoints do\b|no word of")
"""Wording that readers found hard to understand."""


def test_help_and_messages_use_plain_words() -> None:
    """E16: no phrase that was found hard to read is in the program or in the page of the commands."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "reconciler").rglob("*.py")]
    texts.append((ROOT / "docs" / "cli.md").read_text(encoding="utf-8"))
    assert [match[0] for text in texts for match in ODD.finditer(text)] == []
