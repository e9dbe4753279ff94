"""The decision about each change: now, after an approval, or not at all."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.model.plan import Cause, Change, Create, Delete, Forget, NoOp, Update
from reconciler.model.sync.policy import ApplyPolicy, DriftPolicy
from reconciler.planning.sync.decide import (
    NOT_PRUNED,
    REPORTED,
    WAITS,
    Decision,
    Verdict,
    decide,
    without_accepted,
)
from reconciler.planning.sync.parts import part_of
from tests.builders import change, endpoint, live, plan, tracked

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AUTO = {"apply": ApplyPolicy.AUTO}
REVERT = {"drift": DriftPolicy.REVERT}
ACCEPT = {"drift": DriftPolicy.ACCEPT_SCALE}
IMAGE = ("image", "image")
MAX = ("workerConfig", "maxNum")


def decided(
    one: Change | None, policy: dict[str, Any] | None = None, *, waits: str = "", refused: str = ""
) -> Decision:
    """Return the decision about one change."""
    assert one is not None
    (found,) = decide([one], policy or {}, NOW, {one.address: waits} if waits else {}, refused=refused)
    return found


def verdicts(decision: Decision) -> dict[Any, Verdict]:
    return dict(decision.fields)


CREATE = change(endpoint(), None, None)
"""Declared for the first time."""

GONE = change(endpoint(), tracked(), None)
"""Deleted by somebody else."""

UNDECLARED = change(None, tracked(), live())

BOTH_MOVED = change(endpoint(image="ubuntu:24.04"), tracked(), live(minReplicas=1, maxReplicas=9))
"""The image was changed in the files, and the worker counts in the console."""


@pytest.mark.parametrize(
    ("one", "policy", "verdict", "why"),
    [
        (CREATE, {}, Verdict.WAIT, WAITS),
        (CREATE, AUTO, Verdict.APPLY, ""),
        (GONE, AUTO, Verdict.HOLD, REPORTED),
        (GONE, REVERT, Verdict.APPLY, ""),
        (UNDECLARED, AUTO, Verdict.HOLD, NOT_PRUNED),
        (UNDECLARED, {**AUTO, "prune": True}, Verdict.APPLY, ""),
        (UNDECLARED, {"prune": True}, Verdict.WAIT, WAITS),
        (change(None, tracked(), None), AUTO, Verdict.APPLY, ""),
    ],
)
def test_a_change_as_a_whole(one: Change, policy: dict[str, Any], verdict: Verdict, why: str) -> None:
    found = decided(one, policy)
    assert (found.whole, found.why) == (verdict, why)
    assert found.kept_by(verdict) == ()


@pytest.mark.parametrize(
    ("policy", "image", "counts", "why"),
    [
        ({}, Verdict.WAIT, Verdict.HOLD, WAITS),
        (AUTO, Verdict.APPLY, Verdict.HOLD, REPORTED),
        (REVERT, Verdict.WAIT, Verdict.APPLY, WAITS),
        ({**AUTO, **REVERT}, Verdict.APPLY, Verdict.APPLY, ""),
        ({**AUTO, **ACCEPT}, Verdict.APPLY, Verdict.ACCEPT, ""),
    ],
)
def test_each_field_by_its_cause(policy: dict[str, Any], image: Verdict, counts: Verdict, why: str) -> None:
    found = decided(BOTH_MOVED, policy)
    assert verdicts(found) == {IMAGE: image, MAX: counts}
    assert found.why == why


def test_the_part_that_is_made_leaves_the_other_paths_alone() -> None:
    found = decided(BOTH_MOVED, REVERT)
    now, later = part_of([found], Verdict.APPLY), part_of([found], Verdict.WAIT)
    assert now
    assert later
    assert (now.kept, later.kept) == ({found.change.address: (IMAGE,)}, {found.change.address: (MAX,)})
    assert now.selection.names == {"base-test"}
    declared = now.restricted([endpoint(), endpoint("other")])
    assert [one.kept for one in declared] == [(IMAGE,), ()]
    assert part_of([found], Verdict.HOLD) is None


def test_drift_that_is_accepted_is_not_reported() -> None:
    desired, record, now = endpoint(), tracked(), live(minReplicas=1, maxReplicas=9, image="ubuntu:24.04")
    made = plan([desired], [record], [now])
    decisions = decide(made.changes, ACCEPT, NOW, {})
    (drift,) = without_accepted(made, decisions).drift
    assert [one.path for one in drift.fields] == [IMAGE]
    counts = plan([desired], [record], [live(minReplicas=1, maxReplicas=9)])
    assert without_accepted(counts, decide(counts.changes, ACCEPT, NOW, {})).drift == ()
    assert without_accepted(made, decide(made.changes, {}, NOW, {})) is made


def test_the_declaration_decides_before_the_settings() -> None:
    desired = replace(endpoint(), sync=AUTO)
    assert decided(change(desired, None, None)).whole is Verdict.APPLY


def test_nothing_is_changed_while_it_is_suspended() -> None:
    until = datetime(2026, 3, 3, tzinfo=UTC)
    found = decided(CREATE, {**AUTO, "suspend_until": until})
    assert (found.whole, found.why) == (Verdict.HOLD, "suspended until 2026-03-03 00:00Z")
    assert decided(CREATE, {**AUTO, "suspend_until": NOW}).whole is Verdict.APPLY


def test_nothing_is_changed_while_it_waits_after_a_failure() -> None:
    found = decided(BOTH_MOVED, {**AUTO, **REVERT}, waits="it failed")
    assert (found.whole, found.why) == (Verdict.HOLD, "it failed")


def test_a_refusal_holds_what_the_files_have_changed_and_nothing_else() -> None:
    assert decided(CREATE, AUTO, refused="too many").why == "too many"
    found = decided(BOTH_MOVED, {**AUTO, **REVERT}, refused="too many")
    assert verdicts(found) == {IMAGE: Verdict.HOLD, MAX: Verdict.APPLY}
    assert found.why == "too many"


def test_an_unchanged_endpoint_needs_no_decision_unless_its_record_is_behind() -> None:
    same = change(endpoint(), tracked(), live())
    assert isinstance(same, NoOp)
    assert decide([same], AUTO, NOW, {}) == ()
    stale = replace(same, is_stale=True)
    assert decide([stale], {}, NOW, {}) == ()
    assert decided(stale, AUTO).whole is Verdict.APPLY


def test_the_rest_of_a_replacement_is_deleted_without_prune() -> None:
    one = UNDECLARED
    assert isinstance(one, Delete)
    rest = replace(one, tracked=one.tracked.deposed())
    assert decided(rest, AUTO).whole is Verdict.APPLY


def test_changes_are_what_they_are_called() -> None:
    assert isinstance(CREATE, Create)
    assert isinstance(BOTH_MOVED, Update)
    assert isinstance(change(None, tracked(), None), Forget)


def with_causes(one: Change, *causes: Cause) -> Change:
    """Return a change whose fields have these causes, in their order."""
    fields = [replace(field, cause=cause) for field, cause in zip(one.fields, causes, strict=True)]
    return replace(one, fields=tuple(fields))


def test_what_time_changes_is_made_at_once() -> None:
    counts = change(endpoint(), tracked(), live(minReplicas=1, maxReplicas=9))
    found = decided(with_causes(counts, Cause.TIME))
    assert verdicts(found) == {MAX: Verdict.APPLY}
    assert found.unapproved == ()


def test_counts_that_were_declared_anew_are_not_approved_by_a_revert() -> None:
    """The edit has no effect yet: it waits until it has one, and is approved then."""
    drifted = change(endpoint(), tracked(), live(image="ubuntu:24.04"))
    assert decided(drifted, REVERT).unapproved == ()
    edited = replace(drifted, desired=replace(endpoint(), declared_counts="another schedule"))
    found = decided(edited, REVERT)
    assert set(found.unapproved) == {MAX, ("workerConfig", "minNum")}
    assert found.kept_by(Verdict.APPLY) == found.unapproved
    assert decided(edited, {**AUTO, **REVERT}).unapproved == ()


def test_an_adoption_waits_as_a_whole() -> None:
    found = decided(change(endpoint(), None, live(image="ubuntu:24.04")))
    assert (verdicts(found), found.unapproved) == ({IMAGE: Verdict.WAIT}, ())
