"""Links, pipes and second names in the place of our own files: nothing is read or written through them."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.sandbox import Sandbox, item

STATE = "state/novita.json"
SUFFIXES = ["", ".journal", ".history.jsonl", ".lock", ".lock.json", ".backup", ".approved.json", ".tmp"]
VICTIM = "what somebody else wrote\n"


def link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def dangling(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not-there"))


def hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


def pipe(path: Path, _victim: Path) -> None:
    os.mkfifo(path)


def directory(path: Path, _victim: Path) -> None:
    path.mkdir()


def device(path: Path, _victim: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.fixture
def victim(sandbox: Sandbox) -> Path:
    folder = sandbox.root.parent / "elsewhere"
    folder.mkdir()
    file = folder / "victim"
    file.write_text(VICTIM)
    return file


@pytest.mark.parametrize("plant", [link, dangling, hard_link, pipe, directory, device])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_goes_through_a_planted_file(
    sandbox: Sandbox, victim: Path, suffix: str, plant: Callable[[Path, Path], None]
) -> None:
    """Every command ends, the file elsewhere stays what it was, and a refusal names what was planted."""
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    path = sandbox.root / (STATE + suffix)
    if path.exists():
        path.unlink()
    plant(path, victim)
    sandbox.declare(item("chat", port=9000), item("embed"), item("new"))
    for command in (
        ["plan"],
        ["apply", "--yes", "--adopt"],
        ["apply", "--resume", "--yes"],
        ["history"],
        ["rollback", "chat", "--yes"],
        ["recover"],
        ["drift"],
        ["doctor"],
        ["state", "list"],
        ["state", "rm", "new"],
        ["deploy", "by-hand", "--spec", "small", "--image", "x:1", "--yes"],
    ):
        ran = sandbox.run(*command)
        told = ran.out + ran.err
        assert "has a bug" not in told, command
        assert victim.read_text() == VICTIM
        assert [file.name for file in victim.parent.iterdir()] == ["victim"]
        if "is not used" in told:
            assert path.name in told
            assert "ls -l" in told


@pytest.mark.parametrize("plant", [link, hard_link, pipe, device])
def test_a_journal_that_was_planted_stops_the_apply_before_it_writes(
    sandbox: Sandbox, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    (sandbox.root / "state").mkdir()
    plant(sandbox.root / f"{STATE}.journal", victim)
    sandbox.declare(item("chat"))
    ran = sandbox.run("apply", "--yes")
    assert ran.code == 1
    assert "novita.json.journal is not used" in ran.err
    assert "`rm " in ran.err
    assert sandbox.sent() == []


def test_a_folder_that_leads_outside_is_refused(sandbox: Sandbox, victim: Path) -> None:
    """Another repository's inventory is not taken for ours, unless it is named outright."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    (sandbox.root / "state").rename(victim.parent / "state")
    (sandbox.root / "state").symlink_to("../elsewhere/state")
    before = (victim.parent / STATE).read_bytes()
    sandbox.declare(item("chat", port=9000))
    for command in (["plan"], ["apply", "--yes"], ["state", "list"], ["history"], ["destroy", "--yes"]):
        ran = sandbox.run(*command)
        assert ran.code == 1, command
        assert f"state/novita.json leads out of this folder, to {victim.parent}/state/novita.json" in ran.err
        assert f"--state {victim.parent}/state/novita.json" in ran.err
    assert sandbox.run("doctor").code == 1
    assert (victim.parent / STATE).read_bytes() == before
    named = ["--state", f"{victim.parent}/state/novita.json"]
    assert sandbox.run(*named, "apply", "--yes", "--allow-other-files").code == 0


def test_links_that_stay_inside_are_followed(sandbox: Sandbox) -> None:
    """A map that is shared by two names, and a folder that is kept elsewhere in the same repository."""
    (sandbox.root / "kept").mkdir()
    (sandbox.root / "state").symlink_to("kept")
    sandbox.declare(item("chat"))
    sandbox.apply()
    assert (sandbox.root / "kept/novita.json").is_file()
    (sandbox.root / "kept/novita.json").rename(sandbox.root / "kept/map.json")
    (sandbox.root / "kept/novita.json").symlink_to("map.json")
    sandbox.declare(item("chat"), item("embed"))
    sandbox.apply()
    assert (sandbox.root / "kept/novita.json").is_symlink()
    assert set(sandbox.inventory) == {"chat", "embed"}


def test_the_folder_of_the_simulator_leads_nowhere_else(sandbox: Sandbox, victim: Path) -> None:
    sandbox.declare(item("chat"))
    sandbox.monkeypatch.setenv("NOVITA_BASE_URL", "simulator")
    (sandbox.root / ".reconciler").symlink_to(victim.parent)
    for command in (["plan"], ["init"], ["apply", "--yes"]):
        ran = sandbox.run(*command)
        assert "leads out of this folder" in ran.err, command
    assert [file.name for file in victim.parent.iterdir()] == ["victim"]


@pytest.mark.parametrize("kind", ["pipe", "directory", "device", "sparse"])
def test_a_saved_plan_is_an_ordinary_file(sandbox: Sandbox, kind: str) -> None:
    """A pipe is not waited for, and a file of 20 GB is not read."""
    sandbox.declare(item("chat"))
    path = sandbox.root / "prod.plan"
    if kind == "sparse":
        with path.open("wb") as file:
            file.truncate(20 * 2**30)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        pipe(path, path) if kind == "pipe" else directory(path, path)
    ran = sandbox.run("apply", "prod.plan")
    assert ran.code == 1
    assert "cannot read prod.plan" in ran.err
    assert stat.S_IFMT(path.lstat().st_mode) != 0
