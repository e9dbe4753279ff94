"""The files of examples/team: the database is for this machine only, and the jobs commit nothing back."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

TEAM = Path(__file__).resolve().parent.parent / "examples" / "team"
WORKFLOWS = sorted((TEAM / ".github" / "workflows").glob("*.yml"))


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def test_the_database_is_closed_to_the_network() -> None:
    """It listens on this machine, keeps its data, and has no password in the file."""
    services = document(TEAM / "compose.yaml")["services"]
    (database,) = services.values()
    assert all(port.startswith("127.0.0.1:") for port in database["ports"])
    assert database["environment"]["POSTGRES_PASSWORD"] == "${PGPASSWORD:?set it in .env}"
    assert re.fullmatch(r"postgres:\d+", database["image"])
    assert database["volumes"] == ["inventory:/var/lib/postgresql/data"]
    assert "pg_isready" in str(database["healthcheck"]["test"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_github_job_writes_to_the_repository(path: Path) -> None:
    """The address is a variable, the credentials are secrets, and each command has both."""
    for job in document(path)["jobs"].values():
        assert job["permissions"].get("contents") == "read"
        for step in job["steps"]:
            if step.get("with", {}).get("command") in ("plan", "apply"):
                assert step["with"]["store"] == "postgres"
                assert step["env"]["RECONCILER_STATE"] == "${{ vars.RECONCILER_STATE }}"
                assert step["env"]["PGPASSWORD"] == "${{ secrets.PGPASSWORD }}"
                assert step["env"]["PGSSLMODE"] == "verify-full"


def test_the_gitlab_jobs_use_the_state_of_their_project() -> None:
    """By the token of the job, so no credential stands there. Only the default branch applies, by hand."""
    pipeline = document(TEAM / ".gitlab-ci.yml")
    variables = pipeline["variables"]
    assert variables["RECONCILER_STATE"].startswith(
        "${CI_API_V4_URL}/projects/${CI_PROJECT_ID}/terraform/state/"
    )
    assert not [name for name in variables if "PASSWORD" in name or "TOKEN" in name]
    apply = pipeline["apply"]
    assert apply["resource_group"] == "production"
    assert apply["interruptible"] is False
    assert [rule.get("when") for rule in apply["rules"]] == ["manual"]
    assert all("ci.sh" not in str(job) for job in pipeline.values())
    assert "artifacts" not in apply
