"""Which changes must have succeeded before another one may begin."""

from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.plan import Delete, Update
from reconciler.model.resource import REGISTRY, Desired, Live, Tracked
from reconciler.model.values import Reference
from reconciler.planning.dependencies.order import Dependencies


def test_an_old_object_stays_until_all_that_refer_to_the_new_one_have_followed() -> None:
    """Also one that seems to use another object: an earlier run may have changed it at the last moment."""
    hub = Reference(REGISTRY, "hub")
    fields = {"image": {"authId": "auth-1"}}
    chat = Update(
        name="chat",
        reason="",
        fields=(),
        desired=Desired(
            name="chat", app_name="chat", fields=fields, references=((("image", "authId"), hub),)
        ),
        target=fields,
        live=Live(id="chat-1", name="chat", fields=fields),
        tracked=Tracked(name="chat", id="chat-1", applied=fields),
    )
    assert KINDS[chat.kind] is ENDPOINT
    record = Tracked(name="hub", id="auth-2", applied={}, kind=REGISTRY).deposed()
    live = Live(id="auth-2", name="hub", fields={}, kind=REGISTRY)
    delete = Delete(name=record.name, reason="", live=live, tracked=record)
    other = Delete(
        name="other",
        reason="",
        live=Live(id="auth-3", name="other", fields={}, kind=REGISTRY),
        tracked=Tracked(name="other", id="auth-3", applied={}, kind=REGISTRY),
    )
    dependencies = Dependencies([chat, delete, other])
    assert dependencies.needed(delete) == [chat]
    assert dependencies.needed(other) == []
    assert dependencies.needed(chat) == []
