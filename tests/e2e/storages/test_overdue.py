"""An account without money loses its storages after three days: doctor and drift say so before."""

from reconciler.simulator.faults import parse_fault
from tests.e2e.sandbox import Sandbox, item

from .support import live, storage


def asked(sandbox: Sandbox) -> int:
    """Return how often the balance was asked."""
    return len(sandbox.sent("balance"))


def test_drift_warns_of_the_storages_that_will_be_released(sandbox: Sandbox) -> None:
    """With their names; it is no drift."""
    sandbox.declare(storages=[storage(), storage("models")])
    sandbox.apply()
    assert "balance" not in sandbox.run("drift").err
    for balance in (0, -5_000):
        sandbox.sim.world.switch(balance=balance)
        ran = sandbox.run("drift")
        assert ran.code == 0
        assert f"the balance is {balance / 10_000:.2f} USD" in ran.err
        assert "`weights`" in ran.err
        assert "`models`" in ran.err
        assert "will be released" in ran.err
    document = sandbox.run("drift", "--json").document
    assert [one["code"] for one in document["problems"]] == ["storages-at-risk"]


def test_without_storages_nobody_asks_for_the_balance(sandbox: Sandbox) -> None:
    """Neither drift nor a plan without changes does."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    sandbox.sim.world.switch(balance=0)
    before = asked(sandbox)
    assert "balance" not in sandbox.run("drift").err
    sandbox.run("plan")
    assert asked(sandbox) == before


def test_a_balance_that_cannot_be_read_fails_nothing(sandbox: Sandbox) -> None:
    """The comparison goes on as before."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    sandbox.sim.faults.add(parse_fault("balance:503:always"))
    ran = sandbox.run("drift")
    assert (ran.code, "balance" in ran.err) == (0, False)
    assert asked(sandbox) > 0


def test_doctor_names_them_too(sandbox: Sandbox) -> None:
    """In the check of the balance."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    sandbox.sim.world.switch(balance=0)
    ran = sandbox.run("doctor")
    assert "the storage `weights` will be released after three days, with all data" in ran.out + ran.err


def test_after_three_days_the_plan_says_that_the_data_is_gone(sandbox: Sandbox) -> None:
    """The account is topped up too late."""
    sandbox.declare(storages=[storage()])
    sandbox.apply()
    sandbox.sim.world.switch(balance=0, release_seconds=0.0)
    sandbox.run("drift")
    assert live(sandbox) == {}
    sandbox.sim.world.switch(balance=10_000)
    ran = sandbox.run("plan")
    assert "which is gone with all its data" in ran.err
    assert "Plan: 1 to add" in ran.out
