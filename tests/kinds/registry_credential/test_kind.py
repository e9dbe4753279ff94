"""The registry credential as a kind: its YAML, its requests, and its import."""

from typing import Any

import pytest

from reconciler.kinds.registry_credential.kind import REGISTRY
from reconciler.model.problem import Place
from reconciler.model.resource import Desired, Live
from reconciler.model.secrets import Secret, reveal
from reconciler.model.values import Path
from reconciler.yamlfile.edits import Set

from .samples import ANSWER, FIELDS, ITEM, LIVE, PASSWORD, desired


def test_the_yaml_is_mapped() -> None:
    """Novita gets name, user and password; the host of the registry is known here alone."""
    item = desired(lifecycle={"preventDestroy": True, "ignoreChanges": ["password"]})
    assert item.fields == FIELDS
    assert item.registry == "ghcr.io"
    assert item.lifecycle.prevent_destroy
    assert item.lifecycle.ignore == (("password",),)
    assert REGISTRY.create_request(item).body == FIELDS
    assert REGISTRY.create_request(item, {**FIELDS, "username": "bob"}).body["username"] == "bob"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"password": "written-in-the-file"}, "plain-password"),
        ({"password": 12345}, "plain-password"),
        ({"password": Secret(value="", source="${env:X}")}, "bad-length"),
        ({"password": Secret(value="x" * 1025, source="${env:X}")}, "bad-length"),
        ({"username": Secret(value="x" * 512, source="${env:X}")}, "bad-length"),
        ({"lifecycle": {"ignoreChanges": ["token"]}}, "unknown-ignore"),
    ],
)
def test_a_wrong_value_is_an_error_that_does_not_show_it(change: dict[str, Any], code: str) -> None:
    """Neither the text nor the line of the file, which may hold the password."""

    def locate(path: Path) -> Place | None:
        return Place(file="endpoints.yaml", line=3, column=1, text="password: written-in-the-file")

    found, problems = REGISTRY.from_yaml({**ITEM, **change}, None, locate)
    assert found is None
    assert code in [problem.code for problem in problems]
    for problem in problems:
        assert problem.address == "novita_registry.ghcr"
        if "lifecycle" not in change:
            assert "written" not in f"{problem.place} {problem.hint}"


def test_the_line_of_a_password_is_never_quoted() -> None:
    """The place of any other field is as it is found."""

    def locate(path: Path) -> Place | None:
        place = Place(file="endpoints.yaml", line=3, column=1, text=f"{path}")
        return place if path in (("name",), ("password",)) else None

    found, _ = REGISTRY.from_yaml(ITEM, None, locate)
    assert found is not None
    password, name = found.place_of(("password",)), found.place_of(("username",))
    assert password is not None
    assert name is not None
    assert (password.text, name.text) == ("", "('name',)")


def test_requests() -> None:
    """One listing serves all reads; its answer is never quoted."""
    listing = REGISTRY.list_request(3, 100)
    assert (listing.method, listing.path, listing.query) == (
        "GET",
        "/gpu-instance/openapi/v1/repository/auths",
        {},
    )
    assert listing.is_confidential
    assert REGISTRY.get_request("auth-1") == listing
    (delete,) = REGISTRY.delete_requests("auth-1")
    assert (delete.path, delete.body) == ("/gpu-instance/openapi/v1/repository/auth/delete", {"id": "auth-1"})
    with pytest.raises(NotImplementedError):
        REGISTRY.update_request(LIVE, FIELDS)


def test_it_is_compared_by_the_password_too() -> None:
    """A secret of the YAML equals the live one of the same value."""
    want, have = REGISTRY.sides(desired().fields, None, LIVE.fields, ())
    assert want == have
    other = Secret(value="other", source="${env:X}")
    want, have = REGISTRY.sides(desired(password=other).fields, None, LIVE.fields, ())
    assert want != have


def live(object_id: str, **fields: Any) -> Live:
    return REGISTRY.parse_one({**ANSWER, "id": object_id, **fields})


def test_an_import_needs_one_name_for_each() -> None:
    """The password becomes a variable of its own; what cannot be declared is named."""
    accepted, problems = REGISTRY.importable(
        [
            live("a"),
            live("b", name="docker"),
            live("c", name="docker"),
            live("d", name="taken"),
            live("e", name="empty", password=""),
            live("f", name="bad\x07"),
        ],
        ["taken"],
    )
    assert [one.id for one in accepted] == ["a"]
    assert sorted(problem.summary.partition(": ")[2] for problem in problems) == [
        "2 live credentials have that name",
        "2 live credentials have that name",
        "Novita does not report its username and its password",
        "another credential is declared or recorded by that name",
        "its name cannot be written",
    ]
    assert "reconciler import novita_registry.NAME" in problems[0].hint
    draft = REGISTRY.draft(accepted, [], spec_names=(), app_names=(), in_use={})
    assert draft.items == ({"name": "ghcr", "username": "robot", "password": "${env:GHCR_PASSWORD}"},)
    (variable,) = draft.variables
    assert (variable.name, variable.value) == ("GHCR_PASSWORD", "s3cret-of-ghcr")
    draft = REGISTRY.draft(accepted, [], spec_names=(), app_names=(), in_use={"GHCR_PASSWORD": "other"})
    assert draft.items[0]["password"] == "${env:GHCR_PASSWORD_2}"


def test_an_unnamed_one_is_left_out() -> None:
    """It is told by its ID."""
    _, (problem,) = REGISTRY.importable([live("a", name="")], [])
    assert problem.summary == "the registry credential `a` is left out (a): its name cannot be written"
    assert problem.address is None


def test_edits_say_what_is_live() -> None:
    """A reference is kept, and a password is never written."""
    declared = {"name": "ghcr", "username": "robot", "password": "${env:GHCR_TOKEN}"}
    edits, (problem,) = REGISTRY.yaml_edits(
        declared, [("username",), ("password",)], {**LIVE.fields, "username": "bob"}
    )
    assert edits == (Set(path=("username",), value="bob"),)
    assert problem.summary == "`ghcr`: `password` is ${env:GHCR_TOKEN}, and references are not overwritten"
    assert "drift revert" in problem.hint
    edits, (problem,) = REGISTRY.yaml_edits(
        {**declared, "username": "${env:USER}"}, [("username",)], LIVE.fields
    )
    assert edits == ()
    assert problem.hint == "let it say robot"


def test_secrets_do_not_become_text() -> None:
    """The sample itself: a secret shows its mask."""
    assert f"{PASSWORD}" == "(sensitive value)"
    assert reveal(PASSWORD) == ANSWER["password"]


@pytest.mark.parametrize(
    ("registry", "image", "is_other"),
    [
        ("ghcr.io", "ghcr.io/acme/chat:1", False),
        ("ghcr.io", "acme/chat:1", True),
        ("index.docker.io", "acme/chat:1", False),
        ("registry-1.docker.io", "docker.io/acme/chat:1", False),
        ("", "acme/chat:1", False),
        ("ghcr.io", "no image", False),
        ("ghcr.io", Secret(value="acme/chat:1", source="${env:IMAGE}"), False),
    ],
)
def test_an_image_comes_from_the_registry_of_its_credential(
    registry: str, image: Any, is_other: bool
) -> None:
    """Another registry would refuse the credential. Nothing is said about what is not declared."""
    user = Desired(name="chat", app_name="chat", fields={"image": {"image": image}})
    problems = tuple(REGISTRY.link_problems(user, ("image", "authId"), desired(registry=registry)))
    assert [problem.code for problem in problems] == ["other-registry"] * is_other
    if is_other:
        assert problems[0].summary == (
            "`chat` pulls its image from docker.io, and `ghcr` is the credential of ghcr.io"
        )
