"""What `drift revert` wants: what is declared, less what only the YAML has moved."""

from reconciler.planning.drift.revert import restored
from tests.builders import change, endpoint, live, plan, secret, tracked


def test_what_only_the_yaml_moved_stays_as_it_is_live() -> None:
    """Values, keys and optional fields; and then nothing is left to do."""
    want = endpoint(port=9, env={"A": "1", "T": secret("new")}, command="ours")
    there = live(env={"B": "2", "T": "old"})
    record = tracked(env={"B": "2", "T": secret("old")})
    held = restored(want, change(want, record, there))
    assert plan([held], [record], [there]).pending == ()


def test_what_others_moved_is_undone() -> None:
    """Also where the YAML has moved as well: then its word counts."""
    want = endpoint(port=9, healthPath="/new", image="new:1")
    there, record = live(port=7, healthPath="/theirs"), tracked(port=9)
    made = change(want, record, there)
    (found,) = plan([restored(want, made)], [record], [there]).pending
    assert {field.path: field.after for field in found.fields} == {
        ("ports",): [{"port": 9}], ("healthy", "path"): "/new",
    }  # fmt: skip


def test_what_is_gone_is_made_as_declared() -> None:
    """There is no live value to keep."""
    want = endpoint(port=9)
    assert restored(want, change(want, tracked(), None)) == want
