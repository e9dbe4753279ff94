"""A comment or an issue of somebody else that bears our mark is neither changed nor believed."""

from pathlib import Path

import pytest

from tests.github_action.fake import GitHub, github
from tests.github_action.test_github_action import MARK, Job

STRANGERS = ("a-stranger", "evil[bot]", "github-actions", "github-actions[bot]x", "Github-Actions[bot]")
US = (
    {"login": "github-actions[bot]", "is_app": True},
    {"login": "our-app[bot]", "is_app": True, "graphql": True},
    {"login": "a-person", "is_app": False},
)


@pytest.fixture(params=US, ids=lambda us: us["login"])
def job(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    with github() as hub:
        for name, value in request.param.items():
            setattr(hub, name, value)
        yield Job(tmp_path, hub)


def copies(hub: GitHub, body: str, *, times: int) -> None:
    """Everybody else says the same, also one whose account is gone."""
    for by in STRANGERS:
        hub.said(7, *[body] * times, by=by)
    hub.comments[7].append({"id": 9, "body": body, "user": None})


def test_a_comment_of_a_stranger_is_left_alone(job: Job) -> None:
    """Behind pages of copies ours is written, found again and brought up to date."""
    copies(job.hub, f"{MARK}\n\nPlan: nothing to see here", times=30)
    assert job.comment("Plan: 1 to add") == "Commented on #7."
    copies(job.hub, f"{MARK}\n\nPlan: 1 to add", times=20)
    assert job.comment("Plan: 2 to add") == "The comment on #7 is up to date."
    mine = [one["body"] for one in job.hub.comments[7] if (one["user"] or {}).get("login") == job.hub.login]
    assert mine == [f"{MARK}\n\nPlan: 2 to add"]
    assert [call.split()[0] for call in job.hub.writes if "graphql" not in call] == ["POST", "PATCH"]


def test_an_issue_of_a_stranger_silences_nothing(job: Job) -> None:
    """Neither by our fingerprint, nor is it closed when all is well."""
    job.issue("chat moved", "f1")
    ours = job.hub.issues[0]
    for by in STRANGERS:
        job.hub.issues.insert(
            0, {**ours, "id": 7, "number": 100 + len(job.hub.issues), "user": {"login": by}}
        )
    job.hub.issues.remove(ours)
    assert job.issue("chat moved", "f1").startswith("Opened #")
    assert job.issue("chat moved on", "f2").startswith("The drift has changed")
    job.issue("")
    by_us = [one for one in job.hub.issues if one["user"]["login"] == job.hub.login]
    assert [one["state"] for one in by_us] == ["closed"]
    assert all(
        one["state"] == "open" and one["body"] == ours["body"] for one in job.hub.issues if one not in by_us
    )


def test_nobody_asks_who_we_are_where_nothing_bears_our_mark(job: Job) -> None:
    """The first run of a pull request makes no more calls than before."""
    job.hub.said(7, "a remark", "another")
    job.comment("Plan: 1 to add")
    assert not [call for call in job.hub.calls if "user" in call or "graphql" in call]
