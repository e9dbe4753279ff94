"""Who uses an object: mounted storages and credentials of images."""

from reconciler.model.resource import Live
from reconciler.planning.dependencies.users import users_of


def live(name: str, object_id: str = "ep-1", **fields: object) -> Live:
    return Live(id=object_id, name=name, fields={"name": name, **fields})


def test_users_are_found_by_what_their_fields_name() -> None:
    """By type and ID; a local volume is nobody's storage."""
    mount = {"/data": {"type": "network", "id": "st-1"}, "/tmp": {"type": "local", "size": 30}}
    nothing = {"/data": {"type": "network"}}
    users = users_of(
        [
            live("llm", volumeMounts=mount),
            live("chat", volumeMounts=mount, image={"image": "x:1", "authId": "auth-1"}),
            live("", "ep-9", volumeMounts=mount),
            live("plain", volumeMounts=nothing, image={"image": "x:1"}),
        ]
    )
    assert users == {
        ("novita_storage", "st-1"): ("chat", "ep-9", "llm"),
        ("novita_registry", "auth-1"): ("chat",),
    }
