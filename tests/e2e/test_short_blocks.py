"""Short blocks of README.md, docs/convert/, graph.md, outputs.md, registries.md and storage.md."""

from __future__ import annotations

from tests.docs.blocks import blocks, commands
from tests.docs.shell import Shell
from tests.docs.walk import masked
from tests.e2e.registries.credentials import credential, save
from tests.e2e.sandbox import ROOT, Sandbox, item
from tests.e2e.storages.support import REGION, call, live, storage


def lines(page: str, first: str) -> list[str]:
    """Return the commands of the one block whose first command begins like this."""
    found = [
        commands(block) for block in blocks((ROOT / page).read_text()) if block.language in ("sh", "console")
    ]
    (block,) = (one for one in found if one[0].text.startswith(first))
    return [command.text for command in block]


def test_the_readme_finds_drift_and_imports(sandbox: Sandbox) -> None:
    """`import` in an account whose endpoints nobody has declared."""
    sandbox.declare()
    assert sandbox.run(*lines("README.md", "reconciler drift")[0].split()[1:]).code == 0
    for name in ("chat", "embed"):
        sandbox.sim.world.console_create(name=name)
    every, one = lines("README.md", "reconciler import")
    ran = sandbox.run(*one.replace("NAME ID", f"chat {sandbox.id('chat')}").split()[1:])
    assert ran.code == 0, ran.err
    (sandbox.root / "endpoints.yaml").unlink()
    assert sandbox.run(*every.split()[1:]).code == 0
    assert set(sandbox.inventory) == {"chat", "embed"}


def test_compose_files_are_converted(sandbox: Sandbox) -> None:
    """docs/convert/README.md and docs/convert/docker-compose.md, with a `docker` that prints the file."""
    (sandbox.root / "specs.yaml").unlink()
    compose = 'services:\n  chat:\n    image: "acme/chat:1"\n    environment: {TOKEN: secret}\n'
    sandbox.write("compose.yaml", compose)
    shell = Shell(sandbox.root, sandbox.monkeypatch)
    (piped,) = lines("docs/convert/docker-compose.md", "docker compose")
    found = shell.run(f"docker() {{ cat compose.yaml; }}; {piped}")
    assert (shell.code, "- endpoint: chat\n" in found) == (0, True), found
    look, write, check = lines("docs/convert/README.md", "reconciler convert")
    assert "- endpoint: chat\n" in shell.run(look)
    assert not (sandbox.root / "endpoints.yaml").exists()
    assert "+ endpoints.yaml" in shell.run(write)
    checked = shell.run(check)
    assert shell.code == 0, checked


def test_the_graph_is_as_the_page_shows(sandbox: Sandbox) -> None:
    page = (ROOT / "docs" / "graph.md").read_text(encoding="utf-8")
    (shown,) = (block.text for block in blocks(page) if block.language == "text")
    sandbox.declare(item("chat", imageAuth="ghcr"), registries=[credential("ghcr")])
    outputs = [sandbox.run(*line.split()[1:]) for line in lines("docs/graph.md", "reconciler graph")]
    assert [ran.code for ran in outputs] == [0, 0, 0]
    assert outputs[0].out == shown
    assert outputs[1].out.startswith("flowchart")
    assert len(outputs[2].document["nodes"]) == 2


def test_what_exists_already_is_imported(sandbox: Sandbox) -> None:
    """The commands of docs/registries.md and docs/storage.md, with the IDs of the account."""
    sandbox.monkeypatch.setenv("HUB_PASSWORD", "the-password-itself")
    sandbox.declare(item("chat"), registries=[credential("ghcr")], storages=[storage()])
    call(
        sandbox, "networkstorage/create", {"clusterId": REGION, "storageName": "weights", "storageSize": 200}
    )
    ids = {"STORAGE_ID": live(sandbox)["weights"]["storageId"], "ID": save(sandbox, "ghcr")}
    for page in ("docs/registries.md", "docs/storage.md"):
        (line,) = lines(page, "reconciler import")
        *words, name = line.split()[1:]
        ran = sandbox.run(*words, ids[name])
        assert (ran.code, f"is recorded as {ids[name]}" in ran.out) == (0, True), ran.err


def test_a_shell_calls_the_url(sandbox: Sandbox) -> None:
    """docs/outputs.md: `curl` with the URL that `output` prints."""
    sandbox.declare(item("chat", minReplicas=1, maxReplicas=1))
    sandbox.apply()
    shell = Shell(sandbox.root, sandbox.monkeypatch)
    (line,) = lines("docs/outputs.md", "curl")
    answer = shell.run(line.replace("curl ", "curl --silent --show-error --fail "))
    assert (shell.code, answer.startswith('{"object":"list"')) == (0, True), answer


def test_the_outputs_are_as_the_page_shows(sandbox: Sandbox) -> None:
    """docs/outputs.md: one endpoint is replaced, two are not changed."""
    page = (ROOT / "docs" / "outputs.md").read_text(encoding="utf-8")
    (shown,) = (block.text for block in blocks(page) if block.language == "text")
    sandbox.declare(item("chat"), item("embed"), item("rerank"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"), item("embed"), item("rerank"))
    found = sandbox.apply().out.replace(f"{sandbox.sim.url}/run/", "https://")
    found = found.replace("-chat\n", "-chat.runsync.novita.dev\n")
    assert masked(found).endswith(f"\n{masked(shown)}")
