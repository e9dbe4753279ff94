"""The authentication of waiting plans and of their approvals."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.controller.approval import (
    APPROVAL,
    approve,
    discard_approval,
    find_approval,
    sealed,
    use_approval,
)
from reconciler.controller.state import WaitingPlan
from reconciler.model.errors import InvalidConfig
from reconciler.workflow.runtime.context import Context
from tests.stores.engines import holder

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
PLAN = WaitingPlan(digest="ab" * 32, since=NOW, revision="1234", summary="1 to add", text="  + chat")


@pytest.fixture
def daemon(tmp_path: Path) -> Context:
    return a_context(tmp_path, "daemon")


@pytest.fixture
def laptop(tmp_path: Path) -> Context:
    """The same inventory and key, in another folder and without files."""
    return a_context(tmp_path, "laptop")


def a_context(folder: Path, name: str, **environ: str) -> Context:
    root = folder / name
    root.mkdir()
    return Context(
        root=root,
        environ={"NOVITA_API_KEY": "sk_one", **environ},
        state=folder / "novita.json",
        now=lambda: NOW,
    )


@pytest.mark.parametrize("altered", [{"text": "harmless"}, {"digest": "cd" * 32}, {"summary": ""}])
def test_an_altered_waiting_plan_is_not_approved(
    daemon: Context, laptop: Context, altered: dict[str, Any]
) -> None:
    with pytest.raises(InvalidConfig) as refused:
        approve(laptop, replace(sealed(daemon, PLAN), **altered), "ada")
    assert refused.value.problem.code == "waiting-plan-invalid"
    assert daemon.store.read_document(APPROVAL) is None


@pytest.mark.parametrize(
    "other",
    [
        {"NOVITA_API_KEY": "sk_two"},
        {"RECONCILER_STATE_KEY": "a-key-of-another-team"},
        {"NOVITA_BASE_URL": "https://api.example.com"},
    ],
)
def test_another_key_or_account_neither_approves_nor_forges(
    daemon: Context, tmp_path: Path, other: dict[str, str]
) -> None:
    stranger = a_context(tmp_path, "stranger", **other)
    waiting = sealed(daemon, PLAN)
    with pytest.raises(InvalidConfig) as refused:
        approve(stranger, waiting, "eve")
    assert refused.value.problem.code == "waiting-plan-invalid"
    approve(stranger, sealed(stranger, PLAN), "eve")
    with pytest.raises(InvalidConfig) as forged:
        find_approval(daemon, waiting)
    assert forged.value.problem.code == "approval-invalid"


@pytest.mark.parametrize("field", ["who", "until", "digest", "mac"])
def test_an_altered_approval_does_not_hold(daemon: Context, laptop: Context, field: str) -> None:
    waiting = sealed(daemon, PLAN)
    document = approve(laptop, waiting, "ada").to_json()
    change(daemon, {**document, field: {"until": "2036-01-01T00:00:00+00:00"}.get(field, "ef" * 32)})
    if field == "digest":
        assert find_approval(daemon, waiting) is None
        return
    with pytest.raises(InvalidConfig) as forged:
        find_approval(daemon, waiting)
    assert forged.value.problem.code == "approval-invalid"


@pytest.mark.parametrize("document", [[], {}, {"digest": 1}, "text", {"until": "0001-01-01T00:00:00+14:00"}])
def test_a_damaged_approval_does_not_hold(daemon: Context, laptop: Context, document: object) -> None:
    waiting = sealed(daemon, PLAN)
    good = approve(laptop, waiting, "ada").to_json()
    is_date = isinstance(document, dict) and "until" in document
    change(daemon, {**good, **document} if is_date and isinstance(document, dict) else document)
    with pytest.raises(InvalidConfig) as damaged:
        find_approval(daemon, waiting)
    assert damaged.value.problem.code == "approval-invalid"


def test_an_approval_expires(daemon: Context, laptop: Context) -> None:
    waiting = sealed(daemon, PLAN)
    approve(laptop, waiting, "ada")
    later = replace(daemon, now=lambda: NOW + timedelta(minutes=59))
    assert find_approval(later, waiting)
    too_late = replace(daemon, now=lambda: NOW + timedelta(minutes=60))
    with pytest.raises(InvalidConfig) as expired:
        use_approval(too_late, waiting)
    assert expired.value.problem.code == "approval-expired"
    discard_approval(daemon)
    assert find_approval(too_late, waiting) is None


def change(context: Context, document: object) -> None:
    with context.store.hold(holder("eve")) as hold:
        hold.write_document(APPROVAL, json.dumps(document).encode())


def test_a_team_with_one_state_key_may_have_several_api_keys(tmp_path: Path) -> None:
    key = "the-key-of-a-team-for-seals-2026"
    daemon = a_context(tmp_path, "one", NOVITA_API_KEY="sk_one", RECONCILER_STATE_KEY=key)
    laptop = a_context(tmp_path, "two", NOVITA_API_KEY="sk_two", RECONCILER_STATE_KEY=key)
    waiting = sealed(daemon, PLAN)
    approve(laptop, waiting, "ada")
    assert use_approval(daemon, waiting).who == "ada"


def test_nobody_approves_without_a_key(daemon: Context) -> None:
    waiting = sealed(daemon, PLAN)
    with pytest.raises(InvalidConfig) as refused:
        approve(replace(daemon, environ={}), waiting, "eve")
    assert refused.value.problem.code == "no-api-key"
