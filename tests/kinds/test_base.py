"""What a kind need not say, and what a table of fields says."""

from typing import Any

import pytest

from reconciler.kinds.base import Kind
from reconciler.kinds.draft import Draft
from reconciler.kinds.fields import Field, FieldTable, Shape, value_of
from reconciler.kinds.normal_form import misfits
from reconciler.kinds.registry import ENDPOINT, KINDS, split_address
from reconciler.model.resource import STORAGE, Desired, Live, no_place
from reconciler.model.status import Phase, Rollout

from .toy import CREDENTIAL, TYPE, Credential

LIVE = Live(id="cred-1", name="hub", fields={"name": "hub", "username": "ada", "password": "x"}, kind=TYPE)


def test_a_kind_offers_nothing_that_it_does_not_say() -> None:
    """No workers, no quotas, no edits, no import: the defaults are empty."""
    assert CREDENTIAL.replica_range is None
    assert CREDENTIAL.partial_fields({"username": "bob"}) == {"username": "bob"}
    assert CREDENTIAL.yaml_edits({}, (), {}) == ((), ())
    assert CREDENTIAL.unsendable(LIVE, {}) == ()
    assert list(CREDENTIAL.inner_items({})) == []
    assert CREDENTIAL.image_to_pull(LIVE.fields) is None
    assert CREDENTIAL.lost_with(LIVE) == ""
    assert CREDENTIAL.surplus(LIVE, 0) == ()
    assert CREDENTIAL.readiness(LIVE).phase is Phase.READY
    assert Kind.worker_ids(CREDENTIAL, LIVE) == ()
    assert Kind.rollout(CREDENTIAL, LIVE, (), [("username",)]) == Rollout()
    assert (
        list(Kind.value_problems(CREDENTIAL, {}, no_place)) == list(Kind.change_notes(CREDENTIAL, [])) == []
    )
    desired = Desired(name="hub", app_name="", fields=LIVE.fields, kind=TYPE)
    assert Kind.fit_defaults(CREDENTIAL, desired, None, None) is desired
    assert not CREDENTIAL.needs_limits(())
    assert list(CREDENTIAL.check_limits((), None)) == list(CREDENTIAL.conflicts(())) == []
    assert Kind.importable(CREDENTIAL, [LIVE], ()) == ((), ())
    drafted = Kind.draft(CREDENTIAL, [LIVE], (), spec_names=(), app_names=(), in_use={})
    assert drafted == Draft(live=(), items=(), new_specs=(), variables=())


@pytest.mark.parametrize(
    "call",
    [
        lambda: CREDENTIAL.update_request(LIVE, {}),
        lambda: CREDENTIAL.drain_request("w"),
        lambda: CREDENTIAL.endpoint_info(LIVE),
    ],
)
def test_what_is_not_offered_cannot_be_asked_for(call: Any) -> None:
    """Nothing asks for it as long as the kind says so; a mistake there is loud."""
    with pytest.raises(NotImplementedError, match=TYPE):
        call()


def test_a_field_is_compared_by_what_its_row_says() -> None:
    """Secret names, names of texts and of references follow from the table too."""
    assert CREDENTIAL.replaces(("username",))
    assert (CREDENTIAL.secret_fields, CREDENTIAL.maskable_fields) == ({"password"}, {"username"})
    assert CREDENTIAL.name_fields == {"credential"}
    assert list(CREDENTIAL.table.secrets_of(LIVE)) == ["x"]
    assert [CREDENTIAL.table.is_secret((name,)) for name in ("password", "username")] == [True, False]
    assert CREDENTIAL.merge_fields({"username": "a", "x": 1}, {"username": "b"}) == {"username": "b", "x": 1}
    assert CREDENTIAL.replacement({"username": "a"}, {"username": "b"}, ()) == {"username": "a"}


def test_an_address_names_a_kind_that_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may look like an address of no kind: then it is an endpoint's."""
    monkeypatch.setitem(KINDS, TYPE, Credential())
    assert split_address(f"{TYPE}.a.b") == (TYPE, "a.b")
    for name in ("a", "a.b", f"{ENDPOINT.type}.a"):
        assert split_address(name) == (ENDPOINT.type, name)


TABLE = FieldTable(
    Field(path=("one",)),
    Field(path=("object",), shape=Shape.OBJECT),
    Field(path=("object", "inner"), names=("inner",), default=1, is_plain=True),
    Field(path=("texts",), shape=Shape.TEXTS),
    Field(path=("objects",), shape=Shape.OBJECTS),
    Field(path=("list",), shape=Shape.LIST),
)


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        (
            {"one": 1, "object": {"inner": "x"}, "texts": {}, "objects": {"a": {"b": 1}}, "list": [{"c": 1}]},
            [],
        ),
        ({"one": [1]}, ['"one" in "applied" must be a single value']),
        ({"object": 1}, ['"object" in "applied" must be an object']),
        ({"object": {"inner": []}}, ['"inner" in "object" must be a single value']),
        ({"object": {"one": "x", "inner": [], "two": 2}}, ['"inner" in "object" must be a single value']),
        ({"texts": {"a": {}}}, ['"a" in "texts" must be a single value']),
        ({"objects": {"a": 1}}, ['"a" in "objects" must be an object']),
        ({"objects": {"a": {"b": []}}}, ['"b" in "a" must be a single value']),
        ({"list": {}}, ['"list" in "applied" must be a list of objects']),
        ({"list": [1]}, ['"list" in "applied" must be a list of objects']),
        ({"list": [{"c": {}}]}, ['"c" in "list" must be a single value']),
        ({"new": {"a": [{"b": 1}]}}, []),
        ({"new": {"a": (1,)}}, ['"new" in "applied" must be a single value']),
    ],
)
def test_stored_fields_have_the_normal_form(fields: dict[str, Any], faults: list[str]) -> None:
    """By the shapes of the table; a field that is not in it may have any build, within reason."""
    assert list(misfits(TABLE, fields, "applied")) == faults


def test_a_table_builds_objects_in_its_order() -> None:
    """Plain fields from the item or by default; values by path into nested fields."""
    assert TABLE.plain_objects({}) == {"object": {"inner": 1}}
    assert TABLE.plain_objects({"inner": 2}) == {"object": {"inner": 2}}
    assert list(TABLE.nested({("one",): 1, ("object", "inner"): 2})) == ["one", "object"]
    assert value_of({"object": {"inner": 2}}, ("object", "inner")) == 2
    assert TABLE.in_order("object", {"x": 1, "inner": 2}) == {"inner": 2}


def test_a_name_and_an_item_are_written_as_they_are() -> None:
    """Only a kind whose names have rules, or whose items have an order, says otherwise."""
    kind = KINDS[STORAGE]
    assert kind.named_item("weights") == {"name": "weights"}
    assert list(kind.ordered_item({"sizeGb": 10, "name": "weights"})) == ["sizeGb", "name"]
    assert ENDPOINT.named_item("Chat App") == {"endpoint": "Chat App", "appName": "chat-app"}
    assert list(ENDPOINT.ordered_item({"env": {}, "endpoint": "a"})) == ["endpoint", "env"]
