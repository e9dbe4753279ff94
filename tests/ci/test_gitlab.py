"""The GitLab pipeline of the example, job by job."""

import pytest

from .conftest import Account, Infra
from .gitlab import Pipeline

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(infra: Infra, account: Account, address: dict[str, str]) -> dict[str, str]:
    """The variables of the project; the tool and the repository are on this machine."""
    machine = {"RECONCILER": str(infra.machine.tool), "PUSH_URL": str(infra.remote)}
    return {**account.secrets, **address, **machine}


def test_a_merge_request_is_checked_and_planned(infra: Infra, settings: dict[str, str]) -> None:
    """Pending changes do not fail it, and the reports are kept; a file that is wrong fails it."""
    pipeline = Pipeline(infra=infra, settings=settings)
    for name in ("validate", "plan"):
        ended = pipeline.run(name)
        assert ended.code == 0, ended.log
    assert "There are changes to apply. Pass the.plan to the apply job." in ended.log
    kept = {path.name for path in pipeline.kept["plan"].iterdir()}
    assert kept == {"the.plan", "plan.json", "plan.md", "plan.xml"}
    assert (pipeline.kept["plan"] / "plan.xml").read_text().lstrip().startswith("<")
    infra.edit("specs.yaml", "platforms:", "platform:")
    infra.push()
    assert Pipeline(infra=infra, settings=settings).run("validate").code == 1


def test_the_default_branch_applies_its_plan(
    infra: Infra, settings: dict[str, str], account: Account
) -> None:
    """From the artifact, with the inventory pushed by the job; the next pipeline has nothing to apply."""
    pipeline = Pipeline(infra=infra, settings=settings)
    assert pipeline.run("plan").code == 0
    ended = pipeline.run("apply")
    assert ended.code == 0, ended.log
    assert account.names == ["chat", "embed", "rerank"]
    assert infra.subjects()[0] == "Record what was applied [skip ci]"
    assert "There is nothing to apply." in pipeline.run("plan").log


def test_a_stale_plan_fails(infra: Infra, settings: dict[str, str], account: Account) -> None:
    """The account moved while the job waited to be started by hand."""
    pipeline = Pipeline(infra=infra, settings=settings)
    pipeline.run("plan")
    pipeline.run("apply")
    infra.edit("endpoints.yaml", "maxReplicas: 4", "maxReplicas: 5")
    infra.push()
    pipeline = Pipeline(infra=infra, settings=settings)
    pipeline.run("plan")
    writes = account.writes()
    account.scale("chat", maxNum=9)
    ended = pipeline.run("apply")
    assert ended.code == 6, ended.log
    assert account.writes() == writes


def test_the_schedule_finds_drift(infra: Infra, settings: dict[str, str], account: Account) -> None:
    """With the reports kept, and exit code 2."""
    pipeline = Pipeline(infra=infra, settings=settings)
    pipeline.run("plan")
    pipeline.run("apply")
    assert pipeline.run("drift").code == 0
    account.scale("chat", maxNum=9)
    ended = pipeline.run("drift")
    assert ended.code == 2, ended.log
    assert {"drift.json", "drift.md", "drift.xml"} <= {path.name for path in pipeline.kept["drift"].iterdir()}


def test_what_runs_when(infra: Infra, settings: dict[str, str]) -> None:
    """Only main applies, by hand and one job at a time; a schedule does nothing but look for drift."""
    jobs = Pipeline(infra=infra, settings=settings).jobs
    on_main = '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH'
    assert jobs["apply"]["rules"] == [{"if": on_main, "when": "manual"}]
    assert jobs["apply"]["resource_group"] == "production"
    assert [name for name, job in jobs.items() if "schedule" in str(job["rules"])] == ["drift"]
    assert jobs["plan"]["artifacts"]["reports"] == {"junit": "plan.xml"}
