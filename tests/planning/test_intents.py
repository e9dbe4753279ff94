"""Creates whose answer was lost: what a complete listing says became of them."""

import pytest

from reconciler.model.resource import Intent, Live
from reconciler.planning.intents import findings, intent_problems, newcomers
from tests.builders import inventory, live, tracked

INTENT = Intent(name="a", digest="d", known_ids=("old",), app_name="a", applied={})


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ([], []),
        ([live("a", "old")], []),
        ([live("b", "new")], []),
        ([live("a", "new", state="deleting")], []),
        ([live("a", "recorded")], []),
        ([live("a", "old"), live("a", "new")], ["new"]),
        ([live("a", "new"), live("a", "newer")], ["new", "newer"]),
    ],
)
def test_a_newcomer_has_the_name_and_an_id_that_nobody_knew(there: list[Live], expected: list[str]) -> None:
    """Neither known before the request, nor recorded since, nor on its way out."""
    (finding,) = findings(inventory(tracked("b", "recorded"), intents=[INTENT]), there)
    assert (finding.intent, [one.id for one in finding.newcomers]) == (INTENT, expected)


def test_without_open_creates_there_is_nothing_to_find() -> None:
    """The usual case costs nothing."""
    assert findings(inventory(), [live("a")]) == ()


def test_a_whole_listing_may_be_looked_through() -> None:
    """Those of another name are passed over."""
    assert newcomers(INTENT, [live("b"), live("a", "new")]).newcomers == (live("a", "new"),)


@pytest.mark.parametrize(
    ("there", "declared", "expected"),
    [
        (
            [],
            {"a"},
            ("note", 1, "creating `a` was begun and its answer was lost; nothing of that name is there", ""),
        ),
        (
            [live("a", "new")],
            {"a"},
            (
                "note",
                1,
                "creating `a` was begun and its answer was lost; new is the one new endpoint of that name",
                "",
            ),
        ),
        (
            [live("a", "new")],
            set(),
            (
                "warning",
                1,
                "creating `a` was begun and its answer was lost; new has that name, bills, "
                "and is no longer declared",
                "declare `a` again to manage it, or delete new in the console",
            ),
        ),
        (
            [live("a", "n1"), live("a", "n2")],
            {"a"},
            (
                "error",
                5,
                "creating `a` was begun and its answer was lost; 2 new endpoints have that name: n1, n2",
                "delete all but one in the console, then plan again",
            ),
        ),
    ],
)
def test_every_open_create_is_spoken_of(
    there: list[Live], declared: set[str], expected: tuple[str, int, str, str]
) -> None:
    """Several newcomers need a person; all else is resolved and said."""
    (problem,) = intent_problems(inventory(intents=[INTENT]), there, declared)
    assert (problem.severity.value, int(problem.exit_code), problem.summary, problem.hint) == expected
    assert (problem.code, problem.address) == ("open-create", "novita_endpoint.a")
