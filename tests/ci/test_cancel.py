"""A job that is cancelled: its shell alone hears a signal, then another, and then the machine is gone."""

import os
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from reconciler.simulator import Request
from tests.github_action.fake import GitHub

from .actions import Runner
from .conftest import Account, Infra

pytestmark = pytest.mark.slow

NAMES = ["chat", "embed", "rerank"]
JOURNAL = "state/production.json.journal"


def shell_of_the_apply() -> int:
    """The parent of the `reconciler apply` that descends from this process."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended meanwhile
    for pid in parents:
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        line, above = b" ".join(words), pid
        while above in parents and above != os.getpid():
            above = parents[above]
        if above == os.getpid() and b"reconciler apply" in line and b"python" in line:
            return parents[pid]
    raise AssertionError("no apply is under way")


class Cancelled:
    """Cancels the job in its second create: SIGINT to its shell, and SIGTERM when that has been heard.

    `earlier` are the creates of jobs before it (count).
    """

    def __init__(self, account: Account, *, earlier: int = 0) -> None:
        self.leave = threading.Event()
        self.failures: list[BaseException] = []
        account.sim.faults.before("create", self._cancel, nth=earlier + 2)

    def _cancel(self, _request: Request) -> None:
        try:
            shell = shell_of_the_apply()
            os.kill(shell, signal.SIGINT)
            self.leave.wait(1.0)  # as GitHub waits 7.5 s
            os.kill(shell, signal.SIGTERM)
        except BaseException as error:
            self.failures.append(error)
        self.leave.wait(30)


def in_production(account: Account) -> list[str]:
    return [name for name in account.names if not name.endswith("-staging")]


def goes_on(infra: Infra, account: Account, cancelled: Cancelled) -> None:
    """The create that was under way is carried out; the next run finds it, and the journal is gone again."""
    assert not cancelled.failures
    assert infra.subjects()[0] == "Record what was applied [skip ci]"
    assert '"intent"' in infra.at_main(JOURNAL)
    assert len(in_production(account)) == 2
    cancelled.leave.set()
    while len(in_production(account)) < 3:
        threading.Event().wait(0.01)


@pytest.fixture
def environ(account: Account, address: dict[str, str]) -> dict[str, str]:
    return {**account.secrets, **address}


def test_a_script_keeps_map_and_journal(infra: Infra, environ: dict[str, str], account: Account) -> None:
    """ci.sh hands the signals on, and keeps what was done and what is open."""

    def ci(word: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", str(there / "ci.sh"), word],
            env={**infra.machine.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )

    there = infra.checkout()
    assert ci("plan").returncode == 0
    cancelled = Cancelled(account)
    ended = ci("apply")
    assert ended.returncode == 130, ended.stdout
    goes_on(infra, account, cancelled)
    there = infra.checkout()
    assert ci("plan").returncode == 0
    assert ci("apply").returncode == 0
    assert account.names == NAMES
    assert (
        infra.machine.git(infra.remote, "ls-tree", "-r", "--name-only", "main", "state")
        == "state/production.json"
    )


def test_a_workflow_keeps_map_and_journal(
    infra: Infra, hub: GitHub, account: Account, address: dict[str, str]
) -> None:
    """The step that is always run comes after the cancel, and the next run of the workflow goes on."""
    runner = Runner(machine=infra.machine, infra=infra, hub=hub, secrets=account.secrets, environ=address)
    cancelled = Cancelled(account, earlier=len(NAMES))
    jobs = runner.workflow("apply.yml")
    assert jobs["apply"].result == "failure", jobs["apply"].log
    goes_on(infra, account, cancelled)
    jobs = runner.workflow("apply.yml")
    assert {job.result for job in jobs.values()} <= {"success", "skipped"}, jobs
    assert in_production(account) == NAMES


@pytest.mark.parametrize("word", ["keep"])
def test_what_a_killed_run_left_is_kept(
    infra: Infra, environ: dict[str, str], account: Account, word: str
) -> None:
    """`keep` folds the journal first, without a key and without a network; only what is open stays in it."""
    there = infra.checkout()
    machine = infra.machine
    script = f'exec "{there}/ci.sh" "$1"'
    assert machine.run(script.replace("$1", "plan"), infra.remote, environ, ("bash", "-e")).code == 0

    def kill(_request: Request) -> None:
        applying = next(
            int(entry.name)
            for entry in Path("/proc").iterdir()
            if entry.name.isdigit()
            and (entry / "cmdline").exists()
            and b"apply\0the.plan\0--auto-approve" in (entry / "cmdline").read_bytes()
        )
        os.kill(applying, signal.SIGKILL)

    account.sim.faults.after("create", kill, nth=3)
    apply = f'cd "{there}" && reconciler -e production apply the.plan --auto-approve --parallelism 1'
    assert machine.run(apply, infra.remote, environ, ("bash", "-e")).code != 0
    ended = machine.run(script.replace("$1", word), infra.remote, {}, ("bash", "-e"))
    assert ended.code == 0, ended.log
    kept = infra.at_main("state/production.json")
    assert all(f'"{name}"' in kept for name in NAMES[:2])
    assert '"intent"' in infra.at_main(JOURNAL)
    assert '"record"' not in infra.at_main(JOURNAL)
