"""Creates whose answer was lost: what a complete listing says became of them."""

from dataclasses import replace

import pytest

from reconciler.model.problem import ExitCode
from reconciler.model.resource import Intent, Live
from reconciler.model.secrets import Secret, seal
from reconciler.planning.pending_creates import intent_record, matches_intent, new_endpoints, resolve
from tests.builders import KEYRING, inventory, live, tracked

INTENT = Intent(
    name="a", known_ids=("old",), app_name="a", applied=tracked("a").applied, prevent_destroy=True
)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], []),
        ([live("a", "old")], []),
        ([live("b", "new")], []),
        ([live("a", "new", state="deleting")], []),
        ([live("a", "old"), live("a", "new")], ["new"]),
        ([live("a", "new"), live("a", "newer")], ["new", "newer"]),
    ],
)
def test_a_newcomer_has_the_name_and_an_id_that_nobody_knew(there: list[Live], expected: list[str]) -> None:
    """Not known before the request, and not on its way out."""
    assert [one.id for one in new_endpoints(INTENT, there)] == expected


def test_without_open_creates_there_is_nothing_to_resolve() -> None:
    """The usual case changes nothing and says nothing."""
    before = inventory(tracked("b", "b1"))
    found = resolve(before, [live("a", "a1")], KEYRING)
    assert (found.of(before), found.problems) == (before, ())


def test_the_one_that_reads_as_sent_is_ours() -> None:
    """It is recorded with what was sent, and the create is no longer open."""
    before = inventory(intents=[INTENT])
    found = resolve(before, [live("a", "old"), live("a", "new")], KEYRING)
    after = found.of(before)
    assert after.records == {"a": intent_record(INTENT, "new")}
    assert after.records["a"].prevent_destroy
    assert after.intents == {}
    (note,) = found.problems
    assert (note.severity.value, note.summary) == (
        "note",
        "creating `a` was sent and its answer was lost; it was created as new",
    )


def test_nothing_there_leaves_it_open() -> None:
    """Only the settling time can tell that nothing was made."""
    before = inventory(intents=[INTENT])
    found = resolve(before, [live("a", "old")], KEYRING)
    assert found.of(before) == before
    (note,) = found.problems
    assert note.summary == "creating `a` was sent and its answer was lost; no endpoint has that name"


def test_an_endpoint_that_a_record_claims_is_no_newcomer() -> None:
    """A second run recorded it in the meantime."""
    before = inventory(tracked("b", "new"), intents=[INTENT])
    assert list(resolve(before, [live("a", "new")], KEYRING).open) == ["a"]


@pytest.mark.parametrize(
    ("there", "ids"),
    [
        ([live("a", "n2"), live("a", "n1")], "n1, n2"),
        ([live("a", "n1", image="other:1")], "n1"),
    ],
    ids=["two", "another configuration"],
)
def test_anything_else_is_left_to_a_person(there: list[Live], ids: str) -> None:
    """With the IDs, the command that settles it, and exit code 5; the create stays open."""
    before = inventory(intents=[INTENT])
    found = resolve(before, there, KEYRING)
    assert found.of(before) == before
    (problem,) = found.problems
    assert problem.summary.endswith(ids)
    assert problem.hint.startswith("reconciler recover a --id n1")
    assert problem.exit_code == ExitCode.UNRESOLVED


def test_another_app_name_is_another_endpoint() -> None:
    """The app name was sent as well, declared or not."""
    other = live("a", "new", appName="elsewhere")
    assert not matches_intent(INTENT, other, KEYRING)


@pytest.mark.parametrize(("value", "expected"), [("t0k", True), ("other", False)])
def test_secrets_are_compared_by_fingerprint(value: str, expected: bool) -> None:
    """What was sent is known by its seal alone."""
    sent = {**INTENT.applied, "envs": {"T": Secret(value="t0k", source="${env:T}")}}
    intent = replace(INTENT, applied=seal(sent, KEYRING))
    assert matches_intent(intent, live("a", "new", env={"T": value}), KEYRING) is expected


def test_a_live_endpoint_whose_name_was_taken_is_kept_for_deletion() -> None:
    """The create came first and its answer was lost: neither of the two may be forgotten."""
    old = tracked("a", "old")
    before = inventory(old, intents=[INTENT])
    found = resolve(before, [live("a", "old"), live("a", "new")], KEYRING)
    records = found.of(before).records
    assert {record.id: record.live_name for record in records.values()} == {"new": "a", "old": "a"}
    assert records["a"].id == "new"
    assert records["a (deposed old)"] == old.deposed()
