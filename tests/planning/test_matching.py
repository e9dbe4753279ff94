"""Who manages each live endpoint."""

from collections.abc import Sequence

import pytest

from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.status import Managed
from reconciler.planning.matching import managed, matched
from tests.builders import endpoint, inventory, live, tracked

DECLARED, RECORDED, IMPERATIVE = Managed.DECLARED, Managed.RECORDED, Managed.IMPERATIVE
CHAT = live("chat", "1")

CASES: list[tuple[str, Sequence[Desired] | None, Sequence[Tracked], Sequence[Live], dict[str, Managed]]] = [
    ("applied", [endpoint("chat")], [tracked("chat", "1")], [CHAT], {"1": DECLARED}),
    ("no longer declared", [], [tracked("chat", "1")], [CHAT], {"1": RECORDED}),
    ("unmanaged", [endpoint("embed")], [], [CHAT], {}),
    ("yet to be adopted", [endpoint("chat")], [], [CHAT], {"1": DECLARED}),
    ("made without YAML", [], [tracked("chat", "1", imperative=True)], [CHAT], {"1": IMPERATIVE}),
    ("declared since", [endpoint("chat")], [tracked("chat", "1", imperative=True)], [CHAT], {"1": DECLARED}),
    ("YAML unknown", None, [tracked("chat", "1"), tracked("x", "2", imperative=True)], [CHAT],
     {"1": DECLARED, "2": IMPERATIVE}),
    ("a namesake", [endpoint("chat")], [tracked("chat", "1")], [CHAT, live("chat", "2")], {"1": DECLARED}),
    ("a successor", [endpoint("chat")], [tracked("chat", "1")], [live("chat", "2")],
     {"1": DECLARED, "2": DECLARED}),
    ("renamed in the YAML", [endpoint("talk", renamedFrom="chat")], [tracked("chat", "1")], [CHAT],
     {"1": DECLARED}),
    ("renamed in the console", [endpoint("chat")], [tracked("chat", "1")], [live("talk", "1")],
     {"1": DECLARED}),
    ("on its way out", [endpoint("chat")], [tracked("chat", "1")], [live("chat", "1", state="terminating")],
     {"1": DECLARED}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("desired", "records", "there", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_who_manages_it(
    desired: Sequence[Desired] | None,
    records: Sequence[Tracked],
    there: Sequence[Live],
    expected: dict[str, Managed],
) -> None:
    """Records match by ID and declarations by name, as in a plan."""
    assert managed(desired, inventory(*records), there) == expected


def test_what_is_not_live_has_nothing_to_redact() -> None:
    """The caller has mistaken one side for another."""
    with pytest.raises(ValueError, match="chat is not live"):
        _ = matched("chat", endpoint("chat"), None, None).redacted
