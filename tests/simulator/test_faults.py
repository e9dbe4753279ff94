"""The queue of faults: what matches, how often, in which order, and how the command line writes it."""

import pytest

from reconciler.simulator import Fault, Faults, Request, parse_fault
from reconciler.simulator.faults import KINDS

REQUEST = Request(method="GET", path="/")


def statuses(faults: Faults, count: int) -> list[int]:
    """The statuses of the next faults that gets meet."""
    return [fault.status for _ in range(count) if (fault := faults.take("get"))]


def test_a_fault_meets_its_operation_so_many_times() -> None:
    """It passes other operations by and is used up after its times."""
    faults = Faults()
    faults.add(Fault(operation="create", times=2))
    assert faults.take("get") is None
    assert [faults.take("create") is not None for _ in range(3)] == [True, True, False]
    assert faults.pending == []


def test_a_star_meets_every_operation_and_none_is_always() -> None:
    """`*` matches all; times None never ends, until everything is cleared."""
    faults = Faults()
    faults.add(Fault(times=None))
    assert all(faults.take(operation) for operation in ("get", "list", "unknown") * 10)
    faults.clear()
    assert faults.take("get") is None


def test_faults_come_in_the_order_they_were_added() -> None:
    """A 429 and then a 503, as scripted."""
    faults = Faults()
    for status in (429, 503):
        faults.add(Fault(operation="get", status=status))
    assert [fault.status for fault in faults.pending] == [429, 503]
    assert statuses(faults, 2) == [429, 503]


def test_random_faults_follow_the_seed() -> None:
    """The same seed draws the same faults at about the rate; another one draws others."""

    def draw(seed: int) -> list[str]:
        faults = Faults()
        faults.at_random(seed=seed, rate=0.3)
        drawn = [faults.take("get") for _ in range(500)]
        return [fault.kind if fault else "" for fault in drawn]

    assert draw(1) == draw(1) != draw(2)
    assert 100 < sum(kind != "" for kind in draw(1)) < 200
    assert set(draw(1)) == {"", *KINDS}


def test_random_faults_can_be_restricted() -> None:
    """To some operations, to a choice of faults, and to none at all by rate 0 or clear()."""
    faults = Faults()
    chosen = Fault(kind="lost_answer")
    faults.at_random(seed=1, rate=1, faults=[chosen], operations=["create"])
    assert (faults.take("get"), faults.take("create")) == (None, chosen)
    faults.clear()
    assert faults.take("create") is None


def test_scripted_faults_come_before_random_ones() -> None:
    """A script is kept even while faults are drawn."""
    faults = Faults()
    faults.at_random(seed=1, rate=1, faults=[Fault(status=500)])
    faults.add(Fault(status=418))
    assert statuses(faults, 2) == [418, 500]


def test_hooks_run_on_the_nth_request_only() -> None:
    """The count starts with the hook, other operations do not count, 0 means every one."""
    faults = Faults()
    seen: list[str] = []
    faults.before("create", lambda request: seen.append("second"), nth=2)
    faults.before("*", lambda request: seen.append("any"), nth=0)
    faults.after("create", lambda request: seen.append("after"))
    for operation in ("create", "get", "create", "create"):
        faults.run_before(operation, REQUEST)
        faults.run_after(operation, REQUEST)
    assert seen == ["any", "after", "any", "second", "any", "any"]
    faults.clear()
    faults.run_before("create", REQUEST)
    assert len(seen) == 6


def test_a_hook_may_add_faults() -> None:
    """Hooks run outside the lock."""
    faults = Faults()
    faults.before("get", lambda request: faults.add(Fault(status=503)))
    faults.run_before("get", REQUEST)
    assert len(faults.pending) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("create:429:2", Fault(operation="create", status=429, times=2)),
        ("create:503", Fault(operation="create", status=503)),
        ("*:lost_answer:always", Fault(kind="lost_answer", times=None)),
        ("get:late-answer=2.5", Fault(operation="get", kind="late_answer", seconds=2.5)),
        ("update:status_after", Fault(operation="update", kind="status_after", status=504)),
    ],
)
def test_a_fault_is_read_from_text(text: str, fault: Fault) -> None:
    """OPERATION:KIND_OR_STATUS[:TIMES], with seconds after an equals sign."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("create", "create:429:2"),
        ("create:429:1:1", "create:429:2"),
        ("make:429", "auth_delete"),
        ("get:200", "400 to 599"),
        ("get:explode", "lost_answer"),
        ("get:429:0", "always"),
        ("get:429:-1", "always"),
        ("get:hang=soon", "seconds"),
    ],
)
def test_a_wrong_fault_says_what_would_be_right(text: str, hint: str) -> None:
    """The message of the error helps along."""
    with pytest.raises(ValueError, match=hint):
        parse_fault(text)
