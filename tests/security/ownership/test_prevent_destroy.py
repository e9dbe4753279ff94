"""preventDestroy stands in the record until an apply that changes nothing else about it lifts it."""

from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

SAFE = {"lifecycle": {"preventDestroy": True}}


@pytest.fixture
def safe(sandbox: Sandbox) -> Sandbox:
    """Two endpoints, one of them protected by an overlay."""
    sandbox.write("base.yaml", {"endpoints": [item("chat"), item("embed")]})
    sandbox.write("prod.yaml", {"endpoints": [{"endpoint": "chat", **SAFE}]})
    sandbox.write("other.yaml", {"endpoints": [item("other")]})
    sandbox.apply("-f", "base.yaml", "-f", "prod.yaml")
    assert sandbox.inventory["chat"]["prevent_destroy"] is True
    return sandbox


def is_refused(sandbox: Sandbox, *words: str) -> None:
    before = sandbox.live()
    ran = sandbox.run(*words, "--json")
    assert ran.code == 3, ran.out + ran.err
    assert "prevent-destroy" in ran.codes
    assert sandbox.live() == before


@pytest.mark.parametrize(
    "declared",
    [
        [item("chat", specName="large"), item("embed")],
        [item("chat", specName="large", replicas=3, lifecycle={"preventDestroy": False}), item("embed")],
        [item("embed")],
        [item("embed"), item("talk", renamedFrom="chat", specName="large")],
    ],
)
def test_one_edit_does_not_lift_and_destroy(safe: Sandbox, declared: list[Any]) -> None:
    """Dropped and replaced, dropped and removed, dropped and renamed with a replacement."""
    safe.write("base.yaml", {"endpoints": declared})
    for flags in ((), ("--allow-delete", "1"), ("--allow-delete", "1", "--create-first")):
        is_refused(safe, "-f", "base.yaml", "apply", "--yes", "--allow-other-files", *flags)


@pytest.mark.parametrize(
    "words",
    [
        ("-f", "base.yaml", "destroy", "--yes"),
        ("-f", "other.yaml", "destroy", "--yes"),
        ("-f", "base.yaml", "-f", "prod.yaml", "destroy", "--yes"),
        ("-f", "base.yaml", "destroy", "--yes", "--target", "chat"),
        ("-f", "base.yaml", "plan", "--destroy"),
    ],
)
def test_destroy_asks_the_record(safe: Sandbox, words: tuple[str, ...]) -> None:
    """Whatever today's files say, or do not say."""
    is_refused(safe, *words, "--allow-other-files")
    assert safe.run("-f", "base.yaml", "delete", "chat", "--yes").code == 3


def test_protection_that_is_not_applied_yet_holds_too(sandbox: Sandbox) -> None:
    """Declared today and recorded by nobody: destroy heeds it."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.declare(item("chat", **SAFE))
    is_refused(sandbox, "destroy", "--yes")


def test_an_apply_that_changes_nothing_else_lifts_it(safe: Sandbox) -> None:
    """First the change alone, told as a note; then the apply with nothing to send; then it may go."""
    files = ("-f", "base.yaml", "-f", "prod.yaml")
    safe.write("prod.yaml", {"endpoints": [{"endpoint": "chat", "replicas": 2}]})
    ran = safe.run(*files, "apply", "--yes")
    assert (ran.code, safe.inventory["chat"]["prevent_destroy"]) == (0, True)
    assert "its protection remains until" in ran.err
    is_refused(safe, *files, "destroy", "--yes")
    ran = safe.run(*files, "plan", "--detailed-exitcode")
    assert ran.code == 0
    assert "its protection ends with this apply" in ran.err
    safe.apply(*files)
    assert "prevent_destroy" not in safe.inventory["chat"]
    before = (safe.root / "state/novita.json").read_bytes()
    safe.apply(*files)
    assert (safe.root / "state/novita.json").read_bytes() == before
    assert safe.run(*files, "destroy", "--yes").code == 0


def test_changes_by_hand_do_not_lift_it(safe: Sandbox) -> None:
    """scale and update leave the protection as it is."""
    assert safe.run("-f", "base.yaml", "scale", "chat", "2", "--yes").code == 0
    assert safe.run("-f", "base.yaml", "update", "chat", "--image", "a/b:2", "--yes").code == 0
    assert safe.inventory["chat"]["prevent_destroy"] is True
