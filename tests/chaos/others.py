"""What others do in the account, and to the inventory."""

from __future__ import annotations

from random import Random

from tests.chaos import declared
from tests.chaos.declared import NAMES
from tests.chaos.stage import Stage


def stranger(stage: Stage, dice: Random) -> None:
    """Somebody makes an endpoint under a name that is, or will be, declared."""
    state, live = stage.model.state(), {one["name"] for one in stage.model.live().values()}
    free = [name for name in NAMES if name not in live and name not in state.intents]
    if not free:
        return
    name = dice.choice(free)
    stage.tell("a stranger's endpoint", name)
    product, gpus = declared.PRODUCTS[dice.choice(["small", "large"])]
    app = f"theirs-{len(stage.told)}"
    stage.model.stranger(name=name, appName=app, products=[{"id": product}], workerConfig={"gpuNum": gpus})
    stage.model.disturbed([name])
    stage.edit(stage.same_again())


def delete_ours(stage: Stage, dice: Random) -> None:
    owned = stage.model.owned()
    if owned:
        name = dice.choice(sorted(owned))
        stage.tell("others delete ours", name)
        stage.novita.world.console_delete(owned[name].id)
        stage.model.disturbed([name])
        stage.model.may_live.discard(owned[name].id)


def change_ours(stage: Stage, dice: Random) -> None:
    owned = stage.model.owned()
    if owned:
        name = dice.choice(sorted(owned))
        stage.tell("others change ours", name)
        stage.novita.world.console_update(owned[name].id, image={"image": "drifted:1"})


def lose_the_inventory(stage: Stage, dice: Random) -> None:
    """Only where all that it says is declared and live: what else it knows would be lost with it."""
    state, owned = stage.model.state(), stage.model.owned()
    unneeded = set(state.records) <= set(owned) & set(stage.files.items) and not state.intents
    hinted = any("renamedFrom" in one for one in stage.files.items.values())
    if not unneeded or hinted or not owned:
        return
    stage.tell("the inventory is lost")
    for path in (stage.folder / "state").iterdir():
        path.unlink()
    stage.model.leases.clear()
    stage.model.may_live |= {record.id for record in owned.values()}
    stage.edit(stage.same_again())
