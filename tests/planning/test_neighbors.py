"""Resources that another inventory of the same store records are neither adopted nor deleted."""

import pytest

from reconciler.model.plan import Change, Forget
from reconciler.model.problem import ExitCode
from reconciler.planning.neighbors import (
    may_concern_neighbors,
    neighbor_guard,
    neighbor_guards,
    neighbor_note,
)
from tests.builders import LARGER, change, endpoint, inventory, live, tracked

OWNER = "postgres://db.internal/infra?inventory=prod"
ADOPT = change(endpoint("a"), None, live("a"))
DELETE = change(None, tracked("d"), live("d"))
REPLACE = change(endpoint("r", spec=LARGER), tracked("r"), live("r"))
UPDATE = change(endpoint("u", port=1), tracked("u"), live("u"))
SAME = change(endpoint("s"), tracked("s"), live("s"))
CREATE = change(endpoint("c"), None, None)
FORGET = Forget(name="f", reason="", tracked=tracked("f"), live_name="f")
OWN = inventory(tracked("d"), tracked("r"), tracked("u"), tracked("s"), tracked("f"))
EVERY_ID = {live(name).id: OWNER for name in "adruscf"}


@pytest.mark.parametrize("one", [ADOPT, DELETE, REPLACE], ids=["adopt", "delete", "replace"])
def test_what_another_inventory_records_is_not_taken(one: Change) -> None:
    assert may_concern_neighbors([SAME, one], OWN)
    (problem,) = neighbor_guards([SAME, one], OWN, EVERY_ID)
    assert problem.code == "other-inventory"
    assert problem.exit_code is ExitCode.GUARD
    assert OWNER in problem.summary
    assert not list(neighbor_guards([one], OWN, {"other-id": OWNER}))


@pytest.mark.parametrize(
    "one", [UPDATE, SAME, CREATE, FORGET], ids=["update", "no change", "create", "forget"]
)
def test_other_changes_do_not_read_the_neighbors(one: Change) -> None:
    assert not may_concern_neighbors([one], OWN)
    assert not list(neighbor_guards([one], OWN, EVERY_ID))


def test_a_change_of_what_only_the_other_one_records() -> None:
    """An imperative change would take it over."""
    assert may_concern_neighbors([UPDATE], inventory())
    (problem,) = neighbor_guards([UPDATE], inventory(), EVERY_ID)
    assert problem.address == UPDATE.address


def test_the_hint_depends_on_the_own_record() -> None:
    theirs = neighbor_guard("chat", "1", OWNER)
    both = neighbor_guard("chat", "1", OWNER, is_recorded=True)
    assert theirs.hint == f"choose another name in the YAML; it can be changed with --state '{OWNER}'"
    assert both.hint.startswith("if it belongs there, `reconciler state rm chat` drops its record here")


def test_what_is_left_out_is_a_note() -> None:
    note = neighbor_note("chat", "1", OWNER)
    assert not note.is_error
    assert OWNER in note.summary
