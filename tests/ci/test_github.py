"""The workflows of the example, from a pull request to a morning with drift."""

import json

import pytest

from reconciler.simulator import Fault
from tests.github_action.fake import GitHub

from .actions import Runner
from .conftest import Account, Infra

pytestmark = pytest.mark.slow

STAGING = ("chat-staging", "embed-staging", "rerank-staging")
DONE = {"staging": "success", "plan": "success", "apply": "success"}
NO_DRIFT = {"drift (staging)": "success", "drift (production)": "success"}


@pytest.fixture
def runner(infra: Infra, hub: GitHub, account: Account, address: dict[str, str]) -> Runner:
    return Runner(machine=infra.machine, infra=infra, hub=hub, secrets=account.secrets, environ=address)


def results(runner: Runner, name: str) -> dict[str, str]:
    return {key: job.result for key, job in runner.workflow(name).items()}


def test_a_pull_request_is_checked_planned_and_commented_on(runner: Runner, hub: GitHub) -> None:
    """Once for each environment; a file that is wrong fails it before anything is planned."""
    runner.event_name, runner.event = "pull_request", {"pull_request": {"number": 7}}
    for _ in range(2):
        assert results(runner, "plan.yml") == {"plan (staging)": "success", "plan (production)": "success"}
    bodies = [comment["body"] for comment in hub.comments[7]]
    assert ["reconciler plan (staging)" in body for body in bodies] == [True, False]
    assert all("Plan: 3 to add" in body for body in bodies)
    runner.infra.edit("endpoints.yaml", "minReplicas: 1", "minReplica: 1")
    runner.infra.push()
    job = runner.workflow("plan.yml")["plan (staging)"]
    assert job.result == "failure"
    assert "endpoints.yaml:8:5" in job.log
    assert len(hub.comments[7]) == 2


def test_a_push_applies_what_was_planned_and_keeps_the_inventory(
    runner: Runner, infra: Infra, account: Account
) -> None:
    """It is committed to the main branch, alone and without another run; then there is nothing to apply."""
    assert results(runner, "apply.yml") == DONE
    assert account.names == sorted([*STAGING, "chat", "embed", "rerank"])
    assert infra.subjects()[0] == "Record what was applied [skip ci]"
    assert (
        infra.machine.git(infra.remote, "show", "--name-only", "--format=", "main") == "state/production.json"
    )
    assert '"rerank"' in infra.at_main("state/production.json")
    assert "hf_of-a-test" not in infra.at_main("state/production.json")
    assert set(json.loads(infra.at_main("state/staging.json"))["endpoints"]) == set(STAGING)
    assert results(runner, "apply.yml") == {**DONE, "apply": "skipped"}


def test_a_plan_that_is_stale_is_not_applied(runner: Runner, infra: Infra, account: Account) -> None:
    """Somebody changes the account while the plan awaits its approval: exit code 6, and nothing is sent."""
    assert results(runner, "apply.yml")["apply"] == "success"
    infra.edit("endpoints.yaml", "maxReplicas: 4", "maxReplicas: 5")
    infra.push()
    before: list[object] = []

    def meanwhile() -> None:
        account.scale("chat", maxNum=9)
        before.append((account.writes(), infra.subjects()))

    runner.before["apply"] = meanwhile
    jobs = runner.workflow("apply.yml")
    assert jobs["apply"].result == "failure"
    assert "the saved plan the.plan is stale" in jobs["apply"].log
    assert [(account.writes(), infra.subjects())] == before


def test_a_push_while_a_plan_waits_is_applied_by_its_own_run(
    runner: Runner, infra: Infra, account: Account
) -> None:
    """The waiting run applies its own commit, and the next builds on an inventory younger than its commit."""
    infra.edit("endpoints.yaml", "  - endpoint: rerank", "  - endpoint: gone")
    infra.push()

    def meanwhile() -> None:
        infra.edit("endpoints.yaml", "  - endpoint: gone", "  - endpoint: rerank")
        runner.at = infra.push("a later change")

    runner.before["apply"] = meanwhile
    assert results(runner, "apply.yml") == DONE
    assert {"chat", "embed", "gone"} <= set(account.names)
    assert "rerank" not in account.names
    assert infra.subjects()[:2] == ["Record what was applied [skip ci]", "a later change"]
    assert "endpoint: rerank" in infra.at_main("endpoints.yaml")
    runner.before.clear()
    assert results(runner, "apply.yml") == DONE
    assert account.names == sorted([*STAGING, "chat", "embed", "rerank"])


def test_what_was_made_is_recorded_after_a_failure(runner: Runner, infra: Infra, account: Account) -> None:
    """An apply that did not do all fails its job, and commits the inventory all the same."""
    account.sim.faults.add(Fault(operation="create", status=400))
    jobs = runner.workflow("apply.yml")
    assert (jobs["staging"].result, jobs["plan"].result) == ("failure", "skipped")
    assert infra.subjects()[0] == "Record what was applied [skip ci]"


def test_drift_opens_one_issue(runner: Runner, hub: GitHub, account: Account) -> None:
    """The next morning it is found again, and closed once the drift is gone."""
    runner.workflow("apply.yml")
    assert results(runner, "drift.yml") == NO_DRIFT
    assert hub.issues == []
    account.scale("chat", maxNum=9)
    for _ in range(2):
        assert results(runner, "drift.yml") == {**NO_DRIFT, "drift (production)": "failure"}
    (issue,) = hub.issues
    assert issue["state"] == "open"
    assert "chat" in issue["body"]
    assert issue["title"].endswith("(production)")
    account.scale("chat", maxNum=4)
    assert results(runner, "drift.yml") == NO_DRIFT
    assert [one["state"] for one in hub.issues] == ["closed"]
