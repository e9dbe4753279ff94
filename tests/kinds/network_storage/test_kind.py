"""The network storage as a kind: its requests, its YAML, and what it refuses."""

from typing import Any

import pytest

from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.model.plan import Delete
from reconciler.model.problem import Severity
from reconciler.model.resource import Desired, Live, no_place
from reconciler.model.values import ABSENT
from reconciler.yamlfile.edits import Set

from .samples import FIELDS, ITEM, LIVE, RECORD, create, desired, update


def test_requests() -> None:
    """Pages are counted from 1; an update renames and grows in one call and never sends the region."""
    assert STORAGE.list_request(0, 50).query == {"pageNo": "1", "pageSize": "50"}
    assert STORAGE.get_request("st-1").query["storageId"] == "st-1"
    created = STORAGE.create_request(desired())
    assert created.body == {"storageName": "weights", "clusterId": "us-dallas-nas-2", "storageSize": 200}
    assert not created.is_idempotent
    assert STORAGE.create_request(desired(), {"name": "x"}).body == {"storageName": "x"}
    changed = STORAGE.update_request(LIVE, {"storageSize": 300})
    assert changed.body == {"storageId": "st-1", "storageName": "weights", "storageSize": 300}
    (deleted,) = STORAGE.delete_requests("st-1")
    assert deleted.body == {"storageId": "st-1"}


def test_an_unreadable_size_is_not_overwritten() -> None:
    """An update carries the size; one that cannot be read must be declared."""
    odd = Live(id="st-1", name="weights", fields={"name": "weights"}, unread=(("storageSize",), ("id",)))
    assert STORAGE.unsendable(odd, {"name": "x"}) == (("storageSize",),)
    assert STORAGE.unsendable(odd, FIELDS) == ()


def test_a_declared_storage_is_protected_by_default() -> None:
    """Only `preventDestroy: false` lifts it."""
    assert desired().fields == FIELDS
    assert desired().lifecycle.prevent_destroy
    assert not desired(lifecycle={"preventDestroy": False}).lifecycle.prevent_destroy
    assert desired(renamedFrom="old").renamed_from == "old"
    assert desired(lifecycle={"ignoreChanges": ["sizeGb", None]}).lifecycle.ignore == (("storageSize",),)


def test_each_field_has_its_place() -> None:
    """A problem points at the YAML name of a wire path, or at the name of the item."""
    places = {("sizeGb",): "size", ("name",): "name", ("renamedFrom",): "former"}
    found, _ = STORAGE.from_yaml(ITEM, None, places.get)  # type: ignore[arg-type]
    assert found is not None
    paths: list[tuple[str, ...]] = [("storageSize",), ("clusterId",), ("renamedFrom",), ()]
    assert [found.place_of(path) for path in paths] == ["size", "name", "former", "name"]


def test_an_unknown_ignored_name() -> None:
    """It is an error with the address of the storage."""
    item = {**ITEM, "lifecycle": {"ignoreChanges": ["sizeGB"]}}
    found, (problem,) = STORAGE.from_yaml(item, None, no_place)
    assert (found, problem.code, problem.address) == (None, "unknown-ignore", "novita_storage.weights")
    assert problem.hint == "did you mean `sizeGb`?"
    _, (problem,) = STORAGE.from_yaml({**ITEM, "lifecycle": {"ignoreChanges": ["zzz"]}}, None, no_place)
    assert problem.hint == "use a YAML name (`region`, `sizeGb`) or a wire path"


def test_shrinking_is_refused() -> None:
    """The data would be lost; the way out is in the hint. Growing is not refused."""
    problem = STORAGE.refusal(update("storageSize", 200, 100))
    assert problem is not None
    assert problem.is_error
    assert (problem.code, problem.summary) == (
        "storage-shrink",
        "`weights` has 200 GB and cannot shrink to 100 GB",
    )
    assert "the data would be lost" in problem.detail
    assert "`sizeGb: 200`" in problem.hint
    assert STORAGE.refusal(update("storageSize", 200, 300)) is None
    assert STORAGE.refusal(update("storageSize", ABSENT, 300)) is None


def test_another_region_is_refused() -> None:
    """A storage has one region for its life."""
    problem = STORAGE.refusal(update("clusterId", "us-dallas-nas-2", "eu-de-1"))
    assert problem is not None
    assert problem.summary == "`weights` is in us-dallas-nas-2 and cannot move to eu-de-1"
    assert "`region: us-dallas-nas-2`" in problem.hint


def test_other_changes_are_not_refused() -> None:
    """A create, a rename and a delete are guarded elsewhere."""
    assert STORAGE.refusal(create()) is None
    assert STORAGE.refusal(update("name", "old", "weights")) is None
    assert STORAGE.refusal(Delete(name="weights", reason="", live=LIVE, tracked=RECORD)) is None


@pytest.mark.parametrize("users", ["", "`chat`, `llm`"])
def test_a_storage_that_is_gone_is_a_warning(users: str) -> None:
    """A new one is empty, and the plan says so."""
    warning = STORAGE.gone_warning(create(gone=RECORD), RECORD, users)
    assert warning is not None
    assert warning.severity is Severity.WARNING
    assert "st-1, which is gone with all its data" in warning.summary
    assert ("although it is mounted by `chat`, `llm`" in warning.summary) is bool(users)


def test_what_a_delete_loses() -> None:
    """The size and the region, as far as Novita reports them."""
    assert STORAGE.lost_with(LIVE) == "200 GB in us-dallas-nas-2"
    unknown = Live(id="st-1", name="x", fields={"name": "x"}, kind=STORAGE.type)
    assert STORAGE.lost_with(unknown) == "an unknown number of GB in an unknown region"


def storage(name: str, object_id: str = "st-1", **fields: Any) -> Live:
    return Live(id=object_id, name=name, fields={**FIELDS, "name": name, **fields}, kind=STORAGE.type)


def test_what_can_be_imported() -> None:
    """Each one that is left out has a warning with the reason."""
    live = [
        storage("weights"),
        storage("twice", "st-2"),
        storage("twice", "st-3"),
        storage("taken", "st-4"),
        storage("a b", "st-5"),
        storage("", "st-6"),
        storage("small", "st-7", storageSize=5),
        Live(id="st-8", name="unknown", fields={"name": "unknown"}, kind=STORAGE.type),
    ]
    accepted, problems = STORAGE.importable(live, ["taken"])
    assert [one.name for one in accepted] == ["weights"]
    assert [problem.summary.rpartition(": ")[2] for problem in problems] == [
        "its name is not one of 1 to 255 letters, digits and hyphens",
        "its name is not one of 1 to 255 letters, digits and hyphens",
        "it has 5 GB, and 10 is the least",
        "another storage is declared or recorded by that name",
        "2 live storages have that name",
        "2 live storages have that name",
        "Novita does not report its size and its region",
    ]
    assert problems[1].hint.endswith("reconciler import novita_storage.NAME st-5")
    assert {problem.severity for problem in problems} == {Severity.WARNING}
    draft = STORAGE.draft(accepted, [], spec_names=(), app_names=(), in_use={})
    assert draft.items == (ITEM,)


def test_edits_say_what_is_live() -> None:
    """A value with a reference is never overwritten."""
    edits, problems = STORAGE.yaml_edits(ITEM, [("storageSize",), ("name",)], {**FIELDS, "storageSize": 300})
    assert edits == (Set(path=("sizeGb",), value=300), Set(path=("name",), value="weights"))
    assert problems == ()
    edits, (problem,) = STORAGE.yaml_edits(
        {**ITEM, "sizeGb": "${env:SIZE}"}, [("storageSize",)], {**FIELDS, "storageSize": 300}
    )
    assert edits == ()
    assert problem.summary == "`weights`: `sizeGb` is ${env:SIZE}, and references are not overwritten"
    assert problem.hint == "let it say 300"


@pytest.mark.parametrize("size", [200, 300])
def test_it_is_compared_like_any_kind(size: int) -> None:
    """Owned fields against live ones."""
    item: Desired = desired(sizeGb=size)
    want, have = STORAGE.sides(item.fields, None, LIVE.fields, ())
    assert (want == have) is (size == 200)
