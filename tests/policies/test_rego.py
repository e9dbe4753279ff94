"""Rules written for Terraform's plan JSON report_drift our plans as they are, in an embedded Rego engine."""

import json
from pathlib import Path

import pytest
from regopy import Interpreter

from tests.e2e.sandbox import Sandbox, item

POLICIES = Path(__file__).resolve().parents[2] / "examples" / "policies"
DIGEST = "ubuntu@sha256:" + "0" * 64


def denied(policy: str, document: object) -> list[str]:
    """What one policy has against a document, as conftest would print it."""
    rego = Interpreter()
    rego.add_module(policy, (POLICIES / f"{policy}.rego").read_text(encoding="utf-8"))
    rego.set_input(document)
    (answer,) = json.loads(str(rego.query("data.main.deny")))["expressions"]
    assert isinstance(answer, list), answer
    return answer


def judged(policy: str, sandbox: Sandbox, *args: str) -> list[str]:
    """What a policy has against the plan that `plan --json` prints now."""
    return denied(policy, sandbox.plan(*args).document)


def test_nothing_is_deleted(sandbox: Sandbox) -> None:
    """Updates pass, and what is removed or replaced does not."""
    sandbox.declare(item("a"), item("b"), item("c"))
    assert judged("deletions", sandbox) == []
    sandbox.apply()
    sandbox.declare(item("a", replicas=2), item("c", specName="large"))
    assert judged("deletions", sandbox) == [
        "novita_endpoint.b would be deleted",
        "novita_endpoint.c would be deleted",
    ]
    assert judged("deletions", sandbox, "--target", "a") == []


@pytest.mark.parametrize(
    "image", ["ubuntu:22.04", "registry:5000/acme/chat:1.4.2", DIGEST, f"{DIGEST[:6]}:1{DIGEST[6:]}"]
)
def test_a_pinned_image_passes(image: str, sandbox: Sandbox) -> None:
    """A tag, a tag behind a port, a digest, and both."""
    sandbox.declare(item("a", image=image))
    assert judged("images", sandbox) == []


@pytest.mark.parametrize("image", ["ubuntu", "ubuntu:latest", "registry:5000/acme/chat"])
def test_an_image_that_moves_is_denied(image: str, sandbox: Sandbox) -> None:
    """`after` names it: in a create, and in the update of an endpoint that had a pinned one."""
    says = [f"novita_endpoint.a: the image {image} is not pinned"]
    sandbox.declare(item("a", image=image))
    assert judged("images", sandbox) == says
    sandbox.declare(item("a"))
    sandbox.apply()
    sandbox.declare(item("a", image=image), item("b"))
    assert judged("images", sandbox) == says


def test_a_protected_endpoint_changes_by_hand(sandbox: Sandbox) -> None:
    """Its create, its scale and its delete are denied by name; unchanged it passes."""
    sandbox.declare(item("chat"), item("other"))
    says = ["novita_endpoint.chat is protected and would change"]
    assert judged("protected", sandbox) == says
    sandbox.apply()
    assert judged("protected", sandbox) == []
    sandbox.declare(item("chat", replicas=2), item("other", replicas=2))
    assert judged("protected", sandbox) == says
    sandbox.declare(item("other"))
    assert judged("protected", sandbox) == says


def test_a_plan_has_a_limit(sandbox: Sandbox) -> None:
    """Five changes pass and six do not; what stays as it is does not count."""
    sandbox.declare(*(item(f"e{number}") for number in range(6)))
    assert judged("blast_radius", sandbox) == ["6 endpoints would change, more than 5"]
    assert judged("blast_radius", sandbox, "--exclude", "e0") == []
    sandbox.apply()
    assert judged("blast_radius", sandbox) == []


def test_a_saved_plan_is_judged_like_a_printed_one(sandbox: Sandbox) -> None:
    """What is applied can be what was judged."""
    sandbox.declare(item("chat", image="ubuntu:1"))
    assert sandbox.run("plan", "--out", "the.plan").code == 0
    saved = json.loads((sandbox.root / "the.plan").read_text())
    for policy in sorted(path.stem for path in POLICIES.glob("*.rego")):
        assert denied(policy, saved) == judged(policy, sandbox)
