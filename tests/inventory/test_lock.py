"""The lock: one writer, freed by the kernel, with a note that never misleads."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO

import filelock
import pytest

from reconciler.inventory.lock_holder import ci_run_url, current_holder
from reconciler.inventory.stores.file import lock
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import ExitCode

from .helpers import NOON

NAMELESS = 54_321
HOLDER = """
import sys
from pathlib import Path
from reconciler.inventory.stores.file.lock import hold
from reconciler.inventory.lock_holder import current_holder
environ = {"USER": "grace", "CI_JOB_URL": "https://ci.example/jobs/7"}
holder = current_holder(command="reconciler destroy", environ=environ, clock=lambda: 1_750_000_000.0)
with hold(Path(sys.argv[1]), holder):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "novita.json"


def held(path: Path, timeout: float = 0.0) -> AbstractContextManager[None]:
    holder = current_holder(command="reconciler apply", environ={"USER": "ada"}, clock=lambda: NOON)
    return lock.hold(path, holder, timeout=timeout)


def refused(path: Path) -> InventoryLocked:
    with pytest.raises(InventoryLocked) as caught, held(path):
        pass
    return caught.value


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    arguments = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert _pipe(child.stdout).readline() == "held\n"
        yield child
        child.kill()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None
    return pipe


def test_the_second_run_reports_the_holder(path: Path) -> None:
    """The error names user, host, process, time, command and CI run, and how to wait. The exit code is 7."""
    with holder(path) as child:
        error = refused(path)
    assert error.exit_code is ExitCode.LOCKED
    assert error.problem.exit_code == 7
    assert "locked by grace on " in error.problem.summary
    lines = error.problem.detail.splitlines()
    assert "who: grace" in lines
    assert f"pid: {child.pid}" in lines
    assert "since: 2025-06-15T15:06:40Z" in lines
    assert "command: reconciler destroy" in lines
    assert "CI run: https://ci.example/jobs/7" in lines
    assert "--lock-timeout 60s" in error.problem.hint


def test_a_killed_holder_frees_the_lock_at_once(path: Path) -> None:
    """The lock needs no manual unlock: the note that is left is replaced."""
    note = path.with_name("novita.json.lock.json")
    with holder(path) as child:
        child.kill()
        child.wait(60)
        assert json.loads(note.read_text())["who"] == "grace"
        with held(path):
            assert json.loads(note.read_text())["who"] == "ada"
    assert not note.exists()


def test_a_waiting_run_gets_the_lock_when_it_is_free(path: Path) -> None:
    """With a timeout the lock is taken as soon as it is free."""
    with holder(path) as child:
        done = threading.Thread(target=_pipe(child.stdin).close)
        done.start()
        with held(path, timeout=30):
            done.join(60)
            assert child.wait(60) == 0


def test_the_lock_holds_within_one_process_too(path: Path) -> None:
    """Two sessions in one process exclude each other as well, and the first keeps its note."""
    with held(path):
        assert "locked by ada" in refused(path).problem.summary
        assert "CI run" not in refused(path).problem.detail
        assert path.with_name("novita.json.lock.json").exists()
    with held(path):
        pass


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"who": "x"}'])
def test_an_unreadable_note_is_not_shown(path: Path, content: str) -> None:
    """The lock counts; the note only explains."""
    with held(path):
        path.with_name("novita.json.lock.json").write_text(content)
        assert refused(path).problem.summary.endswith("locked by another run")


def test_the_note_of_a_dead_process_is_ignored(path: Path) -> None:
    """Between taking the lock and leaving a note, the predecessor's note is not taken for the truth."""
    with holder(path) as child:
        child.kill()
        child.wait(60)
    with filelock.FileLock(f"{path}.lock"):
        problem = refused(path).problem
    assert "grace" not in problem.summary + problem.detail
    assert "left no details" in problem.detail


def test_a_note_of_another_host_is_used(path: Path) -> None:
    """A process on another host cannot be checked; an impossible process ID does not exist."""
    with held(path):
        note = path.with_name("novita.json.lock.json")
        facts = json.loads(note.read_text())
        note.write_text(json.dumps({**facts, "host": "elsewhere", "pid": 2**22 + 1}))
        assert "on elsewhere" in refused(path).problem.summary
        note.write_text(json.dumps({**facts, "pid": 2**80}))
        assert "another run" in refused(path).problem.summary


def test_the_process_of_another_user_is_alive(path: Path) -> None:
    """A process that we may not signal is there."""
    owner = current_holder(command="c", environ={}, clock=lambda: NOON)
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        note = Path(directory) / "note.json"
        note.write_text(json.dumps({**asdict(owner), "pid": 1}))
        with as_another_user():
            found = lock.read_holder(note)
    assert found is not None
    assert found.pid == 1


@contextmanager
def as_another_user() -> Iterator[None]:
    """Give up root's rights for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NAMELESS, NAMELESS, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A place where nothing can be written is an error of its own, not a lock that is taken."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(InventoryError, match="Cannot write") as caught,
        held(tmp_path / "file" / "novita.json"),
    ):
        pass
    assert not isinstance(caught.value, InventoryLocked)
    assert "Nothing was changed" in caught.value.problem.detail


def test_a_failed_note_frees_the_lock(path: Path) -> None:
    """A run that cannot write its note does not keep the lock."""
    note = path.with_name("novita.json.lock.json")
    note.mkdir(parents=True)
    with pytest.raises(InventoryError, match=r"lock\.json"), held(path):
        pass
    note.rmdir()
    with held(path):
        pass


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, ""),
        ({"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b"}, ""),
        (
            {
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": "a/b",
                "GITHUB_RUN_ID": "9",
                "BUILD_URL": "x",
            },
            "https://github.com/a/b/actions/runs/9",
        ),
        ({"CI_JOB_URL": "https://gitlab/j/1", "BUILD_URL": "x"}, "https://gitlab/j/1"),
        ({"BUILD_URL": "https://jenkins/b/1"}, "https://jenkins/b/1"),
    ],
)
def test_the_ci_run_is_found(environ: dict[str, str], url: str) -> None:
    """GitHub, GitLab and Jenkins say where the run can be seen."""
    assert ci_run_url(environ) == url


def test_a_holder_without_environment_has_a_name() -> None:
    """The system's user stands in for a missing variable, and a number for a missing user."""

    def who(environ: dict[str, str]) -> str:
        return current_holder(command="c", environ=environ, clock=lambda: NOON).who

    assert who({"LOGNAME": "ada", "USER": "root"}) == "ada"
    assert who({}) == pwd.getpwuid(os.getuid()).pw_name
    if os.geteuid() == 0:
        with as_another_user():
            assert who({}) == f"uid {NAMELESS}"
