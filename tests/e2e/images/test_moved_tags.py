"""`--check-images` says which pinned tags have moved. It never fails for that, and never waits long."""

import time

from tests.e2e.sandbox import Sandbox, item
from tests.fake_registry import Registry

SHA = "sha256:" + "0" * 64


def noted(document: dict[str, object], code: str) -> list[str]:
    problems = document["problems"]
    assert isinstance(problems, list)
    assert {problem["severity"] for problem in problems} <= {"note"}
    return [problem["summary"] for problem in problems if problem["code"] == code]


def test_a_tag_that_moved_is_a_note(sandbox: Sandbox, registry: Registry) -> None:
    """The digest that the workers run is the one of the live image; a plan asks only if it is told to."""
    old = registry.push("acme/chat:1")
    sandbox.declare(item("chat", image=registry.image(f"acme/chat:1@{old}")))
    sandbox.apply()
    assert sandbox.plan("--check-images").document["problems"] == []
    new = registry.push("acme/chat:1", "another image")
    registry.requests.clear()
    assert sandbox.plan().document["problems"] == []
    assert registry.requests == []
    ran = sandbox.plan("--check-images")
    assert ran.code == 0
    (note,) = noted(ran.document, "tag-moved")
    assert note.startswith(f"tag moved: workers run {old[:19]}, the registry has {new[:19]} as")
    assert ran.document["problems"][0]["hint"].startswith("reconciler pin --update")
    sandbox.declare(item("chat", image=registry.image(f"acme/chat:1@{SHA}")))
    (note,) = noted(sandbox.plan("--check-images").document, "tag-moved")
    assert f"the YAML has {SHA[:19]}" in note


def test_apply_and_drift_say_it_too(sandbox: Sandbox, registry: Registry) -> None:
    """It is neither a change nor drift, so the exit codes stay, also if no registry answers."""
    old = registry.push("acme/chat:1")
    sandbox.declare(item("chat", image=registry.image(f"acme/chat:1@{old}")))
    sandbox.apply()
    registry.push("acme/chat:1", "another image")
    for command in (("apply", "--auto-approve"), ("drift",)):
        assert noted(sandbox.run(*command, "--json").document, "tag-moved") == []
        ran = sandbox.run(*command, "--check-images", "--json")
        assert (ran.code, len(noted(ran.document, "tag-moved"))) == (0, 1)
        ran = sandbox.run(*command, "--check-images")
        assert (ran.code, ran.err.count("Note: tag moved: workers run ")) == (0, 1)
    sandbox.declare(item("chat", image=registry.image(f"acme/chat:1@{old}"), maxReplicas=5))
    assert sandbox.run("plan", "--out", "p").code == 0
    ran = sandbox.run("apply", "p", "--check-images")
    assert (ran.code, "tag moved" in ran.err) == (0, True)
    registry.special["acme/chat"] = "silent"
    ran = sandbox.run("drift", "--check-images", "--json")
    assert (ran.code, len(noted(ran.document, "image-not-checked"))) == (0, 1)
    ran = sandbox.run("drift", "--check-images", "revert")
    assert (ran.code, "--check-images cannot be combined with a subcommand" in ran.err) == (64, True)


def test_what_cannot_be_checked_is_a_note(sandbox: Sandbox, registry: Registry) -> None:
    """A registry that does not know the image, and an image without a digest, change no exit code."""
    sandbox.declare(
        item("gone", image=registry.image(f"acme/gone:1@{SHA}")),
        item("open", image=registry.image("acme/open:1")),
        item("fixed", image=registry.image(f"acme/fixed@{SHA}")),
    )
    ran = sandbox.plan("--check-images")
    assert ran.code == 2
    (note,) = noted(ran.document, "image-not-checked")
    assert note.endswith("was not checked: the registry has no such image")
    (note,) = noted(ran.document, "images-without-digest")
    assert note.startswith("the image of 1 endpoint has no digest")
    assert {path.split("?")[0] for _, path, _ in registry.requests} == {"/v2/acme/gone/manifests/1", "/token"}


def test_a_silent_registry_delays_a_plan_by_its_limit_only(sandbox: Sandbox, registry: Registry) -> None:
    registry.special["acme/slow"] = "silent"
    sandbox.declare(item("slow", image=registry.image(f"acme/slow:1@{SHA}")))
    begin = time.monotonic()
    ran = sandbox.plan("--check-images")
    assert time.monotonic() - begin < 60
    assert noted(ran.document, "image-not-checked")


def test_a_secret_image_is_not_checked(sandbox: Sandbox, registry: Registry) -> None:
    sandbox.monkeypatch.setenv("IMAGE_TOKEN", registry.image(f"s3cr3t:1@{SHA}"))
    sandbox.declare(item("chat", image="${env:IMAGE_TOKEN}"))
    ran = sandbox.plan("--check-images")
    assert "s3cr3t" not in ran.out + ran.err
    assert registry.requests == []
