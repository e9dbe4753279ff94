"""The drift report of a plan, its fingerprints, and what `drift revert` applies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.model.drift import DriftIgnore, DriftReport, DriftState
from reconciler.model.plan import Cause
from reconciler.planning.drift import expired_ignores, report_drift, without_config_changes
from tests.builders import KEYRING, OTHER_KEYRING, change, endpoint, live, plan, secret, tracked

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MAX = (("workerConfig", "maxNum"),)


def drift_report(made: Any, **options: Any) -> DriftReport:
    usual = {"by_declaration": False, "has_yaml": True, "ignores": (), "known": frozenset()}
    usual |= {"now": NOW, "keyring": KEYRING}
    return report_drift(made, **{**usual, **options})


@pytest.mark.parametrize(
    ("ignore", "state"),
    [
        (DriftIgnore(endpoint="base-test"), DriftState.IGNORED),
        (DriftIgnore(endpoint="base-*"), DriftState.IGNORED),
        (DriftIgnore(endpoint="other"), DriftState.NEW),
        (DriftIgnore(endpoint="base-test", paths=MAX), DriftState.NEW),
        (DriftIgnore(endpoint="base-test", paths=(*MAX, ("ports",))), DriftState.IGNORED),
        (DriftIgnore(endpoint="base-test", until=NOW + timedelta(seconds=1)), DriftState.IGNORED),
        (DriftIgnore(endpoint="base-test", until=NOW), DriftState.NEW),
    ],
)
def test_an_ignore_silences_what_it_names_until_it_is_over(ignore: DriftIgnore, state: DriftState) -> None:
    """By name or glob, by path or prefix, up to its moment."""
    made = plan([endpoint()], [tracked()], [live(port=9)])
    (found,) = drift_report(made, ignores=[ignore]).items()
    assert found.state is state


def test_a_path_does_not_cover_the_end_of_the_endpoint() -> None:
    """Who lets a field move does not let the endpoint go."""
    made = plan([endpoint()], [tracked()], [])
    assert drift_report(made, ignores=[DriftIgnore(endpoint="base-test", paths=MAX)]).has_new_drift
    assert not drift_report(made, ignores=[DriftIgnore(endpoint="base-test")]).has_new_drift


def test_what_is_over_is_told_with_its_place() -> None:
    """A forgotten entry is found when it matters."""
    over = DriftIgnore(endpoint="a", shown="replicas", until=NOW)
    (problem,) = expired_ignores(
        [over, DriftIgnore(endpoint="b"), DriftIgnore(endpoint="c", until=NOW + timedelta(1))], NOW
    )
    assert problem.summary.startswith("the drift.ignore entry about `a` replicas has expired")


def test_what_is_known_rings_no_more() -> None:
    """Until it changes again, or with another key."""
    made = plan([endpoint()], [tracked()], [live(port=9)])
    known = frozenset(one.fingerprint for one in drift_report(made).items())
    assert not drift_report(made, known=known).has_new_drift
    assert drift_report(plan([endpoint()], [tracked()], [live(port=10)]), known=known).has_new_drift
    assert drift_report(made, known=known, keyring=OTHER_KEYRING).has_new_drift


def test_a_fingerprint_is_that_of_the_live_value_alone() -> None:
    """Whether the YAML spells a value out or refers to it, and whatever was applied before."""
    there = live(env={"T": "live"})
    one, two = (
        drift_report(plan([endpoint(env=env)], [tracked(env=env)], [there]))
        for env in ({"T": "spelled"}, {"T": secret("hidden")})
    )
    assert [m.fingerprint for m in one.items()] == [m.fingerprint for m in two.items()]


def test_what_the_yaml_says_by_now_is_settled_field_by_field() -> None:
    """The other fields are still new."""
    made = plan([endpoint(port=9)], [tracked()], [live(port=9, healthPath="/x")])
    assert [one.field.path for one in drift_report(made).items() if one.field] == [("healthy", "path")]
    assert not drift_report(plan([endpoint(port=9)], [tracked()], [live(port=9)])).has_new_drift


def test_without_an_inventory_the_yaml_is_the_measure() -> None:
    """What is not as declared has drifted, what is not there is gone; what is equal is neither."""
    made = plan(
        [endpoint("a", port=9), endpoint("b"), endpoint("c")], [], [live("a"), live("c")],
    )  # fmt: skip
    found = drift_report(made, by_declaration=True)
    assert [(alarm.drift.name, alarm.drift.id) for alarm in found.alarms] == [("a", "id-a"), ("b", "")]
    ((field,), gone) = (alarm.drift.fields for alarm in found.alarms)
    assert (field.before, field.after, field.cause) == ([{"port": 9}], [{"port": 8000}], Cause.DRIFT)
    assert gone == ()


def test_what_is_neither_there_nor_declared_any_more_is_settled() -> None:
    """If there are endpoint files; without any, nothing says that it may be deleted."""
    made = plan([], [tracked()], [])
    assert not drift_report(made).has_new_drift
    assert drift_report(made, has_yaml=False).has_new_drift


def test_what_only_the_yaml_moved_stays_as_it_is_live() -> None:
    """Values, keys and optional fields; and then nothing is left to do."""
    want = endpoint(port=9, env={"A": "1", "T": secret("new")}, command="ours")
    there = live(env={"B": "2", "T": "old"})
    record = tracked(env={"B": "2", "T": secret("old")})
    held = without_config_changes(want, change(want, record, there))
    assert plan([held], [record], [there]).pending == ()


def test_what_others_moved_is_undone() -> None:
    """Also where the YAML has moved as well: then its word counts."""
    want = endpoint(port=9, healthPath="/new", image="new:1")
    there, record = live(port=7, healthPath="/theirs"), tracked(port=9)
    made = change(want, record, there)
    (found,) = plan([without_config_changes(want, made)], [record], [there]).pending
    assert {field.path: field.after for field in found.fields} == {
        ("ports",): [{"port": 9}], ("healthy", "path"): "/new",
    }  # fmt: skip


def test_what_is_gone_is_made_as_declared() -> None:
    """There is no live value to keep."""
    want = endpoint(port=9)
    assert without_config_changes(want, change(want, tracked(), None)) == want
