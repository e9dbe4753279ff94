"""Changes that other users make in the account, and to the inventory."""

from __future__ import annotations

from random import Random

from tests.chaos.declarations import NAMES, PRODUCTS
from tests.chaos.scenario import Scenario


def create_unmanaged(scenario: Scenario, rng: Random) -> None:
    """Create an unmanaged endpoint under a name that is, or will be, declared."""
    state, live = scenario.model.state(), {one["name"] for one in scenario.model.live().values()}
    free = [name for name in NAMES if name not in live and name not in state.intents]
    if not free:
        return
    name = rng.choice(free)
    scenario.record_step("unmanaged endpoint", name)
    product, gpus = PRODUCTS[rng.choice(["small", "large"])]
    app = f"theirs-{len(scenario.steps)}"
    scenario.model.create_unmanaged(
        name=name, appName=app, products=[{"id": product}], workerConfig={"gpuNum": gpus}
    )
    scenario.model.allow_recreation([name])
    scenario.edit(scenario.copy_of_files())


def delete_managed(scenario: Scenario, rng: Random) -> None:
    owned = scenario.model.owned()
    if owned:
        name = rng.choice(sorted(owned))
        scenario.record_step("others delete ours", name)
        scenario.novita.world.console_delete(owned[name].id)
        scenario.model.allow_recreation([name])
        scenario.model.may_live.discard(owned[name].id)


def change_managed(scenario: Scenario, rng: Random) -> None:
    owned = scenario.model.owned()
    if owned:
        name = rng.choice(sorted(owned))
        scenario.record_step("others change a managed endpoint", name)
        scenario.novita.world.console_update(owned[name].id, image={"image": "drifted:1"})


def delete_inventory(scenario: Scenario, rng: Random) -> None:
    """Delete the inventory if each of its records is declared and live; other records would be lost."""
    state, owned = scenario.model.state(), scenario.model.owned()
    unneeded = set(state.records) <= set(owned) & set(scenario.files.items) and not state.intents
    hinted = any("renamedFrom" in one for one in scenario.files.items.values())
    if not unneeded or hinted or not owned:
        return
    scenario.record_step("the inventory is lost")
    scenario.under_test.reset()
    scenario.model.leases.clear()
    scenario.model.may_live |= {record.id for record in owned.values()}
    scenario.edit(scenario.copy_of_files())
