"""The balance of the account, which `/metrics` shows."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from decimal import Decimal

from reconciler.controller.files import Files
from reconciler.controller.loop import Loop, LoopOptions
from reconciler.controller.observer import RoundEnd
from reconciler.controller.source import FolderSource
from reconciler.novita.http.client import CallInfo
from reconciler.simulator.faults import Fault
from tests.e2e.run.controller import Controller
from tests.e2e.sandbox import Sandbox, item


class Balances:
    """An observer that keeps the balance after each round."""

    def __init__(self) -> None:
        self.seen: list[Decimal | None] = []

    def span(self, name: str, **attributes: str | int) -> AbstractContextManager[None]:
        return nullcontext()

    def call(self, call: CallInfo) -> None:
        pass

    def ended(self, end: RoundEnd) -> None:
        self.seen.append(end.balance)


def at_rest(sandbox: Sandbox) -> Controller:
    """Return a controller that has nothing to change. A plan with changes reads the balance for itself."""
    sandbox.declare(item("chat"))
    sandbox.apply()
    return Controller(sandbox=sandbox)


def run_hours(controller: Controller, hours: float, *, reads_balance: bool = True) -> list[Decimal | None]:
    """Run rounds for some hours, and return the balance after each, without repetitions in a row."""
    balances = Balances()
    options = LoopOptions(poll=60.0, interval=600.0, observer=balances, reads_balance=reads_balance)
    context = replace(controller.context, now=controller.clock.now)
    loop = Loop(Files(FolderSource(context.root, context.files), context), controller.clock, options)
    controller.clock.at(hours, loop.stop)
    loop.run()
    assert len(balances.seen) > 6 * hours - 4
    return [one for one, last in zip(balances.seen, [Ellipsis, *balances.seen], strict=False) if one != last]


def test_the_balance_is_read_once_an_hour(sandbox: Sandbox) -> None:
    """It is no part of a round: what changes in between is seen an hour later."""
    controller = at_rest(sandbox)
    before = len(sandbox.sent("balance"))
    controller.clock.at(1.5, lambda: sandbox.sim.world.switch(balance=25_000))
    found = run_hours(controller, 3.9)
    assert found == [Decimal(100), Decimal("2.5")]
    reads = len(sandbox.sent("balance")) - before
    assert reads in (3, 4), "a round begins up to twelve minutes after the hour"


def test_a_balance_that_cannot_be_read_is_not_known(sandbox: Sandbox) -> None:
    """An old value would hide that the account has no money. The rounds go on, and try again in an hour."""
    controller = at_rest(sandbox)
    fault = Fault(operation="balance", status=500, times=None)
    controller.clock.at(0.5, lambda: sandbox.sim.faults.add(fault))
    controller.clock.at(2.5, sandbox.sim.faults.clear)
    assert run_hours(controller, 3.9) == [Decimal(100), None, Decimal(100)]
    assert controller.loop.state.paused == ()


def test_without_metrics_nobody_asks_for_the_balance(sandbox: Sandbox) -> None:
    controller = at_rest(sandbox)
    before = len(sandbox.sent("balance"))
    assert run_hours(controller, 2, reads_balance=False) == [None]
    assert len(sandbox.sent("balance")) == before
