"""What the documentation says is what the program does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from reconciler.cli.main import COMMANDS, run
from reconciler.config.schema import schema_text
from reconciler.model.problem import ExitCode
from reconciler.simulator import Server

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "tests" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(language: str) -> list[str]:
    """The fenced blocks of one language in the README."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The quickstart in a folder of its own, without a key in the environment."""
    for name in ("NOVITA_API_KEY", "NOVITA_BASE_URL", "HF_TOKEN", "CI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NOVITA_API_KEY", "key-of-a-test")
    shutil.copytree(ROOT / "examples" / "quickstart", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_plan_in_the_readme_is_a_real_one(
    quickstart: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The edits that the README tells of give the plan that it shows."""
    with Server() as novita:
        monkeypatch.setenv("NOVITA_BASE_URL", novita.url)
        assert run(["apply", "--yes"]) == 0
        text = (quickstart / "endpoints.yaml").read_text(encoding="utf-8")
        text = text.replace("maxReplicas: 3", "maxReplicas: 5").replace("embed:2.0.1", "embed:2.1.0")
        (quickstart / "endpoints.yaml").write_text(text.split("  - endpoint: rerank")[0], encoding="utf-8")
        embed = next(one for one in novita.world.endpoints if one["name"] == "embed")
        novita.world.console_update(embed["id"], healthy={"path": "/"})
        capsys.readouterr()
        assert run(["plan"]) == 0
    shown = re.sub(r"\[id=[0-9a-f]+\]", "[id=ID]", capsys.readouterr().out)
    assert shown == README.split("<!-- plan -->\n```text\n")[1].split("```")[0]


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """Every line of its shell blocks does what it says, in an empty folder and without an account."""
    script = "\n".join(
        line.split("  #")[0].replace("export NOVITA_API_KEY=...", "export NOVITA_BASE_URL=simulator")
        for block in blocks("sh")
        for line in block.splitlines()
        if not line.startswith(("pip ", "make "))
    )
    assert script.count("reconciler") == 3
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("NOVITA_", "CI"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path, env=environ, input="yes\n", capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Apply complete! Resources: 1 added, 0 changed, 0 destroyed." in done.stdout


def test_the_yaml_of_the_readme_is_valid(quickstart: Path) -> None:
    """The example on top can be pasted."""
    (quickstart / "endpoints.yaml").write_text(blocks("yaml")[0], encoding="utf-8")
    assert run(["validate"]) == 0


def test_the_readme_lists_every_command() -> None:
    """No command is missing from its table, and none in it is missing from the program."""
    listed = re.findall(r"^\| `reconciler ([a-z]+)", README, re.MULTILINE)
    assert listed == list(COMMANDS)


def test_the_readme_lists_every_exit_code() -> None:
    """The table and the enum name the same codes."""
    table = README.split("## Exit codes")[1].split("The guards")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == [
        int(c) for c in ExitCode
    ]


def test_the_readme_names_every_field_of_an_endpoint() -> None:
    """A field that the schema accepts is explained."""
    import json

    fields = json.loads(schema_text("endpoints"))["$defs"]["fields"]["properties"]
    reference = README.split("## The YAML")[1].split("## Exit codes")[0]
    missing = [name for name in fields if name != "lifecycle" and not re.search(rf"`{name}\b", reference)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_pages_exist(page: Path) -> None:
    """Every path in backticks that begins with a folder of the project names a file or a folder."""
    named = re.findall(
        r"`((?:reconciler|tests|schemas|examples|benchmarks|docs|\.github|\.ci)/[\w./-]+)`",
        page.read_text(encoding="utf-8"),
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_files_in_the_pictures_exist() -> None:
    """Every file that a node of the pictures in docs/architecture.md names is a module."""
    pictures = re.findall(r"^```mermaid\n(.*?)^```", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    named = re.findall(r"\b[a-z_]+(?:/[a-z_]+)+\.py\b", "".join(pictures))
    assert len(named) > 15
    assert [path for path in named if not (ROOT / "reconciler" / path).exists()] == []


def test_the_picture_of_the_layers_is_the_import_contract() -> None:
    """The chain of arrows in docs/architecture.md has the layers of pyproject.toml, in their order."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [set(row.split(" | ")) for row in contracts["contracts"][0]["layers"] if row != "__main__"]
    picture = ARCHITECTURE.split("<!-- layers -->")[1].split("```")[1]
    shown: list[set[str]] = []
    for chain in re.findall(r"^  (\w.*-->.*)$", picture, re.MULTILINE):
        rows = [set(row.split(" & ")) for row in chain.split(" --> ")]
        assert rows[0] == (shown or rows)[-1 if shown else 0]
        shown += rows[1:] if shown else rows
    assert shown == layers
    assert set(re.findall(r"<b>(\w+)</b>", picture)) == set().union(*layers)


def test_every_decision_is_listed() -> None:
    """The list of decisions has each page once, with its number and title."""
    folder = ROOT / "docs" / "decisions"
    pages = sorted(folder.glob("0*.md"))
    titles = [path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ") for path in pages]
    rows = [
        f"| {number} | [{title}]({path.name}) |"
        for path, (number, title) in zip(pages, (title.split(". ", 1) for title in titles), strict=True)
    ]
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \d.*$", text, re.MULTILINE) == rows


def test_every_command_that_a_message_names_exists() -> None:
    """A hint to type something is a hint that can be typed."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "reconciler").rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'[`"]reconciler ([a-z]+)[ `"]', text)}
    assert named - {"will", "does", "help"} <= set(COMMANDS)  # "reconciler will perform" names none


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("quickstart", []),
        ("seed", []),
        ("infra-repo", ["-e", "production"]),
        ("team", []),
        ("environments", ["-e", "dev"]),
        ("environments", ["-e", "prod"]),
    ],
    ids=["quickstart", "seed", "infra-repo", "team", "dev", "prod"],
)
def test_the_examples_are_valid_and_can_be_applied(
    folder: str, files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example validates, plans, applies, and plans nothing afterwards."""
    shutil.copytree(ROOT / "examples" / folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("NOVITA_API_KEY", "key-of-a-test")
    monkeypatch.setenv("HF_TOKEN", "hf-of-a-test")
    with Server() as novita:
        monkeypatch.setenv("NOVITA_BASE_URL", novita.url)
        there = ["-C", str(tmp_path), *files]
        assert run([*there, "validate"]) == 0
        assert run([*there, "plan", "--detailed-exitcode"]) == 2
        assert run([*there, "apply", "--yes"]) == 0
        assert run([*there, "plan", "--detailed-exitcode"]) == 0


def run_example(script: str) -> str:
    """Return stdout and stderr of a script of examples/, which must succeed."""
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / "examples" / script],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
def test_the_daily_work_runs() -> None:
    """`examples/day-two.sh` goes through environments, probes, rollbacks, leases and the small commands."""
    out = run_example("day-two.sh")
    for line in (
        "Error: no environment is chosen; config.yaml declares dev, prod",
        "Only the name of the environment, 'prod', will be accepted to approve.",
        "Error: the environment `prod` is protected, and `destroy` would delete 3 endpoints",
        "was rolled back to version 1",
        "       rolled back because it did not serve",
        "lease until",
        "The YAML declares that version already.",
        "Destroy complete! Resources: 3 destroyed.",
    ):
        assert line in out
    assert "secret-of-" not in out


@pytest.mark.slow
def test_the_demo_runs() -> None:
    """`make demo` shows a whole life, from nothing to nothing."""
    out = run_example("demo.sh")
    for line in (
        "Apply complete! Resources: 3 added, 0 changed, 0 destroyed.",
        "No changes. Your infrastructure matches the configuration.",
        "  1 of the changes only scales.",
        "Apply complete! Resources: 0 added, 1 changed, 0 destroyed.",
        "Apply complete! Resources: 0 added, 0 changed, 1 destroyed.",
        "Destroy complete! Resources: 2 destroyed.",
    ):
        assert line in out
