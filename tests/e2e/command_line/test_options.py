"""The command line: options on either side, folders, overlays, streams, and the simulator in this process."""

import json
import subprocess
import sys

import pytest

from reconciler import __version__
from reconciler.cli.main import COMMANDS
from tests.e2e.desk import KEY, ROOT, Sandbox, item


@pytest.mark.parametrize(
    "args",
    [
        ["--json", "--target", "chat", "plan"],
        ["plan", "--json", "--target", "chat"],
        ["--json", "plan", "--target", "chat"],
        ["--target", "chat", "plan", "--json"],
    ],
    ids=" ".join,
)
def test_shared_options_stand_on_either_side(desk: Sandbox, args: list[str]) -> None:
    """Before the command or after it, an option means the same."""
    desk.declare(item("chat"), item("embed"))
    assert desk.run(*args).actions == {"chat": "create"}


def test_repeated_options_add_up(desk: Sandbox) -> None:
    """Targets before and after the command are both meant; an exclusion wins over a target."""
    desk.declare(item("chat"), item("chat-2"), item("embed"), item("rerank"))
    ran = desk.run("--target", "chat*", "plan", "--json", "--target", "embed", "--exclude", "chat-2")
    assert ran.actions == {"chat": "create", "embed": "create"}


def test_a_target_may_be_an_address(desk: Sandbox) -> None:
    """The address that a plan prints can be pasted back."""
    desk.declare(item("chat"), item("embed"))
    assert desk.run("plan", "--json", "--target", "novita_endpoint.embed").actions == {"embed": "create"}


def test_a_target_that_matches_nothing(desk: Sandbox) -> None:
    """A slip of the finger is an error, not an empty plan."""
    desk.declare(item("chat"))
    ran = desk.run("apply", "--auto-approve", "--target", "caht")
    assert ran.code == 1
    assert "--target caht matches no endpoint" in ran.err
    assert desk.sent() == []


def test_a_target_leaves_the_rest_alone(desk: Sandbox) -> None:
    """Only what was aimed at is applied, recorded and deleted."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("chat", replicas=2), item("new"))
    desk.apply("--target", "chat")
    assert set(desk.live()) == set(desk.inventory) == {"chat", "embed"}
    assert desk.plan().actions == {"embed": "delete", "new": "create"}


def test_another_folder(desk: Sandbox) -> None:
    """`-C DIR` is make's: every relative path, those in config.yaml too, is relative to DIR."""
    desk.write("prod/config.yaml", {"novita": {"config_dir": "./shapes", "settle_seconds": 0.2}})
    desk.write("prod/shapes/specs.yaml", (desk.root / "specs.yaml").read_text())
    desk.write("prod/token", "from-a-file\n")
    desk.write("prod/endpoints/a.yaml", {"endpoints": [item("chat", env={"T": "${file:token}"})]})
    assert desk.run("-C", "prod", "apply", "--auto-approve").code == 0
    assert (desk.root / "prod/state/novita.json").exists()
    assert not (desk.root / "state").exists()
    assert desk.live()["chat"]["envs"][0]["value"].strip() == "from-a-file"
    assert desk.run("plan", "--out", "the.plan", "-C", "prod").code == 0
    assert (desk.root / "prod/the.plan").exists()


def test_overlays(desk: Sandbox) -> None:
    """With several -f maps merge, lists replace, null removes, and defaults go under all."""
    desk.write(
        "base.yaml",
        {
            "defaults": {"specName": "small", "freeTimeout": 60},
            "endpoints": [
                {"endpoint": "chat", "image": "a:1", "env": {"A": "1", "B": "1"}},
                {"endpoint": "embed", "image": "e:1"},
            ],
        },
    )
    desk.write(
        "prod.yaml",
        {
            "defaults": {"freeTimeout": 600},
            "endpoints": [{"endpoint": "chat", "image": "a:2", "env": {"B": None, "C": "1"}}],
        },
    )
    bodies = desk.run("preview", "--json", "-f", "base.yaml", "-f", "prod.yaml").document
    chat, embed = (one["body"]["endpoint"] for one in bodies)
    assert chat["image"] == {"image": "a:2"}
    assert chat["envs"] == [{"key": "A", "value": "1"}, {"key": "C", "value": "1"}]
    assert chat["workerConfig"]["freeTimeout"] == embed["workerConfig"]["freeTimeout"] == 600


@pytest.mark.parametrize("files", [["base.yaml", "dev.yaml"], ["base.yaml", "prod.yaml"]], ids=" ".join)
def test_the_example_of_environments(desk: Sandbox, files: list[str]) -> None:
    """The environments that ship with the tool validate, plan, apply, and plan empty."""
    desk.monkeypatch.setenv("HF_TOKEN", "hf_example")
    for path in (ROOT / "examples/environments").iterdir():
        desk.write(path.name, path.read_text())
    given = [word for file in files for word in ("-f", file)]
    assert desk.run("validate", *given).code == 0
    assert desk.plan(*given).actions == {"chat": "create", "embed": "create"}
    desk.apply(*given)
    assert desk.plan(*given).code == 0


@pytest.mark.parametrize("example", ["quickstart", "seed"])
def test_the_other_examples(desk: Sandbox, example: str) -> None:
    """Each example validates, plans, applies, and plans empty."""
    for name in ("specs.yaml", "config.yaml"):
        (desk.root / name).unlink()
    folder = ROOT / "examples" / example
    for path in folder.rglob("*.yaml"):
        desk.write(str(path.relative_to(folder)), path.read_text())
    assert desk.run("validate").code == 0
    assert set(desk.plan().actions.values()) == {"create"}
    desk.apply()
    assert desk.plan().code == 0


def test_another_inventory(desk: Sandbox) -> None:
    """--state names another file, and its companions stand beside it."""
    desk.declare(item("chat"))
    desk.apply("--state", "elsewhere/map.json")
    assert not (desk.root / "state").exists()
    assert "chat" in json.loads((desk.root / "elsewhere/map.json").read_text())["endpoints"]
    assert desk.run("state", "list", "--state", "elsewhere/map.json").out.startswith("chat ")


def test_calls_are_told_without_key_or_bodies(desk: Sandbox) -> None:
    """-v writes a line for each call on stderr: method, path, status, time; stdout is as without it."""
    desk.monkeypatch.setenv("TOKEN", "a-secret-value")
    desk.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    quiet = desk.run("plan")
    loud = desk.run("-v", "plan")
    assert loud.out == quiet.out
    assert "GET /gpu-instance/openapi/v1/endpoints 200" in loud.err
    applied = desk.run("apply", "--auto-approve", "-v", "--json")
    assert applied.document["exit_code"] == 0
    assert "POST /gpu-instance/openapi/v1/endpoint/create 200" in applied.err
    for secret in (KEY, "a-secret-value", "ubuntu"):
        assert secret not in loud.err + applied.err


def test_the_version(desk: Sandbox) -> None:
    """--version is the name and the number."""
    assert desk.run("--version").out == f"reconciler {__version__}\n"


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda args: " ".join(args) or "all"
)
def test_help(desk: Sandbox, command: list[str]) -> None:
    """Every command explains itself, within the width of a terminal, and exits 0."""
    ran = desk.run(*command, "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: reconciler")
    assert max(map(len, ran.out.splitlines())) <= 100


def test_it_runs_as_a_module(desk: Sandbox) -> None:
    """`python -m reconciler` is the command, with its exit codes."""
    desk.declare(item("chat"))
    ran = desk.process("plan", "--detailed-exitcode")
    assert ran.code == 2
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in ran.out


def test_the_help_starts_fast(desk: Sandbox) -> None:
    """--help, --version and validate load neither HTTP nor colours nor schema reports."""
    desk.declare(item("chat"))
    code = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        "assert run(sys.argv[1:]) == 0\n"
        "heavy = {'httpx', 'rich', 'deepdiff', 'jsonschema', 'filelock', 'stamina'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for args in (["--help"], ["--version"], ["validate"]):
        subprocess.run(
            [sys.executable, "-c", code, *args], cwd=desk.root, check=True, capture_output=True, timeout=60
        )


@pytest.mark.parametrize("args", ["plan", "plan --json", "preview", "--help"])
def test_a_reader_that_leaves(desk: Sandbox, args: str) -> None:
    """A pipe that closes early ends the command without a word."""
    desk.declare(*(item(f"e{number}") for number in range(300)))
    command = f"{sys.executable} -m reconciler {args} | head -1"
    found = subprocess.run(["bash", "-c", command], cwd=desk.root, capture_output=True, text=True, timeout=60)
    assert len(found.stdout.splitlines()) == 1
    assert found.stderr == ""


def test_a_terminal_that_is_not_utf8(desk: Sandbox) -> None:
    """Names beyond the terminal's alphabet are spelled out instead of ending in a traceback."""
    desk.monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    desk.declare(item("wörld", appName="world"))
    ran = desk.process("plan")
    assert ran.code == 0
    assert "w\\xf6rld" in ran.out


@pytest.fixture
def embedded(desk: Sandbox) -> Sandbox:
    """The desk with the simulator in the process of the command, and no key."""
    desk.monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    desk.monkeypatch.delenv("NOVITA_API_KEY")
    return desk


def test_the_simulator_in_this_process(embedded: Sandbox) -> None:
    """NOVITA_BASE_URL=simulator needs no account, no key and no port, and keeps its world in a file."""
    embedded.declare(item("chat"), item("embed"))
    embedded.apply()
    assert (embedded.root / ".reconciler/simulator.json").exists()
    assert embedded.plan().code == 0
    embedded.declare(item("chat", replicas=2))
    embedded.apply()
    assert embedded.plan().code == 0
    embedded.run("destroy", "--auto-approve")
    world = json.loads((embedded.root / ".reconciler/simulator.json").read_text())
    assert world["fleet"]["endpoints"] == []
    assert embedded.sim.requests == []


def test_the_simulator_from_the_file(embedded: Sandbox) -> None:
    """`novita.base_url: simulator` does the same."""
    embedded.monkeypatch.delenv("NOVITA_BASE_URL")
    embedded.write("config.yaml", {"novita": {"base_url": "simulator"}})
    embedded.declare(item("chat"))
    embedded.apply()
    assert embedded.plan().code == 0


def test_two_processes_on_one_simulator(embedded: Sandbox) -> None:
    """Two runs with inventories of their own share the world, and neither loses the other's endpoints."""
    embedded.write("a.yaml", {"endpoints": [item(f"a{number}") for number in range(12)]})
    embedded.write("b.yaml", {"endpoints": [item(f"b{number}") for number in range(12)]})
    started = [
        embedded.start("apply", "--auto-approve", "-f", f"{name}.yaml", "--state", f"{name}/map.json")
        for name in "ab"
    ]
    for process in started:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    for name in "ab":
        planned = embedded.plan("-f", f"{name}.yaml", "--state", f"{name}/map.json")
        assert planned.code == 0
        assert len(planned.document["unmanaged"]) == 12


def test_init_overwrites_nothing(desk: Sandbox) -> None:
    """`init` writes what is missing, keeps what is there, and what it wrote is valid."""
    (desk.root / "config.yaml").unlink()
    (desk.root / "specs.yaml").unlink()
    desk.write(".gitignore", "mine\n")
    ran = desk.run("init", "--json")
    assert ran.document["written"][:2] == ["endpoints.yaml", "specs.yaml"]
    assert ran.document["kept"] == [".gitignore"]
    assert (desk.root / ".gitignore").read_text() == "mine\n"
    assert desk.run("validate").code == 0
    before = desk.files()
    again = desk.run("init")
    assert again.code == 0
    assert again.out.count("already exists and was not changed") == 5
    assert desk.files() == before


@pytest.mark.parametrize("name", ["config", "specs", "endpoints"])
def test_schemas_are_printed(desk: Sandbox, name: str) -> None:
    """`schema NAME` is a JSON Schema; without a name it is that of endpoints."""
    document = desk.run("schema", name).document
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    if name == "endpoints":
        assert desk.run("schema").document == document


@pytest.mark.parametrize(("closed", "code"), [("<&-", 1), (">&-", 1), ("2>&-", 1), ("<&- >&- 2>&-", 1)])
def test_streams_that_are_closed(desk: Sandbox, closed: str, code: int) -> None:
    """A stream that was closed before the start is as good as /dev/null: nobody approves, nobody reads."""
    desk.declare(item("chat"))
    found = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m reconciler apply {closed}"],
        cwd=desk.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == code
    assert "bug" not in found.stderr
    assert "Traceback" not in found.stderr
    assert desk.sent() == []


@pytest.mark.parametrize("args", ["plan", "plan --json", "apply --auto-approve", "--help"])
def test_a_full_disk_behind_stdout(desk: Sandbox, args: str) -> None:
    """A result that cannot be written is one error; an apply whose plan nobody saw is not performed."""
    desk.declare(item("chat"))
    command = f"{sys.executable} -m reconciler {args} > /dev/full"
    found = subprocess.run(["bash", "-c", command], cwd=desk.root, capture_output=True, text=True, timeout=60)
    assert found.returncode == 1
    assert found.stderr == "Error: cannot write the output: No space left on device\n"
    assert desk.sent() == []


def test_a_watcher_that_leaves(desk: Sandbox) -> None:
    """When nobody reads the progress any more the apply goes on to its end."""
    desk.declare(item("chat"), item("embed"))
    desk.apply()
    desk.declare(item("chat", specName="large"), item("embed", specName="large"), item("new"))
    process = desk.start("apply", "--auto-approve", "--parallelism", "1")
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    assert process.stdout is not None
    out = process.stdout.read()
    assert process.wait(20) == 0
    assert "Apply complete! Resources: 3 added, 0 changed, 2 destroyed." in out
    assert desk.plan().code == 0
