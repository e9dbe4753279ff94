"""Which images are warmed, and what the plan says about them."""

from typing import Any

import pytest

from reconciler.model.plan import Change, Create, Delete, Replace, Scale, Update
from reconciler.model.resource import STORAGE, Desired, Live, Tracked
from reconciler.planning.prewarm import images_to_warm, prewarm_notes, pulled_keys

REGION = "us-dallas-nas-2"


def fields(image: str = "llm:1", region: str = REGION, auth: str = "") -> dict[str, Any]:
    return {"image": {"image": image, "authId": auth}, "clusterID": region}


def desired(name: str = "chat", *, prewarm: bool = True, **changes: Any) -> Desired:
    return Desired(name=name, app_name=name, fields=fields(**changes), prewarm=prewarm)


def create(name: str = "chat", *, prewarm: bool = True, **changes: Any) -> Create:
    return Create(name=name, reason="", desired=desired(name, prewarm=prewarm, **changes))


def live(**changes: Any) -> Live:
    return Live(id="id-1", name="chat", fields=fields(**changes))


def written(action: type[Update] | type[Replace] | type[Scale], **changes: Any) -> Change:
    want = desired(**changes)
    tracked = Tracked(name="chat", id="id-1", applied={})
    return action(name="chat", reason="", desired=want, target=want.fields, live=live(), tracked=tracked)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (create(), ["llm:1 in us-dallas-nas-2"]),
        (create(prewarm=False), []),
        (create(region=""), []),
        (create(image=""), []),
        (written(Update), []),
        (written(Update, auth="other"), []),
        (written(Update, image="llm:2"), ["llm:2 in us-dallas-nas-2"]),
        (written(Update, image="llm:2", prewarm=False), []),
        (written(Update, region="eu-de-1"), ["llm:1 in eu-de-1"]),
        (written(Update, image=""), []),
        (written(Replace), ["llm:1 in us-dallas-nas-2"]),
        (written(Scale, image="llm:2"), []),
        (
            Delete(name="chat", reason="", tracked=Tracked(name="chat", id="i", applied={}), live=live()),
            [],
        ),
    ],
)
def test_a_change_to_a_new_image_warms_it(change: Change, expected: list[str]) -> None:
    assert list(map(str, images_to_warm([change]))) == expected


def test_an_image_is_warmed_once_in_each_region() -> None:
    """With the credential of the first endpoint, and the names of all."""
    found = images_to_warm([create("a", auth="x"), create("b", region="eu-de-1"), create("c", auth="y")])
    assert [(str(one), one.auth, one.endpoints) for one in found] == [
        ("llm:1 in us-dallas-nas-2", "x", ("a", "c")),
        ("llm:1 in eu-de-1", "", ("b",)),
    ]
    assert found[0].note == "warmed by reconciler: a, c"


def test_a_long_note_is_cut() -> None:
    [image] = images_to_warm([create(f"endpoint-{number}") for number in range(50)])
    assert len(image.note) == 200


def test_the_images_of_the_account() -> None:
    """Other kinds have none."""
    storage = Live(id="s", name="s", fields={}, kind=STORAGE)
    assert pulled_keys([live(), live(image="b:1"), storage]) == {("llm:1", REGION), ("b:1", REGION)}


def test_the_note_of_a_plan() -> None:
    """It names each image with its endpoints, and how long an apply waits."""
    assert list(prewarm_notes([create(prewarm=False)], within=600)) == []
    [note] = prewarm_notes([create("a"), create("b", image="b:1")], within=90)
    assert note.summary == "2 images are warmed before the endpoints are changed, for at most 90 seconds"
    assert note.detail == "llm:1 in us-dallas-nas-2 for a; b:1 in us-dallas-nas-2 for b"
    [note] = prewarm_notes([create("a")], within=600)
    assert note.summary.endswith("for at most 10 minutes")
    [note] = prewarm_notes([create("a")], within=0)
    assert note.summary == "1 image is warmed before the endpoints are changed, without a wait"
