"""One comment and one issue, kept on a GitHub that is slow, full of others' words, or down."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.github_action.__main__ import main
from reconciler.github_action.publish import CLOSING_COMMENT

from .fake import AS_USUAL, LONGEST, TOKEN, GitHub, github

MARK = "<!-- novita-reconciler infra -->"


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as found:
        yield found


class Job:
    """A job about pull request 7 of the folder infra. `slept` is how long it waited, each time."""

    def __init__(self, folder: Path, hub: GitHub) -> None:
        self.folder, self.hub = folder, hub
        self.environ = {**hub.environ, "GITHUB_EVENT_PATH": str(folder / "event.json")}
        self.slept: list[float] = []
        self.event({"pull_request": {"number": 7}})

    def event(self, event: Any) -> None:
        (self.folder / "event.json").write_text(json.dumps(event))

    def run(self, what: str, report: str, *args: str, directory: str = "infra") -> str:
        (self.folder / "report.md").write_text(report)
        where = ("--directory", directory, "--report", str(self.folder / "report.md"))
        said = main([what, *where, *args], self.environ, self.slept.append)
        assert TOKEN not in said
        return said

    def comment(self, report: str, *args: str, directory: str = "infra") -> str:
        return self.run("comment", report, *args, directory=directory)

    def issue(self, report: str, *fingerprints: str, code: int | None = None, **drift: Any) -> str:
        """A `drift` that found these new things."""
        fields = [{"fingerprint": one, "standing": "new"} for one in fingerprints]
        code = (2 if fingerprints else 0) if code is None else code
        document = {"exit_code": code, "resource_drift": [{"name": "chat", "fields": fields, **drift}]}
        (self.folder / "drift.json").write_text(json.dumps(document))
        return self.run("issue", report, "--title", "Drift", "--document", str(self.folder / "drift.json"))

    def bodies(self, number: int = 7) -> list[str]:
        return [one["body"] for one in self.hub.comments.get(number, [])]


@pytest.fixture
def job(tmp_path: Path, hub: GitHub) -> Job:
    return Job(tmp_path, hub)


def test_a_second_run_updates_the_comment_in_place(job: Job) -> None:
    """One comment, whatever number of runs; an equal one is not written again."""
    assert job.comment("Plan: 1 to add") == "Commented on #7."
    for report in ("Plan: 2 to add", "Plan: 2 to add"):
        assert job.comment(report) == "The comment on #7 is up to date."
    assert job.bodies() == [f"{MARK}\n\nPlan: 2 to add"]
    assert [call.split()[0] for call in job.hub.writes] == ["POST", "PATCH"]


def test_it_is_found_behind_many_others(job: Job) -> None:
    """A long thread comes in pages."""
    job.hub.said(7, *(f"remark {number}" for number in range(150)))
    job.comment("first")
    job.hub.said(7, *(f"later remark {number}" for number in range(100)))
    job.comment("second")
    assert [body for body in job.bodies() if MARK in body] == [f"{MARK}\n\nsecond"]
    assert len(job.hub.comments[7]) == 251


def test_comments_of_others_are_not_changed(job: Job) -> None:
    """A quotation of ours, the comment of another folder, and an empty one are not ours."""
    others = [f"> {MARK}\n> Plan: 1 to add", f"see {MARK}", "<!-- novita-reconciler infra2 -->\n\nPlan", ""]
    job.hub.said(7, *others)
    job.hub.comments[7].append({"id": 1, "body": None})
    job.comment("ours")
    assert job.bodies() == [*others, None, f"{MARK}\n\nours"]


def test_each_folder_has_its_own_comment(job: Job) -> None:
    """Two folders of a repository do not fight, and one folder written in two ways is one."""
    for directory in ("infra", "./infra/", ".", "a b/--> x"):
        job.comment(directory, directory=directory)
    heads = [body.splitlines()[0] for body in job.bodies()]
    assert heads == [MARK, "<!-- novita-reconciler . -->", "<!-- novita-reconciler a%20b/--%3E%20x -->"]
    assert job.bodies()[0].endswith("./infra/")


def test_no_changes_updates_an_existing_comment_only(job: Job) -> None:
    """Silence on a pull request that changes nothing; a correction where there is a comment."""
    assert job.comment("No changes.", "--if-there") == "Nothing to say on #7."
    assert job.hub.writes == []
    job.comment("Plan: 1 to add")
    job.comment("No changes.", "--if-there")
    assert job.bodies() == [f"{MARK}\n\nNo changes."]


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ({"pull_request": {"number": 7}}, "Commented on #7."),
        ({"issue": {"number": 7, "pull_request": {"url": "x"}}}, "Commented on #7."),
        ({"issue": {"number": 7}}, "This job has no pull request: there is nothing to comment on."),
        ({"ref": "refs/heads/main"}, "This job has no pull request: there is nothing to comment on."),
    ],
)
def test_the_event_says_which_pull_request(event: Any, said: str, job: Job) -> None:
    """A comment under one counts as one; an issue and a push do not."""
    job.event(event)
    assert job.comment("Plan") == said


def test_a_long_report_is_cut_at_a_line(job: Job) -> None:
    """GitHub refuses more than 65,536 characters; what is left says that it is not all."""
    job.comment("é" * 99 + "\n" + "one more line\n" * 10_000)
    (body,) = job.bodies()
    assert LONGEST - 100 < len(body) <= LONGEST
    lines = body.rstrip().split("\n")
    assert lines[-4] == "one more line"
    assert lines[-1] == "_The report is longer than GitHub allows; the log of the job has all of it._"


def test_drift_opens_one_issue(job: Job) -> None:
    """The second run finds it again; nothing is written while the drift is the same."""
    assert job.issue("chat moved", "b", "a") == "Opened #1."
    writes = list(job.hub.writes)
    assert (
        job.issue("chat moved, said otherwise", "a", "b")
        == "#1 already reports this drift, and stays as it is."
    )
    assert job.hub.writes == writes
    (issue,) = job.hub.issues
    assert (issue["title"], issue["labels"], issue["state"]) == ("Drift", ["drift"], "open")
    assert issue["body"].startswith(f"{MARK}\n<!-- ")
    assert issue["body"].endswith(" -->\n\nchat moved")


def test_other_drift_updates_the_issue(job: Job) -> None:
    """Additional drift is reported in the same issue."""
    job.issue("chat moved", "a")
    assert job.issue("chat and embed moved", "a", "b") == "The drift has changed: updated #1."
    assert [issue["body"].split("\n\n")[1] for issue in job.hub.issues] == ["chat and embed moved"]


def test_an_endpoint_that_is_gone_counts(job: Job) -> None:
    """Its fingerprint stands at the endpoint, and not at a field."""
    job.issue("chat moved", "a")
    assert "has changed" in job.issue("chat is gone", code=2, fingerprint="c", standing="new")


def test_known_and_ignored_drift_does_not(job: Job) -> None:
    """It comes and goes without a word, as long as what rings stays the same."""
    job.issue("chat moved", "a")
    fields = [{"fingerprint": "a", "standing": "new"}, {"fingerprint": "b", "standing": "ignored"}]
    assert "stays as it is" in job.issue("chat moved", code=2, fields=fields)


def test_the_issue_is_closed_when_the_drift_is_gone(job: Job) -> None:
    """With a word; the next drift opens a new one, and without drift nothing is done twice."""
    job.issue("chat moved", "a")
    assert job.issue("No drift.") == "Closed #1."
    assert job.hub.issues[0]["state"] == "closed"
    assert job.bodies(1) == [CLOSING_COMMENT]
    assert job.issue("No drift.") == "No drift, and no issue."
    assert job.bodies(1) == [CLOSING_COMMENT]
    assert job.issue("chat moved", "a") == "Opened #2."


def test_a_failed_drift_run_changes_no_issue(job: Job) -> None:
    """Exit code 1 and the like say neither yes nor no."""
    job.issue("chat moved", "a")
    writes = list(job.hub.writes)
    assert "stays as it is" in job.issue("boom", code=1)
    assert job.hub.writes == writes


def test_issues_of_others_are_not_changed(job: Job) -> None:
    """Another folder's, one without our mark, a pull request with it, and one without the label."""
    base = {"title": "theirs", "state": "open", "labels": ["drift"]}
    job.hub.issues += [
        {**base, "number": 1, "body": "<!-- novita-reconciler other -->\n"},
        {**base, "number": 2, "body": None},
        {**base, "number": 3, "body": f"{MARK}\n", "pull_request": {}},
    ]
    assert job.issue("chat moved", "a") == "Opened #4."
    job.issue("No drift.")
    assert [issue["state"] for issue in job.hub.issues] == ["open", "open", "open", "closed"]


@pytest.mark.parametrize(
    ("status", "headers", "waits"),
    [
        (502, {}, [1.0]),
        (503, {}, [1.0]),
        (403, {"message": "You have exceeded a secondary rate limit", "retry-after": "7"}, [7.0]),
        (429, {"message": "API rate limit exceeded"}, [1.0]),
    ],
    ids=["502", "503", "403", "429"],
)
def test_temporary_errors_are_retried(
    status: int, headers: dict[str, str], waits: list[float], job: Job
) -> None:
    """After as long as GitHub says."""
    job.hub.answers.append((status, headers, False))
    assert job.comment("Plan") == "Commented on #7."
    assert job.slept == waits


def test_a_lost_answer_makes_no_second_comment(job: Job) -> None:
    """The comment was written and the answer was an error: the second try looks before it writes."""
    job.hub.answers += [AS_USUAL, (502, {}, True)]
    assert job.comment("Plan") == "The comment on #7 is up to date."
    assert job.bodies() == [f"{MARK}\n\nPlan"]


@pytest.mark.parametrize(
    ("status", "headers", "tries"),
    [
        (403, {"message": "Resource not accessible by integration"}, 1),
        (404, {"message": "Not Found"}, 1),
        (403, {"message": "rate limit", "retry-after": "3600"}, 1),
        (301, {"message": "Moved Permanently", "location": "http://127.0.0.1:1/"}, 1),
        (500, {"message": "oh"}, 3),
    ],
)
def test_what_github_refuses_is_a_warning(status: int, headers: dict[str, str], tries: int, job: Job) -> None:
    """As an annotation with call, status and GitHub's words; tried again only where that may help."""
    job.hub.answers += [(status, headers, False)] * tries
    said = job.comment("Plan")
    call = "GET /repos/acme/infra/issues/7/comments?per_page=100"
    assert said == f"::warning title=reconciler::no comment on GitHub: {call}: {status} {headers['message']}"
    assert len(job.hub.calls) == tries


def test_a_page_on_another_server_is_not_followed(job: Job) -> None:
    """The token goes to GitHub alone."""
    with github() as other:
        job.hub.answers.append((200, {"link": f'<{other.url}/repos/x>; rel="next"'}, False))
        said = job.comment("Plan")
        assert said.startswith("::warning title=reconciler::no comment on GitHub: ")
        assert other.calls == []


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH"])
def test_a_missing_variable_is_named(name: str, job: Job) -> None:
    """By its name."""
    del job.environ[name]
    assert job.comment("Plan") == f"::warning title=reconciler::no comment on GitHub: {name} is not set"


def test_a_report_that_is_no_report_is_a_warning(job: Job) -> None:
    """A document of another shape, too, fails no job."""
    (job.folder / "drift.json").write_text("[]")
    said = job.run("issue", "", "--title", "-", "--document", str(job.folder / "drift.json"))
    assert said.startswith("::warning title=reconciler::no issue on GitHub: ")


def test_a_wrong_token_is_refused_and_never_printed(job: Job) -> None:
    """Not in the warning, either."""
    job.environ["GITHUB_TOKEN"] = "ghs_another"
    said = job.comment("Plan")
    assert "401 Bad credentials" in said
    assert "ghs_another" not in said


def test_the_program_always_exits_with_zero(tmp_path: Path, hub: GitHub) -> None:
    """GitHub is down, or there is no report: a warning in the log, exit code 0, and nothing on stderr."""
    job = Job(tmp_path, hub)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"
    (tmp_path / "report.md").write_text("Plan")
    for report, url, says in (
        ("report.md", closed, "Connection refused"),
        ("none.md", hub.url, "No such file"),
        ("report.md", hub.url, ""),
    ):
        module = [sys.executable, "-P", "-m", "reconciler.github_action"]
        done = subprocess.run(
            [*module, "comment", "--directory", ".", "--report", tmp_path / report],
            env={**os.environ, **job.environ, "GITHUB_API_URL": url},
            capture_output=True, text=True, check=True,
        timeout=60)  # fmt: skip
        assert done.stderr == ""
        assert says in done.stdout
        assert done.stdout.startswith("::warning " if says else "Commented on #7.")
