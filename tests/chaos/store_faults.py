"""The faults of the store in a scenario. A file has none of its own: its runs are killed like all others."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from tests.stores.relay import Fate

if TYPE_CHECKING:
    from tests.chaos.processes import Interruption
    from tests.chaos.scenario import Scenario

FATES: Final[tuple[Fate, ...]] = ("arrives", "is lost", "answer is lost")


def disturb(scenario: Scenario) -> None:
    """Lose some requests to the store, and some answers."""
    relay = scenario.under_test.relay
    if relay is None:
        return
    dice = scenario.store_dice
    rate, slow = dice.choice([0.0, 0.0, 0.01, 0.04]), dice.choice([0.0, 0.0, 0.005])
    scenario.record_step(f"store: loses {rate:.0%}, slower by {1000 * slow:.0f} ms")
    scenario.store_rate, relay.delay = rate, slow
    _lose(scenario, dice)


def move_interruption(scenario: Scenario, interruption: Interruption) -> None:
    """Send the signal at a request to the store, in half of the cases."""
    relay = scenario.under_test.relay
    dice = scenario.store_dice
    if relay is None or dice.random() < 0.5:
        return
    last, fate = dice.choice([1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 30]), dice.choice(FATES)
    scenario.record_step(f"signal at a request to the store that {fate}", f"({last})")

    def hook(number: int) -> Fate:
        if number == last:
            interruption.send()
            return fate
        return "arrives"

    relay.count_again(hook)


def after_kill(scenario: Scenario) -> None:
    """Free the lock of a run that was killed, in most cases; else it stays until its time is over."""
    if scenario.under_test.relay is None:
        return
    _lose(scenario, scenario.store_dice)
    if scenario.store_dice.random() < 0.8:
        scenario.under_test.free_lock()
    else:
        scenario.record_step("the lock of a killed run stays")


def stop(scenario: Scenario) -> None:
    """Pass everything on, and free the lock."""
    if scenario.under_test.relay is not None:
        scenario.under_test.relay.calm()
        scenario.under_test.free_lock()


def _lose(scenario: Scenario, dice: Random) -> None:
    relay, rate = scenario.under_test.relay, scenario.store_rate
    assert relay

    def hook(_: int) -> Fate:
        return dice.choice(FATES[1:]) if dice.random() < rate else "arrives"

    relay.count_again(hook)
