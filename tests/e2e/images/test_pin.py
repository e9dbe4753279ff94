"""`pin` writes the digests of image tags into the YAML, and `pin --check` says what it would write."""

import json

import pytest

from tests.e2e.sandbox import Sandbox, item
from tests.fake_registry import PASSWORD, USER, Registry

SHA = "sha256:" + "0" * 64

FILE = """\
# the models of our team
defaults: {{specName: small}}
endpoints:
  - endpoint: chat   # the oldest one
    image: {host}/acme/chat:1.4.2   # see the release notes
    minReplicas: 0

  - endpoint: embed
    image: "{host}/acme/embed:2@{old}"
"""


def test_the_digest_of_a_tag_is_written_with_comments_kept(sandbox: Sandbox, registry: Registry) -> None:
    """The file changes only behind the tag; the diff is shown, and the next run has nothing to do."""
    digest = registry.push("acme/chat:1.4.2")
    text = FILE.format(host=registry.host, old=SHA)
    path = sandbox.write("endpoints.yaml", text)
    ran = sandbox.run("pin")
    assert ran.code == 0
    old, new = (f"{registry.host}/acme/chat:1.4.2{more}" for more in ("", f"@{digest}"))
    assert path.read_text() == text.replace(
        f"{old} ", f'"{new}" '
    )  # the host of this test begins with a digit
    assert f'+    image: "{new}"   # see the release notes' in ran.out
    assert "Images: 1 pinned now, 1 pinned already." in ran.err
    again = sandbox.run("pin", "--json")
    assert (again.code, again.document["files"]) == (0, [])
    assert [image["state"] for image in again.document["images"]] == ["pinned", "pinned"]
    assert sandbox.run("validate").code == 0
    assert sandbox.sent() == []
    sandbox.apply()
    made = {one["name"]: one["image"]["image"] for one in sandbox.sim.world.endpoints}
    assert made["chat"] == f"{registry.host}/acme/chat:1.4.2@{digest}"
    assert sandbox.plan().code == 0


def test_a_check_writes_nothing(sandbox: Sandbox, registry: Registry) -> None:
    """--check finds images without a digest and asks no registry; with --update it finds tags that moved."""
    sandbox.declare(item("chat", image=registry.image("acme/chat:1")))
    text = (sandbox.root / "endpoints.yaml").read_text()
    ran = sandbox.run("pin", "--check")
    assert ran.code == 2
    assert f"chat: `{registry.image('acme/chat:1')}` has no digest" in ran.err
    assert "reconciler pin" in ran.err
    assert registry.requests == []
    old = registry.push("acme/chat:1")
    assert sandbox.run("pin").code == 0
    pinned = (sandbox.root / "endpoints.yaml").read_text()
    assert pinned != text
    assert sandbox.run("pin", "--check", "--update").code == 0
    new = registry.push("acme/chat:1", "another image")
    assert sandbox.run("pin", "--check").code == 0
    assert sandbox.run("pin").code == 0
    assert (sandbox.root / "endpoints.yaml").read_text() == pinned
    ran = sandbox.run("pin", "--check", "--update")
    assert ran.code == 2
    assert f"tag moved: `1` is pinned to {old[:19]}, the registry has {new[:19]}" in ran.err
    assert "reconciler pin --update" in ran.err
    assert sandbox.run("pin", "--update").code == 0
    assert new in (sandbox.root / "endpoints.yaml").read_text()
    assert sandbox.run("pin", "--check", "--no-tag").code == 64


def test_only_the_digest(sandbox: Sandbox, registry: Registry) -> None:
    digest = registry.push("acme/chat:1")
    sandbox.declare(item("chat", image=registry.image("acme/chat:1")))
    assert sandbox.run("pin", "--no-tag").code == 0
    assert f'"{registry.host}/acme/chat@{digest}"' in (sandbox.root / "endpoints.yaml").read_text()
    assert sandbox.run("pin", "--check", "--update").code == 0


def test_a_private_image_is_pinned_with_the_login(sandbox: Sandbox, registry: Registry) -> None:
    """Without a login nothing is written for it, and the others are pinned."""
    registry.private.add("acme/secret")
    digests = [registry.push("acme/secret:1"), registry.push("acme/open:1")]
    sandbox.declare(
        item("secret", image=registry.image("acme/secret:1")),
        item("open", image=registry.image("acme/open:1")),
    )
    ran = sandbox.run("pin")
    assert ran.code == 1
    assert "demands a credential, and there is none" in ran.err
    assert "docker login" in ran.err
    assert digests[1] in (sandbox.root / "endpoints.yaml").read_text()
    auths = {"auths": {registry.host: {"username": USER, "password": PASSWORD}}}
    sandbox.monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(auths))
    ran = sandbox.run("pin", "-v")
    assert ran.code == 0
    assert PASSWORD not in ran.out + ran.err
    assert digests[0] in (sandbox.root / "endpoints.yaml").read_text()


def test_an_image_is_edited_where_it_stands(sandbox: Sandbox, registry: Registry) -> None:
    """In the defaults, in an overlay, or in the item of a matrix; nothing above or below it changes."""
    digests = {name: registry.push(f"acme/{name}:1") for name in ("base", "prod", "many")}
    image = {name: registry.image(f"acme/{name}:1") for name in digests}
    base = sandbox.write(
        "base.yaml",
        f"defaults: {{specName: small, image: {image['base']}}}\nendpoints:\n"
        f"- endpoint: one\n- endpoint: two\n- endpoint: three\n"
        f"- endpoint: many-${{matrix.size}}\n  image: {image['many']}\n"
        "  matrix: {size: [s, l]}\n",
    )
    prod = sandbox.write("prod.yaml", f"endpoints:\n- endpoint: three\n  image: {image['prod']}\n")
    files = ("-f", "base.yaml", "-f", "prod.yaml")
    ran = sandbox.run(*files, "pin", "one")
    assert ran.code == 1
    assert "`one` and `two` have their image from the same line" in ran.err
    assert "pin one two" in ran.err
    assert base.read_text().count("@sha256") == 0
    ran = sandbox.run(*files, "pin", "--json")
    assert (ran.code, sorted(ran.document["files"])) == (0, ["base.yaml", "prod.yaml"])
    assert base.read_text().count("@sha256") == 2
    assert f"{image['base']}@{digests['base']}" in base.read_text()
    assert f"{image['many']}@{digests['many']}" in base.read_text()
    assert f"{image['prod']}@{digests['prod']}" in prod.read_text()
    assert sandbox.run(*files, "pin", "--check").code == 0


@pytest.mark.parametrize("value", ["", "2", f"2@{SHA}"])
def test_a_reference_is_not_overwritten(sandbox: Sandbox, registry: Registry, value: str) -> None:
    """An image from a reference is left alone, with the way out; with a digest in its value it is pinned."""
    registry.push("acme/chat:2")
    sandbox.declare(item("chat", image=registry.host + "/acme/chat:${env:CHAT_TAG}"))
    sandbox.monkeypatch.setenv("CHAT_TAG", value)
    text = (sandbox.root / "endpoints.yaml").read_text()
    ran = sandbox.run("pin", "chat")
    check = sandbox.run("pin", "--check", "--json")
    assert (sandbox.root / "endpoints.yaml").read_text() == text
    assert registry.requests == []
    if "@" in value:
        assert (ran.code, check.code) == (0, 0)
        return
    assert ran.code == 1
    assert "comes from a reference" in ran.err
    assert "`1.4.2@sha256:...`" in ran.err
    assert check.document["images"][0]["state"] == ("missing" if value else "unknown")
    assert check.code == (2 if value else 0)


def test_images_that_pin_cannot_write(sandbox: Sandbox, registry: Registry) -> None:
    """A check does not advise `pin`, which writes the others and exits with 1."""
    digest = registry.push("acme/chat:1")
    matrix = {"m": ["a", "b"]}
    models = item("{m}", image=registry.host + "/${matrix.m}:2", matrix=matrix)
    sandbox.declare(models)
    ran = sandbox.run("pin", "--check")
    assert ran.code == 2
    assert "nothing to pin, 2 to pin by hand" in ran.err
    assert "To write the digests" not in ran.err
    assert "let its value hold the digest" in ran.err.lower()
    assert sandbox.run("pin").code == 1
    sandbox.declare(models, item("chat", image=registry.image("acme/chat:1")))
    ran = sandbox.run("pin", "--check")
    assert "1 to pin, 2 to pin by hand" in ran.err
    assert "To write the digests" in ran.err
    ran = sandbox.run("pin")
    assert ran.code == 1
    assert digest in (sandbox.root / "endpoints.yaml").read_text()


def test_a_secret_image_is_never_shown(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", image="${env:IMAGE_TOKEN}"))
    sandbox.monkeypatch.setenv("IMAGE_TOKEN", "host.example/of-nobody/s3cr3t:1")
    for command in (["pin"], ["pin", "--check"], ["pin", "--json"]):
        ran = sandbox.run(*command)
        assert "s3cr3t" not in ran.out + ran.err
        assert "reference" in ran.out + ran.err


def test_an_unreachable_registry(sandbox: Sandbox, registry: Registry) -> None:
    """Writing fails and leaves the file; a check is a warning, because nothing is known to be wrong."""
    registry.special["acme/chat"] = "broken"
    sandbox.declare(item("chat", image=registry.image(f"acme/chat:1@{SHA}")))
    ran = sandbox.run("pin", "--update")
    assert ran.code == 1
    assert "Error: the digest of" in ran.err
    assert "the registry answered 500" in ran.err
    ran = sandbox.run("pin", "--update", "--check")
    assert (ran.code, "Warning: the digest of" in ran.err) == (0, True)
    assert "a secret of the server" not in ran.err
    assert sandbox.run("pin", "nobody").code == 1


def test_an_edit_that_would_change_others_is_refused(sandbox: Sandbox, registry: Registry) -> None:
    """An anchor gives the same line to two items; they are pinned together or not at all."""
    registry.push("acme/chat:1")
    text = (
        f"x-image: &image {registry.image('acme/chat:1')}\nendpoints:\n"
        "- {endpoint: a, specName: small, image: *image}\n- {endpoint: b, specName: small, image: *image}\n"
    )
    path = sandbox.write("endpoints.yaml", text)
    ran = sandbox.run("pin")
    pinned = path.read_text().count("@sha256")
    assert (ran.code, pinned) in ((0, 2), (1, 0))
    assert sandbox.run("validate").code == 0


def test_an_empty_folder(sandbox: Sandbox) -> None:
    sandbox.declare()
    ran = sandbox.run("pin")
    assert (ran.code, "No endpoints are declared." in ran.err) == (0, True)


@pytest.mark.parametrize("name", ["chat", "chat-dev"])
def test_pin_in_an_environment_with_other_names(sandbox: Sandbox, registry: Registry, name: str) -> None:
    """The declared name and the name in the account mean the same item."""
    digest = registry.push("acme/chat:1")
    sandbox.write("config.yaml", {"environments": {"dev": {"name": "{name}-dev"}}})
    sandbox.declare(item("chat", image=registry.image("acme/chat:1")), item("embed"))
    ran = sandbox.run("-e", "dev", "pin", name)
    assert ran.code == 0, ran.err
    first, second = json.loads((sandbox.root / "endpoints.yaml").read_text())["endpoints"]
    assert first["image"] == f"{registry.image('acme/chat:1')}@{digest}"
    assert (first["endpoint"], second["image"]) == ("chat", "ubuntu:22.04")
