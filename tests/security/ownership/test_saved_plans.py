"""A saved plan knows where it belongs, and every printed command leads back to the same place."""

import ast
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import COMMANDS
from reconciler.model.command import COMMANDS as PRINTED
from reconciler.simulator import Server
from tests.e2e.sandbox import ROOT, CommandResult, Sandbox, item

PROD = ("-f", "prod.yaml", "--state", "state/prod.json")
YAML = """\
endpoints:
  - endpoint: chat
    image: ubuntu:22.04
    specName: small
"""
PRINTED_COMMAND = re.compile(
    rf"(?<![\w/-])reconciler (?:-\S+ (?:'[^']*'|\S+) )*(?:{'|'.join(COMMANDS)})\b[^`\n]*"
)


@pytest.fixture
def two(sandbox: Sandbox) -> Sandbox:
    """Two sets of files for two inventories; dev has been applied."""
    sandbox.write("prod.yaml", {"endpoints": [item("prod-a"), item("prod-b")]})
    sandbox.declare(item("dev"))
    sandbox.apply()
    return sandbox


def typed(sandbox: Sandbox, text: str) -> CommandResult:
    """A printed command, as a person copies it."""
    return sandbox.run(*shlex.split(text)[1:])


def printed(text: str) -> list[str]:
    """Every command of ours in the output."""
    return [found.split("   ")[0].strip() for found in PRINTED_COMMAND.findall(text)]


def untouched(sandbox: Sandbox, *args: str) -> CommandResult:
    """A run that ends with 6 before anything was written or sent."""
    before, writes = sandbox.files(), len(sandbox.sent())
    ran = sandbox.run(*args)
    assert ran.code == 6, ran.err
    assert sandbox.files() == before
    assert len(sandbox.sent()) == writes
    return ran


def names(sandbox: Sandbox, state: str) -> set[str]:
    return set(json.loads((sandbox.root / state).read_text())["endpoints"])


def test_the_printed_command_is_complete(two: Sandbox) -> None:
    ran = two.run(*PROD, "plan", "--out", "prod.plan")
    (command,) = printed(ran.err)
    assert shlex.split(command) == ["reconciler", *PROD, "apply", "prod.plan"]
    assert typed(two, command).code == 0
    assert names(two, "state/prod.json") == {"prod-a", "prod-b"}
    assert names(two, "state/novita.json") == {"dev"}


@pytest.mark.parametrize(
    "args", [(), ("-f", "prod.yaml"), ("-f", "./prod.yaml"), PROD, ("--state", "state/prod.json")]
)
def test_what_is_left_out_is_taken_from_the_plan(args: tuple[str, ...], two: Sandbox) -> None:
    """Without the options, or with some of them, it does what it was made to do, where it was made to."""
    two.run(*PROD, "plan", "--out", "prod.plan")
    ran = two.run("apply", "prod.plan", *args)
    assert ran.code == 0, ran.err
    assert names(two, "state/prod.json") == {"prod-a", "prod-b"}
    assert names(two, "state/novita.json") == {"dev"}
    assert two.run("plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("args", "made", "now"),
    [
        (("--state", "state/novita.json"), "state/prod.json", "state/novita.json"),
        (("-f", "endpoints.yaml"), "prod.yaml", "endpoints.yaml"),
        (("-f", "endpoints.yaml", "-f", "prod.yaml"), "prod.yaml", "endpoints.yaml prod.yaml"),
        (("-f", "prod.yaml", "--state", "elsewhere.json"), "state/prod.json", "elsewhere.json"),
    ],
)
def test_an_option_that_says_otherwise_is_refused(
    args: tuple[str, ...], made: str, now: str, two: Sandbox
) -> None:
    two.run(*PROD, "plan", "--out", "prod.plan")
    ran = untouched(two, *args, "apply", "prod.plan")
    assert f"it was made with {made}, this run has {now}" in ran.err
    assert untouched(two, *args, "apply", "prod.plan", "--json").codes == ["made-elsewhere"]
    (command,) = printed(ran.err)
    assert shlex.split(command) == ["reconciler", *PROD, "apply", "prod.plan"]
    assert typed(two, command).code == 0


def test_a_plan_without_options_refuses_them(two: Sandbox) -> None:
    two.declare(item("dev"), item("more"))
    two.run("plan", "--out", "dev.plan")
    ran = untouched(two, "-f", "prod.yaml", "apply", "dev.plan")
    assert "it was made with no -f, this run has prod.yaml" in ran.err
    untouched(two, "--state", "state/prod.json", "apply", "dev.plan")
    assert two.run("apply", "dev.plan").code == 0


def test_the_folder_is_part_of_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folders that look alike: the plan of one is not performed in the other."""
    sandbox.declare(item("chat"))
    shutil.copytree(sandbox.root, sandbox.root.with_name("other"))
    monkeypatch.chdir(sandbox.root.parent)
    ran = sandbox.run("-C", "infra", "plan", "--out", "../the.plan")
    assert printed(ran.err) == ["reconciler -C infra apply ../the.plan"]
    ran = untouched(sandbox, "-C", "other", "apply", "../the.plan")
    assert f"-C: it was made with {sandbox.root}, this run has {sandbox.root.with_name('other')}" in ran.err
    assert not (sandbox.root.with_name("other") / "state").exists()
    (command,) = printed(ran.err)
    monkeypatch.chdir(sandbox.root.with_name("other"))
    ran = sandbox.run("apply", "../the.plan")
    assert ran.code == 0
    assert f"The plan is applied in {sandbox.root}, where it was made." in ran.err
    assert shlex.split(command) == [
        "reconciler",
        "-C",
        str(sandbox.root),
        "apply",
        str(sandbox.root.parent / "the.plan"),
    ]
    assert not (sandbox.root.with_name("other") / "state").exists()
    assert set(sandbox.inventory) == {"chat"}


@pytest.mark.parametrize("place", ["infra", ".", "kept"])
def test_from_another_folder_the_plan_leads_to_its_own(
    place: str, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`apply FILE` without -C, from wherever one happens to be."""
    sandbox.declare(item("chat"))
    (tmp_path / "kept").mkdir()
    monkeypatch.chdir(tmp_path)
    assert sandbox.run("-C", "infra", "plan", "--out", str(tmp_path / place / "the.plan")).code == 0
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    ran = sandbox.run("apply", f"../{place}/the.plan")
    assert ran.code == 0, ran.err
    assert set(sandbox.inventory) == {"chat"}
    assert list(away.iterdir()) == []


@pytest.mark.parametrize("how", ["moved", "copied"])
@pytest.mark.parametrize("args", [(), ("-C", "infra")])
def test_a_checkout_elsewhere_performs_it(
    how: str, args: tuple[str, ...], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One job plans, another applies in a checkout of its own; it is said that the folder is another."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat"), item("embed"))
    monkeypatch.chdir(tmp_path if args else sandbox.root)
    assert sandbox.run(*args, "plan", "--out", "the.plan").code == 0
    job = tmp_path / "second-job"
    job.mkdir()
    (shutil.move if how == "moved" else shutil.copytree)(sandbox.root, job / "infra")
    monkeypatch.chdir(job if args else job / "infra")
    ran = sandbox.run(*args, "apply", "the.plan")
    assert ran.code == 0, ran.err
    assert f"The plan was made in {sandbox.root}; it is applied in {job / 'infra'}." in ran.err
    assert set(json.loads((job / "infra/state/novita.json").read_text())["endpoints"]) == {"chat", "embed"}


def test_in_another_folder_with_another_inventory_it_is_stale(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Files that look alike are not enough: the inventory tells whose plan it is."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    other = tmp_path / "other"
    shutil.copytree(sandbox.root, other)
    monkeypatch.chdir(other)
    sandbox.write("../other/endpoints.yaml", {"endpoints": [item("else")]})
    sandbox.apply()
    for folder in (sandbox.root, other):
        sandbox.write(
            str(folder / "endpoints.yaml"), {"endpoints": [item("chat"), item("else"), item("new")]}
        )
    (other / "state/novita.json").write_text(
        json.dumps({**json.loads((other / "state/novita.json").read_text()), "endpoints": {}})
    )
    monkeypatch.chdir(sandbox.root)
    assert sandbox.run("plan", "--out", "the.plan", "--target", "new").code == 0
    shutil.copy("the.plan", other)
    monkeypatch.chdir(other)
    ran = untouched(sandbox, "apply", "the.plan")
    assert "inventory: state/novita.json is not the inventory of" in ran.err


def test_another_account_is_refused_before_it_is_asked(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.declare(item("chat"))
    sandbox.run("plan", "--out", "the.plan", "--state", "a b.json")
    with Server(seed=2) as elsewhere:
        monkeypatch.setenv("NOVITA_BASE_URL", elsewhere.url)
        ran = untouched(sandbox, "apply", "the.plan")
        assert elsewhere.requests == []
        assert f"it was made for {sandbox.sim.url}, this run talks to {elsewhere.url}" in ran.err
    assert f"NOVITA_BASE_URL={sandbox.sim.url} reconciler --state 'a b.json' apply the.plan" in ran.err


def test_a_plan_of_before_is_refused_with_the_command_that_makes_one(two: Sandbox) -> None:
    two.run(*PROD, "plan", "--out", "my prod.plan")
    document = json.loads((two.root / "my prod.plan").read_text())
    document["saved_plan"]["format"] = 1
    del document["saved_plan"]["origin"]
    two.write("my prod.plan", document)
    ran = untouched(two, *PROD, "apply", "my prod.plan")
    assert "older version of reconciler" in ran.err
    (command,) = printed(ran.err)
    assert shlex.split(command) == ["reconciler", *PROD, "plan", "--out", "my prod.plan"]
    typed(two, command)
    assert two.run("apply", "my prod.plan").code == 0


@pytest.mark.parametrize("broken", ["directory", "root", "way", "files", "state", "read", "records"])
def test_a_plan_that_was_tampered_with_is_none(broken: str, sandbox: Sandbox) -> None:
    sandbox.declare(item("chat"))
    sandbox.run("plan", "--out", "the.plan")
    document = json.loads((sandbox.root / "the.plan").read_text())
    document["saved_plan"]["origin"][broken] = 7
    sandbox.write("the.plan", document)
    ran = sandbox.run("apply", "the.plan")
    assert ran.code == 1
    assert "the.plan is not a plan file" in ran.err
    assert sandbox.sent() == []


def test_a_stale_plan_prints_complete_commands(two: Sandbox) -> None:
    """Also when the options came from the plan: `apply FILE` alone was typed."""
    two.run(*PROD, "--target", "prod-*", "plan", "--out", "prod.plan")
    two.write("prod.yaml", {"endpoints": [item("prod-a", replicas=2)]})
    (command,) = printed(untouched(two, "apply", "prod.plan").err)
    assert shlex.split(command) == ["reconciler", *PROD, "--target", "prod-*", "plan"]
    assert typed(two, command).code == 0


def test_resume_belongs_to_its_files(two: Sandbox) -> None:
    """What was approved with -f prod.yaml is finished with prod.yaml, or not at all."""
    two.killed("create", *PROD, "--parallelism", "1")  # no other call may be under way
    ran = untouched(two, "-f", "endpoints.yaml", "--state", "state/prod.json", "apply", "--resume")
    (command,) = printed(ran.err)
    assert shlex.split(command) == ["reconciler", *PROD, "apply", "--resume"]
    assert two.run("--state", "state/prod.json", "apply", "--resume").code == 0
    assert names(two, "state/prod.json") == {"prod-a", "prod-b"}


def strings(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from strings(one)


def scenes(sandbox: Sandbox) -> Iterator[tuple[str, ...]]:
    """Commands that end in a hint with a command."""
    yield ("init",)
    yield ("drift",)
    yield "drift", "accept", "nobody"
    yield "plan", "--out", "the.plan"
    yield "apply", "nothing.plan"
    yield "apply", "--resume"
    yield "recover", "chat", "--none"
    yield "history", "nobody"
    yield "rollback", "chat", "77"
    yield "scale", "chat", "--end-lease"
    yield "scale", "nobody", "1", "--write"
    yield "scale", "chat", "2", "--write"
    yield "deploy", "chat", "--image", "a:1", "--spec", "small", "--yes"
    yield "update", "nobody", "--image", "a:1", "--yes"
    yield "get", "nobody"
    yield "get", "chatt"
    yield "state", "rm", "nobody"
    yield "import", "embed", sandbox.id("chat")
    yield "drift", "--baseline", "none.json"


def test_every_command_that_is_printed_is_complete(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the run is about: what it prints means the same folder, files and inventory."""
    sandbox.write("my prod.yaml", YAML)
    options = ["-C", sandbox.root.name, "-f", "my prod.yaml", "--state", "state/my prod.json"]
    monkeypatch.chdir(sandbox.root.parent)
    assert sandbox.run(*options, "apply", "--yes").code == 0
    sandbox.sim.world.console_update(sandbox.id("chat"), healthy={"path": "/ready"})
    seen = set()
    for args in scenes(sandbox):
        for as_json in ((), ("--json",)):
            ran = sandbox.run(*options, *args, *as_json)
            texts = [ran.err, *(strings(ran.document) if as_json else [ran.out])]
            commands = [command for text in texts for command in printed(text)]
            for command in commands:
                words = shlex.split(command)
                name = words[words.index("-C") + 2] if "init" in words else next(w for w in words[7:])
                expected = options[:2] if name in ("init", "simulator") else options
                assert words[1 : 1 + len(expected)] == expected, (args, command)
            seen.update((args, bool(as_json)) for _ in commands[:1])
    silent = {args for args in scenes(sandbox) if not {(args, False), (args, True)} & seen}
    assert not silent


def test_the_list_of_commands_is_the_one_of_the_command_line() -> None:
    assert set(COMMANDS) <= PRINTED


def test_no_name_gets_into_a_printed_command_unquoted() -> None:
    """In the source, a command is written whole, or made by `command_line`; no problem is made at import."""
    begun = re.compile(rf"reconciler (?:{'|'.join(PRINTED)})(?: [^`\s]+)*(?: )?$")
    faults = []
    for path in sorted((ROOT / "reconciler").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                for before, after in zip(node.values, node.values[1:], strict=False):
                    if (
                        isinstance(before, ast.Constant)
                        and isinstance(after, ast.FormattedValue)
                        and begun.search(str(before.value))
                    ):
                        faults.append(f"{path.name}:{node.lineno}")
        for statement in tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and any(
                isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"
                for node in ast.walk(statement)
            ):
                faults.append(f"{path.name}:{statement.lineno} makes a problem before there is a run")  # noqa: PERF401
    assert faults == []
