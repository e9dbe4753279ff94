"""Each document is what its JSON Schema says: `Sandbox.run` checks all that the tests print.

Here are those that other tests print only by chance, and that no document is left out.
"""

import json

import click
import pytest

from reconciler.cli.main import cli
from reconciler.config.document_schemas import document_names, document_schema
from tests.documents import OTHERS, SCHEMAS, assert_valid, check_output, command_of
from tests.e2e.sandbox import ROOT, Sandbox, item

COMMANDS_WITHOUT_DOCUMENT = {
    *("approve", "completion", "mcp", "run", "schema", "serve", "simulator"),
    *("drift", "env", "state"),  # groups; `drift` itself has a document
    "pods",  # always fails
}


def commands(group: click.Group, words: tuple[str, ...] = ()) -> dict[str, click.Command]:
    """Return all commands by their words, such as `state list`."""
    context = click.Context(group)
    found: dict[str, click.Command] = {}
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[" ".join((*words, name))] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*words, name))
    return found


def test_every_command_has_a_schema_for_its_document() -> None:
    assert set(commands(cli)) - COMMANDS_WITHOUT_DOCUMENT == set(SCHEMAS) - {"drift"}


def test_every_schema_is_the_one_of_a_document() -> None:
    assert {*SCHEMAS.values(), *OTHERS.values(), "inventory", "saved-plan"} == set(document_names())


@pytest.mark.parametrize("case", sorted((ROOT / "tests" / "cases").iterdir()), ids=lambda path: path.name)
def test_the_golden_plans_are_documents(case: object) -> None:
    path = ROOT / "tests" / "cases" / str(case) / "plan.json"
    if path.exists():
        assert_valid("plan", json.loads(path.read_text(encoding="utf-8")))


def test_a_life_of_an_endpoint_in_documents(sandbox: Sandbox) -> None:
    """Every command that changes or shows something, one after the other."""
    sandbox.declare(
        item("chat", minReplicas=1, maxReplicas=2, env={"A": "b"}, probe={"path": "/health"}),
        storages=[{"name": "weights", "region": "us-dallas-nas-2", "sizeGb": 10}],
    )
    for command in (
        "init", "version", "explain policy", "validate", "graph", "preview", "preview --create",
        "pin --check",
        "plan --explain --preflight", "plan --out saved.plan", "show saved.plan", "apply saved.plan",
        "state list", "state show chat", "list", "get chat", "status", "status chat", "output", "output chat",
        "logs chat", "open chat", "cost", "history", "specs", "specs small", "specs --available", "pvcs",
        "probe", "call chat --path /health", "doctor", "recover", "watch --initial --for 0.01",
        "scale chat --min 1 --max 3 --write", "apply --yes", "scale chat 2 --for 1h --why launch --yes",
        "list", "history", "state show chat", "rollback chat 1 --yes", "update chat --image a:2 --yes",
        "deploy hand --spec small --image a:1 --yes", "delete hand --yes", "restart chat --yes",
        "state pull", "state pull -o pulled.json", "state push pulled.json --force", "state lock-info",
        "state copy state/novita.json state/copy.json", "state fold", "state rm chat", "state rebuild",
        "import --all --out imported.yaml --force",
    ):  # fmt: skip
        ran = sandbox.run(*command.split(), "--json")
        assert ran.out, (command, ran.err)
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/other"})
    for command in ("drift", "drift accept chat", "destroy --yes"):
        assert sandbox.run(*command.split(), "--json").out
    saved = json.loads((sandbox.root / "saved.plan").read_text(encoding="utf-8"))
    assert_valid("saved-plan", saved)
    assert_valid("inventory", json.loads((sandbox.root / "state/copy.json").read_text(encoding="utf-8")))


def test_environments_in_documents(sandbox: Sandbox) -> None:
    sandbox.write(
        "config.yaml", {"environments": {"dev": {"files": ["dev.yaml"]}, "prod": {"files": ["prod.yaml"]}}}
    )
    sandbox.write("dev.yaml", {"endpoints": [item("chat", replicas=1)]})
    sandbox.write("prod.yaml", {"endpoints": [item("chat", replicas=2), item("embed")]})
    sandbox.run("env", "list", "--json")
    assert sandbox.run("env", "diff", "dev", "prod", "--json").code == 2
    sandbox.run("-e", "dev", "apply", "--yes", "--json")
    sandbox.run("-e", "dev", "apply", "--yes", "--events")
    sandbox.run("-e", "dev", "plan", "--json", "--out", "saved.plan")
    assert_valid("saved-plan", json.loads((sandbox.root / "saved.plan").read_text(encoding="utf-8")))


def test_a_new_key_is_found() -> None:
    """A document with a key that its schema does not name is refused, also deep inside."""
    document = {"version": "1", "python": "3", "platform": "x", "extras": {}}
    check_output("version", (), json.dumps(document))
    with pytest.raises(AssertionError, match="schemas/json/version"):
        check_output("version", (), json.dumps({**document, "new": 1}))
    recorded = [{"name": "a", "id": "b", "c": 1}]
    text = json.dumps({"recorded": recorded, "problems": [], "exit_code": 0})
    with pytest.raises(AssertionError, match="recorded"):
        check_output("state rebuild", (), text)


def test_the_command_is_found_among_options() -> None:
    assert command_of(["-C", "x", "state", "list", "--json"]) == "state list"
    assert command_of(["drift", "--json"]) == "drift"
    assert command_of(["--nothing"]) == ""


def test_the_schemas_are_printed(sandbox: Sandbox) -> None:
    for name in document_names():
        ran = sandbox.run("schema", f"json/{name}")
        assert (ran.code, ran.document) == (0, document_schema(name))
    ran = sandbox.run("schema", "json/plam")
    assert (ran.code, "did you mean `json/plan`?" in ran.err) == (64, True)
