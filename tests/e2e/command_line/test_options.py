"""The command line: options on either side, folders, overlays, streams, and the simulator in this process."""

import json
import subprocess
import sys

import pytest

from reconciler import __version__
from reconciler.cli.main import COMMANDS
from tests.e2e.sandbox import KEY, ROOT, Sandbox, item


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
def test_shared_options_stand_on_either_side(sandbox: Sandbox, args: list[str]) -> None:
    """Before the command or after it, an option means the same."""
    sandbox.declare(item("chat"), item("embed"))
    assert sandbox.run(*args).actions == {"chat": "create"}


def test_repeated_options_add_up(sandbox: Sandbox) -> None:
    """Targets before and after the command are both meant; an exclusion wins over a target."""
    sandbox.declare(item("chat"), item("chat-2"), item("embed"), item("rerank"))
    ran = sandbox.run("--target", "chat*", "plan", "--json", "--target", "embed", "--exclude", "chat-2")
    assert ran.actions == {"chat": "create", "embed": "create"}


def test_a_target_may_be_an_address(sandbox: Sandbox) -> None:
    """The address that a plan prints can be pasted back."""
    sandbox.declare(item("chat"), item("embed"))
    assert sandbox.run("plan", "--json", "--target", "novita_endpoint.embed").actions == {"embed": "create"}


def test_a_target_that_matches_nothing(sandbox: Sandbox) -> None:
    """A slip of the finger is an error, not an empty plan."""
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--auto-approve", "--target", "caht")
    assert ran.code == 1
    assert "--target caht matches no endpoint" in ran.err
    assert sandbox.sent() == []


def test_a_target_leaves_the_rest_alone(sandbox: Sandbox) -> None:
    """Only what was aimed at is applied, recorded and deleted."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat", replicas=2), item("new"))
    sandbox.apply("--target", "chat")
    assert set(sandbox.live()) == set(sandbox.inventory) == {"chat", "embed"}
    assert sandbox.plan().actions == {"embed": "delete", "new": "create"}


def test_another_folder(sandbox: Sandbox) -> None:
    """`-C DIR` is make's: every relative path, those in config.yaml too, is relative to DIR."""
    sandbox.write("prod/config.yaml", {"novita": {"config_dir": "./shapes", "settle_seconds": 0.2}})
    sandbox.write("prod/shapes/specs.yaml", (sandbox.root / "specs.yaml").read_text())
    sandbox.write("prod/token", "from-a-file\n")
    sandbox.write("prod/endpoints/a.yaml", {"endpoints": [item("chat", env={"T": "${file:token}"})]})
    assert sandbox.run("-C", "prod", "apply", "--auto-approve").code == 0
    assert (sandbox.root / "prod/state/novita.json").exists()
    assert not (sandbox.root / "state").exists()
    assert sandbox.live()["chat"]["envs"][0]["value"].strip() == "from-a-file"
    assert sandbox.run("plan", "--out", "the.plan", "-C", "prod").code == 0
    assert (sandbox.root / "prod/the.plan").exists()


def test_overlays(sandbox: Sandbox) -> None:
    """With several -f maps merge, lists replace, null removes, and defaults go under all."""
    sandbox.write(
        "base.yaml",
        {
            "defaults": {"specName": "small", "freeTimeout": 60},
            "endpoints": [
                {"endpoint": "chat", "image": "a:1", "env": {"A": "1", "B": "1"}},
                {"endpoint": "embed", "image": "e:1"},
            ],
        },
    )
    sandbox.write(
        "prod.yaml",
        {
            "defaults": {"freeTimeout": 600},
            "endpoints": [{"endpoint": "chat", "image": "a:2", "env": {"B": None, "C": "1"}}],
        },
    )
    bodies = sandbox.run("preview", "--json", "-f", "base.yaml", "-f", "prod.yaml").document
    chat, embed = (one["body"]["endpoint"] for one in bodies)
    assert chat["image"] == {"image": "a:2"}
    assert chat["envs"] == [{"key": "A", "value": "1"}, {"key": "C", "value": "1"}]
    assert chat["workerConfig"]["freeTimeout"] == embed["workerConfig"]["freeTimeout"] == 600


@pytest.mark.parametrize(
    ("name", "planned"),
    [("dev", {"chat-dev", "embed-dev"}), ("prod", {"chat", "embed"})],
    ids=("dev", "prod"),
)
def test_the_example_of_environments(sandbox: Sandbox, name: str, planned: set[str]) -> None:
    """The environments that ship with the tool validate, plan, apply, and plan empty."""
    sandbox.monkeypatch.setenv("HF_TOKEN", "hf_example")
    for path in (ROOT / "examples/environments").iterdir():
        sandbox.write(path.name, path.read_text())
    assert sandbox.run("validate").code == 0
    assert sandbox.plan("-e", name).actions == dict.fromkeys(planned, "create")
    sandbox.apply("-e", name)
    assert sandbox.plan("-e", name).code == 0


@pytest.mark.parametrize("example", ["quickstart", "seed"])
def test_the_other_examples(sandbox: Sandbox, example: str) -> None:
    """Each example validates, plans, applies, and plans empty."""
    for name in ("specs.yaml", "config.yaml"):
        (sandbox.root / name).unlink()
    folder = ROOT / "examples" / example
    for path in folder.rglob("*.yaml"):
        sandbox.write(str(path.relative_to(folder)), path.read_text())
    assert sandbox.run("validate").code == 0
    assert set(sandbox.plan().actions.values()) == {"create"}
    sandbox.apply()
    assert sandbox.plan().code == 0


def test_another_inventory(sandbox: Sandbox) -> None:
    """--state names another file, and its companions stand beside it."""
    sandbox.declare(item("chat"))
    sandbox.apply("--state", "elsewhere/map.json")
    assert not (sandbox.root / "state").exists()
    assert "chat" in json.loads((sandbox.root / "elsewhere/map.json").read_text())["endpoints"]
    assert sandbox.run("state", "list", "--state", "elsewhere/map.json").out.startswith("chat ")


def test_calls_are_told_without_key_or_bodies(sandbox: Sandbox) -> None:
    """-v writes a line for each call on stderr: method, path, status, time; stdout is as without it."""
    sandbox.monkeypatch.setenv("TOKEN", "a-secret-value")
    sandbox.declare(item("chat", env={"TOKEN": "${env:TOKEN}"}))
    quiet = sandbox.run("plan")
    loud = sandbox.run("-v", "plan")
    assert loud.out == quiet.out
    assert "GET /gpu-instance/openapi/v1/endpoints 200" in loud.err
    applied = sandbox.run("apply", "--auto-approve", "-v", "--json")
    assert applied.document["exit_code"] == 0
    assert "POST /gpu-instance/openapi/v1/endpoint/create 200" in applied.err
    for secret in (KEY, "a-secret-value", "ubuntu"):
        assert secret not in loud.err + applied.err


def test_the_version(sandbox: Sandbox) -> None:
    """--version is the name and the number."""
    assert sandbox.run("--version").out == f"reconciler {__version__}\n"


@pytest.mark.parametrize(
    "command", [[], *([name] for name in COMMANDS)], ids=lambda args: " ".join(args) or "all"
)
def test_help(sandbox: Sandbox, command: list[str]) -> None:
    """Every command explains itself, within the width of a terminal, and exits 0."""
    ran = sandbox.run(*command, "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: reconciler")
    assert max(map(len, ran.out.splitlines())) <= 100


def test_it_runs_as_a_module(sandbox: Sandbox) -> None:
    """`python -m reconciler` is the command, with its exit codes."""
    sandbox.declare(item("chat"))
    ran = sandbox.process("plan", "--detailed-exitcode")
    assert ran.code == 2
    assert "Plan: 1 to add, 0 to change, 0 to destroy." in ran.out


def test_the_help_starts_fast(sandbox: Sandbox) -> None:
    """--help, --version and validate load neither HTTP nor colours nor schema reports."""
    sandbox.declare(item("chat"))
    code = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        "assert run(sys.argv[1:]) == 0\n"
        "heavy = {'httpx', 'rich', 'deepdiff', 'jsonschema', 'filelock', 'stamina'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for args in (["--help"], ["--version"], ["validate"]):
        subprocess.run(
            [sys.executable, "-c", code, *args], cwd=sandbox.root, check=True, capture_output=True, timeout=60
        )


@pytest.mark.parametrize("args", ["plan", "plan --json", "preview", "--help"])
def test_a_reader_that_leaves(sandbox: Sandbox, args: str) -> None:
    """A pipe that closes early ends the command without a word."""
    sandbox.declare(*(item(f"e{number}", minReplicas=0) for number in range(300)))
    command = f"{sys.executable} -m reconciler {args} | head -1"
    found = subprocess.run(
        ["bash", "-c", command], cwd=sandbox.root, capture_output=True, text=True, timeout=60
    )
    assert len(found.stdout.splitlines()) == 1
    assert found.stderr == ""


def test_a_terminal_that_is_not_utf8(sandbox: Sandbox) -> None:
    """Names beyond the terminal's alphabet are spelled out instead of ending in a traceback."""
    sandbox.monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    sandbox.declare(item("wörld", appName="world"))
    ran = sandbox.process("plan")
    assert ran.code == 0
    assert "w\\xf6rld" in ran.out


@pytest.fixture
def embedded(sandbox: Sandbox) -> Sandbox:
    """The sandbox with the simulator in the process of the command, and no key."""
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    sandbox.monkeypatch.delenv("NOVITA_API_KEY")
    return sandbox


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


def test_init_overwrites_nothing(sandbox: Sandbox) -> None:
    """`init` writes what is missing, keeps what is there, and what it wrote is valid."""
    (sandbox.root / "config.yaml").unlink()
    (sandbox.root / "specs.yaml").unlink()
    sandbox.write(".gitignore", "mine\n")
    ran = sandbox.run("init", "--json")
    assert ran.document["written"][:2] == ["endpoints.yaml", "specs.yaml"]
    assert ran.document["kept"] == [".gitignore"]
    assert (sandbox.root / ".gitignore").read_text() == "mine\n"
    assert sandbox.run("validate").code == 0
    before = sandbox.files()
    again = sandbox.run("init")
    assert again.code == 0
    assert again.out.count("already exists and was not changed") == 9
    assert sandbox.files() == before


@pytest.mark.parametrize("name", ["config", "specs", "endpoints"])
def test_schemas_are_printed(sandbox: Sandbox, name: str) -> None:
    """`schema NAME` is a JSON Schema; without a name it is that of endpoints."""
    document = sandbox.run("schema", name).document
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    if name == "endpoints":
        assert sandbox.run("schema").document == document


@pytest.mark.parametrize(("closed", "code"), [("<&-", 1), (">&-", 1), ("2>&-", 1), ("<&- >&- 2>&-", 1)])
def test_streams_that_are_closed(sandbox: Sandbox, closed: str, code: int) -> None:
    """A stream that was closed before the start is as good as /dev/null: nobody approves, nobody reads."""
    sandbox.declare(item("chat"))
    found = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m reconciler apply {closed}"],
        cwd=sandbox.root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == code
    assert "bug" not in found.stderr
    assert "Traceback" not in found.stderr
    assert sandbox.sent() == []


@pytest.mark.parametrize("args", ["plan", "plan --json", "apply --auto-approve", "--help"])
def test_a_full_disk_behind_stdout(sandbox: Sandbox, args: str) -> None:
    """A result that cannot be written is one error; an apply whose plan nobody saw is not performed."""
    sandbox.declare(item("chat"))
    command = f"{sys.executable} -m reconciler {args} > /dev/full"
    found = subprocess.run(
        ["bash", "-c", command], cwd=sandbox.root, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 1
    assert found.stderr == "Error: cannot write the output: No space left on device\n"
    assert sandbox.sent() == []


def test_a_watcher_that_leaves(sandbox: Sandbox) -> None:
    """When nobody reads the progress any more the apply goes on to its end."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    sandbox.declare(item("chat", specName="large"), item("embed", specName="large"), item("new"))
    process = sandbox.start("apply", "--auto-approve", "--parallelism", "1")
    assert process.stderr is not None
    process.stderr.readline()
    process.stderr.close()
    assert process.stdout is not None
    out = process.stdout.read()
    assert process.wait(60) == 0
    assert "Apply complete! Resources: 3 added, 0 changed, 2 destroyed." in out
    assert sandbox.plan().code == 0


@pytest.mark.parametrize("options", [("-C", "."), ("-v",), ("--no-color",)])
def test_help_follows_the_shared_options(sandbox: Sandbox, options: tuple[str, ...]) -> None:
    """`help` is the first word, and not the first argument."""
    for words in ((), ("plan",), ("options",)):
        ran = sandbox.run(*options, "help", *words)
        assert (ran.code, ran.out) == (0, sandbox.run("help", *words).out)


@pytest.mark.parametrize("command", [("scale", "chat", "2"), ("deploy", "new"), ("destroy",), ("apply",)])
def test_only_apply_asks_for_a_saved_plan(sandbox: Sandbox, command: tuple[str, ...]) -> None:
    """The other commands take none."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", maxReplicas=3))
    if command == ("deploy", "new"):
        command = (*command, "--spec", "small", "--image", "a:1")
    ran = sandbox.run(*command)
    assert ran.code == 1, ran.err
    assert "pass --auto-approve" in ran.err
    assert ("plan --out" in ran.err) is (command == ("apply",))
