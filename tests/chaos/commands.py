"""What runs: each command perhaps cut off, perhaps beside others, and what it promises from then on."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.chaos.declared import NAMES
from tests.chaos.model import ByHand
from tests.chaos.runs import ENDED, Ending
from tests.chaos.stage import Stage

HANDS: Final = ("hand-0", "hand-1")
APPLIES: Final[tuple[tuple[str, ...], ...]] = (
    (),
    (),
    ("--create-first",),
    ("--adopt",),
    ("--allow-adopted",),
    ("--no-delete",),
    ("--parallelism", "1"),
)
BESIDE: Final = ("apply", "apply", "scale", "update", "deploy", "plan", "fold", "recover", "resume", "delete")


def troubled(stage: Stage, dice: Random, *words: str) -> tuple[int, bool]:
    """One run, perhaps cut off, perhaps beside one or two others; its code, and whether it was alone."""
    ending = Ending(dice, stage.novita) if dice.random() < 0.6 else None
    pid = stage.runs.start(*words)
    if ending:
        stage.counts[f"{ending.number.name} arranged"] += 1
        stage.told.append(f"  {ending.told}")
        ending.is_for(pid)
    others = []
    if dice.random() < 0.3:
        for _ in range(dice.choice([1, 1, 2])):
            more = beside(stage, dice)
            stage.tell(f"beside: {more[0]}", " ".join(more))
            others.append(stage.runs.start(*more))
    code = stage.runs.wait(pid)
    if ending:
        ending.is_over()
        if code == 130 or code < 0:
            stage.counts[f"{ending.number.name} hit"] += 1
    codes = [code, *(stage.runs.wait(other) for other in others)]
    stage.told.append(f"  {' '.join(words)} -> {codes}")
    assert set(codes) <= ENDED, stage.report(f"a run ended with {codes}")
    return code, not others


def beside(stage: Stage, dice: Random) -> tuple[str, ...]:
    """A command for a second run, its consequences noted."""
    kind = dice.choice(BESIDE)
    name, hand = dice.choice(NAMES), dice.choice(HANDS)
    match kind:
        case "apply":
            return applying(stage, dice)
        case "scale":
            stage.model.give([name])
            return "scale", name, "2", "--yes"
        case "update":
            unsure(stage, hand).images.add("img:9")
            return "update", hand, "--image", "img:9", "--yes"
        case "deploy":
            unsure(stage, hand).images.add("img:8")
            return "deploy", hand, "--image", "img:8", "--spec", "small", "--yes"
        case "delete":
            stage.model.give([name])
            stage.model.disturbed([name])
            return "delete", name, "--yes"
        case "plan":
            stage.plans.append(f"{len(stage.plans)}.plan")
            return "plan", "--out", stage.plans[-1]
        case "fold":
            return "state", "fold"
        case "resume":
            stage.model.disturbed()
            stage.model.give(NAMES)
            return "apply", "--resume", "--yes"
        case _:
            return (kind,)


def unsure(stage: Stage, hand: str) -> ByHand:
    found = stage.model.by_hand.setdefault(hand, ByHand())
    if found.present is False:
        found.present = None
    return found


def applying(stage: Stage, dice: Random) -> tuple[str, ...]:
    flags = dice.choice(APPLIES)
    if "--adopt" in flags:
        stage.model.give(stage.takeable())
    return "apply", "--yes", *flags


def apply(stage: Stage, dice: Random) -> None:
    words = applying(stage, dice)
    stage.tell(" ".join(("apply", *words[2:3])))
    troubled(stage, dice, *words)


def resume(stage: Stage, dice: Random) -> None:
    stage.tell("apply --resume")
    stage.model.give(NAMES)
    troubled(stage, dice, "apply", "--resume", "--yes")
    stage.model.disturbed()
    stage.model.edited(stage.files, stage.files)


def save_a_plan(stage: Stage, dice: Random) -> None:
    stage.tell("plan --out")
    name = f"{len(stage.plans)}.plan"
    if stage.runs.run("plan", "--out", name, *dice.choice(APPLIES[:-1])) in (0, 3):
        stage.plans.append(name)


def apply_a_saved_plan(stage: Stage, dice: Random) -> None:
    if not stage.plans:
        return save_a_plan(stage, dice)
    stage.tell("apply FILE")
    stage.model.give(stage.takeable())
    before = stage.runs.writes()
    code, alone = troubled(stage, dice, "apply", dice.choice(stage.plans))
    stage.counts[f"apply FILE -> {code}"] += 1
    if code == 6 and alone:
        assert stage.runs.writes() == before, stage.report("a stale plan was performed")
    return None


def rollback(stage: Stage, dice: Random) -> None:
    name = dice.choice(sorted({*stage.model.owned(), "ep-0"}))
    stage.tell("rollback", name)
    stage.model.give([name])
    stage.model.disturbed([name])
    troubled(stage, dice, "rollback", name, "--yes", *dice.choice([[], ["--allow-delete", "1"]]))


def lease(stage: Stage, dice: Random) -> None:
    name = dice.choice(sorted({*stage.model.owned(), "ep-0"}))
    stage.tell("lease", name)
    low, high = dice.choice([(1, 2), (0, 7), (2, 5)])
    stage.model.give([name])
    record = stage.model.owned().get(name)
    why = ("--for", "6h", "--why", "launch day")
    code, alone = troubled(stage, dice, "scale", name, "--min", str(low), "--max", str(high), *why, "--yes")
    if record:
        stage.model.leases.pop(record.id, None)
        if code == 0 and alone:
            stage.model.leases[record.id] = (low, high)


def end_lease(stage: Stage, dice: Random) -> None:
    leased = [name for name, record in stage.model.owned().items() if record.lease]
    name = dice.choice(sorted({*leased, "ep-0"}))
    stage.tell("scale --end-lease", name)
    stage.model.give([name])
    if record := stage.model.owned().get(name):
        stage.model.leases.pop(record.id, None)
    troubled(stage, dice, "scale", name, "--end-lease", "--yes")


def deploy(stage: Stage, dice: Random) -> None:
    name, image = dice.choice(HANDS), f"img:{dice.randrange(3)}"
    stage.tell("deploy", name)
    hand = unsure(stage, name)
    hand.images.add(image)
    code, alone = troubled(
        stage, dice, "deploy", name, "--image", image, "--spec", "small", "--env", "HAND", "--yes"
    )
    if code == 0 and alone:
        hand.present, hand.images, hand.is_being_deleted = True, {image}, False


def update(stage: Stage, dice: Random) -> None:
    name, image = dice.choice(HANDS), f"img:{dice.randrange(3, 6)}"
    stage.tell("update", name)
    hand = stage.model.by_hand.setdefault(name, ByHand())
    hand.images.add(image)
    code, alone = troubled(stage, dice, "update", name, "--image", image, "--env", "HAND", "--yes")
    if code == 0 and alone:
        hand.present, hand.images, hand.is_being_deleted = True, {image}, False


def scale(stage: Stage, dice: Random, *more: str) -> None:
    name = dice.choice((*NAMES, *HANDS))
    stage.tell(f"scale {' '.join(more)}".rstrip(), name)
    stage.model.give([name])
    troubled(stage, dice, "scale", name, str(dice.randrange(3)), "--yes", *more)


def drain(stage: Stage, dice: Random) -> None:
    scale(stage, dice, "--drain")


def delete(stage: Stage, dice: Random) -> None:
    name = dice.choice((*NAMES[:2], *HANDS))
    stage.tell("delete", name)
    stage.model.give([name])
    stage.model.disturbed([name])
    hand = stage.model.by_hand.get(name)
    if hand and hand.present is not False:
        hand.present, hand.is_being_deleted = None, True
    code, alone = troubled(stage, dice, "delete", name, "--yes")
    if hand and code == 0 and alone:
        hand.present = False
