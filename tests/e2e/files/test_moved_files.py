"""Files that move or change their suffix: what is declared stays declared, what is not read is named."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

NAMES = [f"chat-{number}" for number in range(9)]


def one(name: str) -> str:
    return json.dumps({"endpoints": [item(name)]})


@pytest.fixture
def nine(sandbox: Sandbox) -> Sandbox:
    """Nine endpoints in nine files, applied."""
    for name in NAMES:
        sandbox.write(f"endpoints/{name}.yaml", one(name))
    sandbox.apply()
    return sandbox


def move(sandbox: Sandbox, name: str, to: str) -> None:
    target = sandbox.root / "endpoints" / to
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(sandbox.root / f"endpoints/{name}.yaml", target)


def test_files_that_move_lose_nothing(nine: Sandbox) -> None:
    """Eight one folder down, into two trees, deeper and deeper, with suffixes of every case."""
    for name, to in zip(
        NAMES,
        (
            "a.yaml",
            "llm/b.yaml",
            "llm/c.YAML",
            "img/d.Yml",
            "img/deep/er/e.yml",
            "x.yaml/f.yaml",
            "g.JSON",
            "H.YML",
        ),
        strict=False,
    ):
        move(nine, name, to)
    ran = nine.plan()
    assert (ran.code, ran.actions, ran.codes) == (0, {}, [])
    nine.apply()
    assert set(nine.live()) == set(NAMES)
    moved = nine.root / "moved"
    shutil.move(nine.root / "endpoints", moved)
    assert nine.run("plan", "-f", "moved", "--json").document["summary"]["no_op"] == 9
    assert nine.run("plan", "-f", str(moved), "--json").document["summary"]["no_op"] == 9


@pytest.mark.parametrize("name", ["endpoints.YAML", "endpoints.Yml", "endpoints.JSON", "endpoints/a.JsOn"])
def test_every_case_of_the_suffix(sandbox: Sandbox, name: str) -> None:
    """A file from a system that does not care is read on one that does."""
    sandbox.write(name, one("chat"))
    sandbox.apply()
    assert set(sandbox.live()) == {"chat"}
    (sandbox.root / name).rename(sandbox.root / name.lower())
    assert sandbox.plan().actions == {}


@pytest.mark.parametrize(
    "name",
    [
        "a.yaml.bak",
        "a.yml.disabled",
        "a.YAML~",
        "llm/a.jsonc",
        "llm/a.yaml.j2",
        "a.yaml.txt",
        "a.yam",
        "a.toml",
        "chat",
        "llm/deep/a.yaml_",
    ],
)
def test_what_is_not_read_is_named(nine: Sandbox, name: str) -> None:
    """A warning with the path, also with -f and in JSON, so that a delete is no riddle."""
    move(nine, NAMES[0], name)
    for options in ((), ("-f", "endpoints"), ("-f", str(nine.root / "endpoints"))):
        ran = nine.plan(*options)
        (warning,) = [one for one in ran.document["problems"] if one["code"] == "unread-files"]
        assert f"endpoints/{name}" in warning["summary"]
        assert ran.actions == {NAMES[0]: "delete"}
    assert f"endpoints/{name}" in nine.run("validate").err


def test_documentation_is_not_remarked_upon(nine: Sandbox) -> None:
    """A README is not meant to declare anything."""
    for name in ("README.md", "llm/notes.txt", "logo.svg", "llm/CHANGES.rst"):
        nine.write(f"endpoints/{name}", "x")
    ran = nine.plan("-v")
    assert (ran.code, ran.codes) == (0, [])


def test_hidden_ones_are_skipped_and_told_of_with_v(nine: Sandbox) -> None:
    """Editors' and git's business: no word without -v, one with it."""
    for name in (".a.yaml", ".git/b.yaml", "llm/.c.yaml.swp", ".d/e.yaml"):
        nine.write(f"endpoints/{name}", one("hidden"))
    ran = nine.plan()
    assert (ran.actions, ran.codes) == ({}, [])
    for command in ("plan", "validate"):
        said = nine.run(command, "-v").err
        for name in (".a.yaml", ".git", "llm/.c.yaml.swp", ".d"):
            assert f"endpoints/{name}" in said
        assert "e.yaml" not in said


def test_links(nine: Sandbox, tmp_path: Path) -> None:
    """One to a file is read, one to a folder is named, a loop ends, and none leads out."""
    move(nine, NAMES[0], "../shared/real.yaml")
    (nine.root / "endpoints/link.yaml").symlink_to("../shared/real.yaml")
    assert nine.plan().actions == {}
    (nine.root / "endpoints/again").symlink_to(".")
    (nine.root / "endpoints/up").symlink_to("..")
    (nine.root / "endpoints/llm.yaml").symlink_to("../shared")
    ran = nine.run("plan")
    assert ran.code == 0
    for name in ("again", "up", "llm.yaml"):
        assert f"endpoints/{name}" in ran.err
    (nine.root / "endpoints/loop.yaml").symlink_to("loop.yaml")
    assert "endpoints/loop.yaml" in nine.run("plan").err
    assert nine.run("plan").code == 1


def test_the_order_is_fixed(sandbox: Sandbox) -> None:
    """Defaults of later files win: by path, whatever the order of the directory on the disk."""
    for name in ("b/z.yaml", "a.yaml", "b.yaml", "b/a/x.yml", "c/a.json", "B.yaml"):
        sandbox.write(f"endpoints/{name}", json.dumps({"defaults": {"env": {"LAST": name}}, "endpoints": []}))
    sandbox.declare(item("chat"))
    assert sandbox.run("preview", "--create", "--json").document[0]["body"]["endpoint"]["envs"] == [
        {"key": "LAST", "value": "c/a.json"}
    ]
    assert (
        "endpoints/B.yaml, endpoints/a.yaml, endpoints/b/a/x.yml, endpoints/b/z.yaml, endpoints/b.yaml"
        in (sandbox.run("validate").out.replace("\n", " "))
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("mode", [0o000, 0o111])
def test_a_folder_that_cannot_be_read_is_an_error(nine: Sandbox, mode: int) -> None:
    """Taken for empty, its endpoints would be deleted."""
    move(nine, NAMES[0], "llm/a.yaml")
    (nine.root / "endpoints/llm").chmod(mode)
    try:
        ran = nine.run("apply", "--auto-approve")
    finally:
        (nine.root / "endpoints/llm").chmod(0o755)
    assert ran.code == 1
    assert "endpoints/llm" in ran.err
    assert set(nine.live()) == set(NAMES)


def test_folders_within_folders_without_end(sandbox: Sandbox) -> None:
    """As deep as a path may be."""
    sandbox.declare(item("chat"))
    deep = Path("endpoints", *["d"] * 900)
    here = Path.cwd()
    for part in deep.parts:
        Path(part).mkdir()
        os.chdir(part)
    Path("x.yaml").write_text(one("deep"))
    os.chdir(here)
    ran = sandbox.run("plan", "--json")
    assert "has a bug" not in ran.out + ran.err
    assert ran.actions == {"chat": "create", "deep": "create"}
