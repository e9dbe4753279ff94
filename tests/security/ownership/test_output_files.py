"""An output replaces nothing but an earlier one of its kind: no input, no inventory, nobody else's file."""

import json
import os

import pytest

from tests.e2e.sandbox import CommandResult, Sandbox, item

REPORTS = ("--json-into", "--html-into", "--markdown-into", "--junit-into")
OUTPUTS = (*REPORTS, "--out")
COMMANDS = (
    ("apply", "--yes"),
    ("drift",),
    ("drift", "revert", "--yes"),
    ("destroy", "--yes"),
    ("scale", "chat", "3", "--yes"),
)
INPUTS = ("endpoints.yaml", "specs.yaml", "config.yaml", ".env", "config/config.yaml", "endpoints/x.json")


@pytest.fixture
def used(sandbox: Sandbox) -> Sandbox:
    """A folder in use: files, an inventory with its companions, a saved plan, and things of other people."""
    sandbox.declare(item("chat", env={"A": "1"}))
    sandbox.apply()
    sandbox.declare(item("chat", env={"A": "2"}), item("embed"))
    sandbox.write("endpoints/more.yaml", {"endpoints": [item("more")]})
    sandbox.write(".env", "HF_TOKEN=hf_secret\n")
    sandbox.write("README.md", "# infra\n\nHow we run things.\n")
    sandbox.write("junit.xml", '<?xml version="1.0"?>\n<testsuites name="pytest tests"/>\n')
    sandbox.write("answer.json", {"endpoints": {"chat": {"id": "4711"}}, "total": 1})
    sandbox.write("tf.json", {"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": []})
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    sandbox.write("state/novita.json.journal", "")
    return sandbox


EXISTING = (
    "endpoints.yaml",
    "specs.yaml",
    "config.yaml",
    "endpoints/more.yaml",
    ".env",
    "state/novita.json",
    "state/novita.json.history.jsonl",
    "state/novita.json.journal",
    "README.md",
    "junit.xml",
    "tf.json",
)
TO_COME = (
    "state/novita.json.lock",
    "state/novita.json.backup",
    "state/novita.json.approved.json",
    "endpoints.yml",
    "config/config.yaml",
    "endpoints/report.json",
    ".env.prod",
    ".reconciler/simulator.json",
)


def refused(sandbox: Sandbox, *args: str) -> CommandResult:
    """Neither asks nor writes anything."""
    before, calls = sandbox.files(), len(sandbox.sim.requests)
    ran = sandbox.run(*args)
    assert ran.code == 1, ran.err + ran.out
    assert sandbox.files() == before
    assert len(sandbox.sim.requests) == calls
    assert "nothing was done" in ran.err
    return ran


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("path", [*EXISTING, *TO_COME])
def test_nothing_else_is_replaced(option: str, path: str, used: Sandbox) -> None:
    if path not in EXISTING:
        (used.root / path).unlink(missing_ok=True)
    ran = refused(used, "plan", option, path)
    assert path.rsplit("/")[-1] in ran.err
    assert "--force" in ran.err


@pytest.mark.parametrize("option", REPORTS)
@pytest.mark.parametrize(
    "command",
    [
        ("apply", "--yes"),
        ("drift",),
        ("destroy", "--yes"),
        ("scale", "chat", "3", "--yes"),
        ("drift", "revert", "--yes"),
    ],
)
def test_by_no_command(option: str, command: tuple[str, ...], used: Sandbox) -> None:
    refused(used, *command, option, "endpoints.yaml")
    refused(used, *command, option, "state/novita.json")


@pytest.mark.parametrize("option", REPORTS)
def test_a_saved_plan_is_no_report(option: str, used: Sandbox) -> None:
    refused(used, "plan", option, "the.plan")
    refused(used, "apply", "the.plan", option, "the.plan")
    assert used.run("plan", "--out", "the.plan").code == 0


@pytest.mark.parametrize("report", REPORTS)
def test_one_kind_of_report_does_not_replace_another(report: str, used: Sandbox) -> None:
    assert used.run("plan", report, "report").code == 0
    for option in OUTPUTS:
        if option != report:
            refused(used, "plan", option, "report")


@pytest.mark.parametrize("link", ["symlink", "hard link", "other spelling"])
@pytest.mark.parametrize("path", ["endpoints.yaml", "state/novita.json", "specs.yaml"])
def test_links_count_as_what_they_lead_to(link: str, path: str, used: Sandbox) -> None:
    match link:
        case "symlink":
            (used.root / "report").symlink_to(path)
        case "hard link":
            os.link(used.root / path, used.root / "report")
    name = f"../infra/./{path}" if link == "other spelling" else "report"
    for option in OUTPUTS:
        refused(used, "plan", option, name)


def test_a_link_to_an_inventory_that_is_still_to_come(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    (sandbox.root / "report").symlink_to("state/novita.json")
    refused(sandbox, "apply", "--yes", "--json-into", "report")
    refused(sandbox, "apply", "--yes", "--json-into", "state/novita.json")
    refused(sandbox, "apply", "--yes", "--state", "s.json", "--html-into", "s.json")
    assert not sandbox.live()


@pytest.mark.parametrize("option", OUTPUTS)
def test_files_of_the_run_are_protected_too(option: str, used: Sandbox) -> None:
    """What -f and --state name, and the inventory that a saved plan brings along."""
    used.write("prod.yaml", {"endpoints": [item("prod")]})
    prod = ("-f", "prod.yaml", "--state", "state/prod.json")
    refused(used, *prod, "plan", option, "prod.yaml")
    refused(used, *prod, "plan", option, "state/prod.json")
    if option == "--out":
        return
    assert used.run(*prod, "plan", "--out", "prod.plan").code == 0
    ran = used.run("apply", "prod.plan", option, "state/prod.json")
    assert set(json.loads((used.root / "state/prod.json").read_text())["endpoints"]) == {"prod"}
    assert ran.code == 1
    assert "cannot write state/prod.json: prod.json already exists" in ran.err


@pytest.mark.parametrize("option", OUTPUTS)
def test_yesterdays_output_is_replaced(option: str, used: Sandbox) -> None:
    """Of this kind, and whatever the run was about; empty files (mktemp), new ones and devices as well."""
    (used.root / "empty").touch()
    for name in ("new", "empty", "deep/new" if option != "--out" else "other"):
        for _ in range(2):
            ran = used.run("plan", option, name)
            assert ran.code == 0, ran.err
            assert (used.root / name).stat().st_size > 100
    assert used.run("plan", option, "/dev/null").code == 0
    if option != "--out":
        used.run("plan", "--target", "nobody", option, "failed")
        assert used.run("plan", option, "failed").code == 0
        assert used.run("apply", "--yes", option, "new").code == 0
        assert used.run("drift", option, "new").code == 0


def test_two_outputs_in_one_place_are_refused(used: Sandbox) -> None:
    (used.root / "link").symlink_to("one")
    for first, second in (("one", "one"), ("one", "./one"), ("one", "link")):
        ran = refused(used, "plan", "--json-into", first, "--out", second)
        assert "--json-into and --out name the same file" in ran.err
        refused(used, "plan", "--html-into", first, "--markdown-into", second, "--force")
    assert used.run("plan", "--json-into", "/dev/null", "--html-into", "/dev/null").code == 0


@pytest.mark.parametrize("option", OUTPUTS)
@pytest.mark.parametrize("path", ["README.md", "tf.json"])
def test_force_replaces_it(option: str, path: str, used: Sandbox) -> None:
    before = (used.root / path).read_bytes()
    ran = used.run("plan", option, path, "--force")
    assert ran.code == 0, ran.err
    assert (used.root / path).read_bytes() != before


@pytest.mark.parametrize("path", INPUTS)
def test_an_inventory_is_kept_nowhere_else(path: str, used: Sandbox) -> None:
    for command in (("state", "rebuild"), ("apply", "--yes"), ("plan",), ("import", "x", used.id("chat"))):
        refused(used, "--state", path, *command)


@pytest.mark.parametrize("path", ["README.md", "tf.json", "the.plan", "junit.xml", "answer.json"])
def test_a_rebuild_replaces_an_inventory_only(path: str, used: Sandbox) -> None:
    ran = refused(used, "--state", path, "state", "rebuild")
    assert "is not an inventory" in ran.err
    assert used.run("--state", path, "state", "rebuild", "--force").code == 0
    assert set(json.loads((used.root / path).read_text())["endpoints"]) == {"chat"}


@pytest.mark.parametrize("text", ["{", "", '<<<<<<< ours\n{"endpoints": {},\n=======\n>>>>>>>\n', "\0\0"])
@pytest.mark.parametrize("path", ["state/novita.json", "state/prod.json"])
def test_a_broken_inventory_can_still_be_rebuilt(text: str, path: str, used: Sandbox) -> None:
    used.run("--state", path, "state", "rebuild")
    used.write(path, text)
    assert used.run("--state", path, "state", "rebuild").code == 0


@pytest.mark.parametrize("path", ["specs.yaml", "config.yaml", "config/specs.yaml", "map.yaml"])
def test_an_import_does_not_land_among_the_settings(path: str, sandbox: Sandbox) -> None:
    sandbox.sim.world.console_create(name="chat")
    for name in ("specs.yaml", "config.yaml"):
        (sandbox.root / name).unlink()
    ran = sandbox.run("--state", "map.yaml", "import", "--all", "--out", path)
    assert ran.code == 1
    assert sandbox.files() == {}
    assert sandbox.run("import", "--all", "--out", "endpoints.yaml").code == 0


@pytest.mark.parametrize("path", ["state/novita.json", "endpoints.yaml", "tf.json", "answer.json"])
def test_a_simulator_keeps_its_world_nowhere_else(path: str, used: Sandbox) -> None:
    before = used.files()
    ran = used.run("simulator", "--port", "0", "--state", path)
    assert ran.code == 1
    assert "not a simulator's state file" in ran.err
    assert used.files() == before
