"""Records of endpoints that are taken as they are."""

from typing import Any

import pytest

from reconciler.model.plan import Cause, NoOp
from reconciler.model.resource import Intent, Inventory
from reconciler.model.secrets import Sealed
from reconciler.planning.records import (
    applied_record,
    imperative_record,
    import_notes,
    import_problem,
    live_record,
)
from tests.builders import KEYRING, PINNED, change, endpoint, inventory, live, plan, secret, tracked


def test_what_is_as_declared_needs_no_second_look() -> None:
    """Its record is the one that an apply leaves, so that the next plan has nothing to refresh."""
    desired = endpoint(env={"T": secret("x")})
    found = live(env={"T": "x"})
    made = change(desired, applied_record(desired, found.id, KEYRING), found)
    assert isinstance(made, NoOp)
    assert not made.is_stale


def test_what_is_live_counts_as_applied() -> None:
    """All that differs is then a change of ours; a value that is secret in the YAML is sealed."""
    desired = endpoint(replicas=2, command=secret("run"), env={"T": secret("new"), "L": "a"})
    found = live(command="old", env={"T": "old", "L": "b", "X": "c"})
    record = live_record(desired, found, KEYRING)
    made = change(desired, record, found)
    assert {field.cause for field in made.fields} == {Cause.CONFIG}
    assert {".".join(field.path) for field in made.fields} >= {
        "workerConfig.minNum",
        "envs.X",
        "image.command",
    }
    envs = record.applied["envs"]
    assert isinstance(record.applied["image"]["command"], Sealed)
    assert (isinstance(envs["T"], Sealed), envs["L"], isinstance(envs["X"], Sealed)) == (True, "b", True)
    plain = live_record(endpoint(command="a"), live(command="b"), KEYRING)
    assert plain.applied["image"]["command"] == "b"
    assert "command" not in live_record(endpoint(), live(command="b"), KEYRING).applied["image"]


def test_what_is_declared_nowhere_is_listed_and_kept() -> None:
    """Its values are sealed, and no plan deletes it."""
    found = live(env={"T": "hf_1"}, command="run hf_1")
    record = imperative_record("chat", found, KEYRING)
    assert record.origin == "imperative"
    assert "hf_1" not in repr(record.applied)
    made = plan([], [record], [found])
    assert (made.changes, [one.id for one in made.unmanaged]) == ((), [found.id])


INTENT = Intent(name="lost", known_ids=(), app_name="lost", applied={})


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("", {}, "not a valid name"),
        ("a\n", {}, "not a valid name"),
        ("a" * 221, {}, "not a valid name"),
        ("chat", {"live": None}, "no such endpoint"),
        ("chat", {"live": live("chat", state="terminating")}, "it is terminating"),
        ("chat", {"inventory": inventory(tracked("other", "id-chat"))}, "recorded as `other`"),
        ("lost", {"inventory": inventory(intents=[INTENT])}, "a create of `lost` is open"),
        ("chat", {"recorded": live("chat", "id-2")}, "recorded with id-2, which is live"),
    ],
)
def test_what_stands_in_the_way(name: str, given: dict[str, Any], why: str) -> None:
    """Each reason is told, with what to type."""
    usual = {"live": live("chat"), "inventory": Inventory(), "recorded": None}
    found = import_problem(name, "id-chat", **{**usual, **given})
    assert found is not None
    assert why in found.summary
    assert found.hint


@pytest.mark.parametrize("recorded", [None, live("chat", "id-2", state="deleting")])
def test_a_record_of_what_is_gone_is_not_in_the_way(recorded: Any) -> None:
    """The name is free again."""
    assert import_problem("chat", "id-chat", live("chat"), Inventory(), recorded) is None


@pytest.mark.parametrize(
    ("name", "declared", "codes"),
    [
        ("chat", True, []),
        ("other", True, ["other-name"]),
        ("chat", False, ["not-declared"]),
        ("other", False, ["other-name", "not-declared"]),
    ],
)
def test_what_may_surprise_is_remarked(name: str, declared: bool, codes: list[str]) -> None:
    """That an apply would rename it, and that nothing manages it yet."""
    found = live("chat")
    record = (
        live_record(endpoint(name, spec=PINNED), found, KEYRING)
        if declared
        else imperative_record(name, found, KEYRING)
    )
    notes = list(import_notes(record, found))
    assert [note.code for note in notes] == codes
    assert not any(note.is_error for note in notes)
