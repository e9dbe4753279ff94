"""References become IDs as far as these are known, and a selection includes what they name."""

from reconciler.model.resource import REGISTRY, Desired, Inventory, Tracked
from reconciler.model.values import Reference
from reconciler.planning.dependencies.references import (
    Ids,
    recorded_ids,
    references_of,
    with_dependencies,
    with_known_ids,
)
from reconciler.planning.selection import EVERYTHING, Selection

HUB, OTHER = Reference(REGISTRY, "hub"), Reference(REGISTRY, "other")


def endpoint(name: str, reference: Reference | str) -> Desired:
    return Desired(name=name, app_name=name, fields={"image": {"authId": reference}})


def test_a_known_id_takes_the_place_of_a_reference() -> None:
    """The declaration keeps the reference beside its fields; a literal ID is none."""
    ids = Ids(current={HUB: "auth-1"}, former={HUB: ("auth-0",)})
    known = with_known_ids(endpoint("chat", HUB), ids)
    assert known.fields == {"image": {"authId": "auth-1"}}
    assert (known.references, known.former_ids) == (((("image", "authId"), HUB),), ("auth-0",))
    assert list(references_of(known)) == []
    unknown = with_known_ids(endpoint("chat", OTHER), ids)
    assert unknown.fields == {"image": {"authId": OTHER}}
    literal = endpoint("chat", "auth-9")
    assert with_known_ids(literal, ids) is literal


def test_records_of_planned_kinds_do_not_count() -> None:
    record = Tracked(name="hub", id="auth-1", applied={}, kind=REGISTRY)
    inventory = Inventory().with_records([record])
    assert recorded_ids(inventory).current == {HUB: "auth-1"}
    assert recorded_ids(inventory, {REGISTRY}).current == {}


def test_a_target_includes_what_it_names_once() -> None:
    """Names that are not declared are reported elsewhere."""
    hub = Desired(name="hub", app_name="", fields={}, kind=REGISTRY)
    desired = (endpoint("chat", HUB), endpoint("llm", HUB), endpoint("x", OTHER), hub)
    selected = with_dependencies(Selection(targets=("chat", "llm", "x")), desired)
    assert selected.targets == ("chat", "llm", "x", "novita_registry.hub")
    alone = Selection(targets=("x",))
    assert with_dependencies(alone, desired) is alone
    assert with_dependencies(EVERYTHING, desired) is EVERYTHING
