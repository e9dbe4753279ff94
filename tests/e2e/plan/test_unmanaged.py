"""E2: endpoints that somebody else made are counted in one line under a plan, and named with -v."""

from tests.e2e.sandbox import Sandbox, item


def test_many_unmanaged_endpoints_take_one_line(sandbox: Sandbox) -> None:
    """Nothing stands under errors; JSON has all of them."""
    others = {sandbox.sim.world.console_create(name=f"other-{number}") for number in range(30)}
    sandbox.declare(item("chat"))
    line = "30 endpoints of the account are not managed by this configuration"
    text = sandbox.run("plan").out
    assert "\nPlan: 1 to add, 0 to change, 0 to destroy.\n" in text
    assert text.endswith(f"\n\n{line} (-v lists them).\n")
    assert "other-" not in text
    named = sandbox.run("plan", "-v").out
    assert f"{line}:\n  other-0  [id=" in named
    assert sum(line.startswith("  other-") for line in named.splitlines()) == 30
    assert {one["id"] for one in sandbox.plan().document["unmanaged"]} == others
    sandbox.declare(item("chat", lifecycle={"preventDestroy": True}))
    sandbox.apply()
    assert f"\n{line} (-v lists them).\n" in sandbox.run("drift").out
    sandbox.declare(item("chat", specName="large", lifecycle={"preventDestroy": True}))
    refused = sandbox.run("plan")
    assert refused.code == 3
    assert "must be replaced" in refused.out
    assert "not managed" not in refused.out + refused.err
