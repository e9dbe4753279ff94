"""ci.sh of the example, as any other CI would call it."""

from pathlib import Path

import pytest

from reconciler.simulator import Fault

from .conftest import Account, Infra
from .machine import Ended

pytestmark = pytest.mark.slow


@pytest.fixture
def there(infra: Infra) -> Path:
    """A checkout of the main branch."""
    return infra.checkout()


@pytest.fixture
def environ(account: Account, address: dict[str, str]) -> dict[str, str]:
    return {**account.secrets, **address}


def ci(infra: Infra, where: Path, environ: dict[str, str], *words: str) -> Ended:
    """One call of ci.sh, from elsewhere: it goes to its own folder."""
    script = f'exec "{where}/ci.sh" "$@"'
    return infra.machine.run(script.replace('"$@"', " ".join(words)), infra.remote, environ, ("bash", "-e"))


def test_from_a_plan_to_the_inventory(
    infra: Infra, there: Path, environ: dict[str, str], account: Account
) -> None:
    """Exit codes say what is the matter at each step."""
    assert ci(infra, there, environ, "plan").code == 0
    ended = ci(infra, there, environ, "apply")
    assert ended.code == 0, ended.log
    assert "Committed the inventory to main." in ended.log
    assert infra.subjects() == ["Record what was applied [skip ci]", "the example"]
    assert account.names == ["chat", "embed", "rerank"]
    assert ci(infra, there, environ, "drift").code == 0
    account.scale("chat", maxNum=9)
    assert ci(infra, there, environ, "drift").code == 2
    assert "The inventory is already on main." in ci(infra, there, environ, "keep").log


def test_a_plan_belongs_to_its_commit(
    infra: Infra, there: Path, environ: dict[str, str], account: Account
) -> None:
    """Applied at another one it ends with 6, although the account and the files are the same."""
    ci(infra, there, environ, "plan")
    infra.machine.git(there, "commit", "--quiet", "--allow-empty", "-m", "another")
    ended = ci(infra, there, environ, "apply")
    assert ended.code == 6, ended.log
    assert "commit: it was made at " in ended.log
    assert account.names == []


def test_the_inventory_is_pushed_on_top_of_what_came_meanwhile(
    infra: Infra, there: Path, environ: dict[str, str]
) -> None:
    """Nobody's commit is lost, and none of the checkout's files goes along."""
    ci(infra, there, environ, "plan")
    infra.edit("config.yaml", "poll_interval: 10", "poll_interval: 20")
    infra.push("meanwhile")
    (there / "notes.txt").write_text("of the job\n")
    assert ci(infra, there, environ, "apply").code == 0
    assert infra.subjects()[:2] == ["Record what was applied [skip ci]", "meanwhile"]
    assert (
        infra.machine.git(infra.remote, "show", "--name-only", "--format=", "main") == "state/production.json"
    )
    assert "poll_interval: 20" in infra.at_main("config.yaml")


def test_a_push_that_is_refused_fails(infra: Infra, there: Path, environ: dict[str, str]) -> None:
    """After three tries, with a word: the inventory matters to the next run."""
    ci(infra, there, environ, "plan")
    hook = infra.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    ended = ci(infra, there, environ, "apply")
    assert ended.code == 1
    assert "Could not push the inventory to main." in ended.log


def test_an_incomplete_apply_keeps_what_it_made(
    infra: Infra, there: Path, environ: dict[str, str], account: Account
) -> None:
    """The exit code is that of the apply."""
    account.sim.faults.add(Fault(operation="create", status=400))
    ci(infra, there, environ, "plan")
    ended = ci(infra, there, environ, "apply")
    assert ended.code == 4, ended.log
    assert len(account.names) == 2
    assert infra.subjects()[0] == "Record what was applied [skip ci]"


def test_what_is_wrong_ends_it_with_its_own_code(
    infra: Infra, there: Path, environ: dict[str, str], account: Account
) -> None:
    """A key that is refused is no drift, a guard is no change, and a word that it does not know is usage."""
    account.sim.faults.add(Fault(operation="list", status=401, times=None))
    for word in ("plan", "drift"):
        assert ci(infra, there, environ, word).code == 8
    for words in ([], ["deploy"]):
        ended = ci(infra, there, environ, *words)
        assert ended.code == 64
        assert "usage: " in ended.log
