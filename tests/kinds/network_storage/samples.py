"""A storage as Novita answers about it, and as it is declared."""

from typing import Any

from reconciler.kinds.network_storage.kind import STORAGE
from reconciler.model.plan import Cause, Create, FieldChange, Update
from reconciler.model.resource import Desired, Live, Tracked, no_place
from reconciler.model.values import Fields

ANSWER = {
    "storageId": "st-1",
    "storageName": "weights",
    "storageSize": 200,
    "clusterId": "us-dallas-nas-2",
    "clusterName": "US-Dallas-NAS-02",
    "price": "200",
}
ITEM = {"name": "weights", "region": "us-dallas-nas-2", "sizeGb": 200}
FIELDS: Fields = {"name": "weights", "clusterId": "us-dallas-nas-2", "storageSize": 200}
LIVE = STORAGE.parse_one(ANSWER)
RECORD = Tracked(name="weights", id="st-1", applied=FIELDS, prevent_destroy=True, kind=STORAGE.type)


def desired(**item: Any) -> Desired:
    """Return the storage of the item with these changes."""
    found, problems = STORAGE.from_yaml({**ITEM, **item}, None, no_place)
    assert found is not None
    assert problems == ()
    return found


def update(path: str, before: Any, after: Any, live: Live = LIVE) -> Update:
    """Return the update of one field."""
    field = FieldChange(path=(path,), before=before, after=after, cause=Cause.CONFIG, kind=STORAGE.type)
    fields = {**FIELDS, path: after}
    return Update(
        name="weights",
        reason="",
        fields=(field,),
        desired=Desired(name="weights", app_name="", fields=fields, kind=STORAGE.type),
        target=fields,
        live=live,
        tracked=RECORD,
    )


def create(gone: Tracked | None = None) -> Create:
    """Return the create of the storage."""
    return Create(name="weights", reason="", desired=desired(), gone=gone)
