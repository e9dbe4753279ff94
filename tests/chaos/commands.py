"""The commands of a scenario. A run may be interrupted, and may run beside others."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.chaos import store_faults
from tests.chaos.declarations import NAMES
from tests.chaos.model import Imperative
from tests.chaos.processes import ENDED, Interruption
from tests.chaos.scenario import Scenario

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


def run_with_interruptions(scenario: Scenario, rng: Random, *words: str) -> tuple[int, bool]:
    """Run a command, perhaps interrupted or beside others; return its exit code, and whether it was alone."""
    interruption = Interruption(rng, scenario.novita) if rng.random() < 0.6 else None
    if interruption:
        store_faults.move_interruption(scenario, interruption)
    pid = scenario.runs.start(*words)
    if interruption:
        scenario.counts[f"{interruption.number.name} arranged"] += 1
        scenario.steps.append(f"  {interruption.description}")
        interruption.set_process(pid)
    others = []
    if rng.random() < 0.3:
        for _ in range(rng.choice([1, 1, 2])):
            more = concurrent_command(scenario, rng)
            scenario.record_step(f"beside: {more[0]}", " ".join(more))
            others.append(scenario.runs.start(*more))
    code = scenario.runs.wait(pid)
    if interruption:
        interruption.process_ended()
        if code == 130 or code < 0:
            scenario.counts[f"{interruption.number.name} hit"] += 1
    codes = [code, *(scenario.runs.wait(other) for other in others)]
    scenario.steps.append(f"  {' '.join(words)} -> {codes}")
    if min(codes) < 0:
        store_faults.after_kill(scenario)
    assert set(codes) <= ENDED, scenario.report(f"a run ended with {codes}")
    return code, not others


def concurrent_command(scenario: Scenario, rng: Random) -> tuple[str, ...]:
    """Return a command for a concurrent run, and record its consequences in the model."""
    kind = rng.choice(BESIDE)
    name, hand = rng.choice(NAMES), rng.choice(HANDS)
    match kind:
        case "apply":
            return apply_command(scenario, rng)
        case "scale":
            scenario.model.allow_changes([name])
            return "scale", name, "2", "--yes"
        case "update":
            uncertain_imperative(scenario, hand).images.add("img:9")
            return "update", hand, "--image", "img:9", "--yes"
        case "deploy":
            uncertain_imperative(scenario, hand).images.add("img:8")
            return "deploy", hand, "--image", "img:8", "--spec", "small", "--yes"
        case "delete":
            scenario.model.allow_changes([name])
            scenario.model.allow_recreation([name])
            return "delete", name, "--yes"
        case "plan":
            scenario.plans.append(f"{len(scenario.plans)}.plan")
            return "plan", "--out", scenario.plans[-1]
        case "fold":
            return "state", "fold"
        case "resume":
            scenario.model.allow_recreation()
            scenario.model.allow_changes(NAMES)
            return "apply", "--resume", "--yes"
        case _:
            return (kind,)


def uncertain_imperative(scenario: Scenario, hand: str) -> Imperative:
    found = scenario.model.imperative.setdefault(hand, Imperative())
    if found.present is False:
        found.present = None
    return found


def apply_command(scenario: Scenario, rng: Random) -> tuple[str, ...]:
    flags = rng.choice(APPLIES)
    if "--adopt" in flags:
        scenario.model.allow_changes(scenario.adoptable_names())
    return "apply", "--yes", *flags


def apply(scenario: Scenario, rng: Random) -> None:
    words = apply_command(scenario, rng)
    scenario.record_step(" ".join(("apply", *words[2:3])))
    run_with_interruptions(scenario, rng, *words)


def resume(scenario: Scenario, rng: Random) -> None:
    scenario.record_step("apply --resume")
    scenario.model.allow_changes(NAMES)
    run_with_interruptions(scenario, rng, "apply", "--resume", "--yes")
    scenario.model.allow_recreation()
    scenario.model.edited(scenario.files, scenario.files)


def save_a_plan(scenario: Scenario, rng: Random) -> None:
    scenario.record_step("plan --out")
    name = f"{len(scenario.plans)}.plan"
    if scenario.runs.run("plan", "--out", name, *rng.choice(APPLIES[:-1])) in (0, 3):
        scenario.plans.append(name)


def apply_a_saved_plan(scenario: Scenario, rng: Random) -> None:
    if not scenario.plans:
        return save_a_plan(scenario, rng)
    scenario.record_step("apply FILE")
    scenario.model.allow_changes(scenario.adoptable_names())
    before = scenario.runs.writes()
    code, alone = run_with_interruptions(scenario, rng, "apply", rng.choice(scenario.plans))
    scenario.counts[f"apply FILE -> {code}"] += 1
    if code == 6 and alone:
        assert scenario.runs.writes() == before, scenario.report("a stale plan was performed")
    return None


def rollback(scenario: Scenario, rng: Random) -> None:
    name = rng.choice(sorted({*scenario.model.owned(), "ep-0"}))
    scenario.record_step("rollback", name)
    scenario.model.allow_changes([name])
    scenario.model.allow_recreation([name])
    run_with_interruptions(
        scenario, rng, "rollback", name, "--yes", *rng.choice([[], ["--allow-delete", "1"]])
    )


def lease(scenario: Scenario, rng: Random) -> None:
    name = rng.choice(sorted({*scenario.model.owned(), "ep-0"}))
    scenario.record_step("lease", name)
    low, high = rng.choice([(1, 2), (0, 7), (2, 5)])
    scenario.model.allow_changes([name])
    record = scenario.model.owned().get(name)
    why = ("--for", "6h", "--why", "launch day")
    code, alone = run_with_interruptions(
        scenario, rng, "scale", name, "--min", str(low), "--max", str(high), *why, "--yes"
    )
    if record:
        scenario.model.leases.pop(record.id, None)
        if code == 0 and alone:
            scenario.model.leases[record.id] = (low, high)


def end_lease(scenario: Scenario, rng: Random) -> None:
    leased = [name for name, record in scenario.model.owned().items() if record.lease]
    name = rng.choice(sorted({*leased, "ep-0"}))
    scenario.record_step("scale --end-lease", name)
    scenario.model.allow_changes([name])
    if record := scenario.model.owned().get(name):
        scenario.model.leases.pop(record.id, None)
    run_with_interruptions(scenario, rng, "scale", name, "--end-lease", "--yes")


def deploy(scenario: Scenario, rng: Random) -> None:
    name, image = rng.choice(HANDS), f"img:{rng.randrange(3)}"
    scenario.record_step("deploy", name)
    hand = uncertain_imperative(scenario, name)
    hand.images.add(image)
    code, alone = run_with_interruptions(
        scenario, rng, "deploy", name, "--image", image, "--spec", "small", "--env", "HAND", "--yes"
    )
    if code == 0 and alone:
        hand.present, hand.images, hand.is_being_deleted = True, {image}, False


def update(scenario: Scenario, rng: Random) -> None:
    name, image = rng.choice(HANDS), f"img:{rng.randrange(3, 6)}"
    scenario.record_step("update", name)
    hand = scenario.model.imperative.setdefault(name, Imperative())
    hand.images.add(image)
    code, alone = run_with_interruptions(
        scenario, rng, "update", name, "--image", image, "--env", "HAND", "--yes"
    )
    if code == 0 and alone:
        hand.present, hand.images, hand.is_being_deleted = True, {image}, False


def scale(scenario: Scenario, rng: Random, *more: str) -> None:
    name = rng.choice((*NAMES, *HANDS))
    scenario.record_step(f"scale {' '.join(more)}".rstrip(), name)
    scenario.model.allow_changes([name])
    run_with_interruptions(scenario, rng, "scale", name, str(rng.randrange(3)), "--yes", *more)


def drain(scenario: Scenario, rng: Random) -> None:
    scale(scenario, rng, "--drain")


def delete(scenario: Scenario, rng: Random) -> None:
    name = rng.choice((*NAMES[:2], *HANDS))
    scenario.record_step("delete", name)
    scenario.model.allow_changes([name])
    scenario.model.allow_recreation([name])
    hand = scenario.model.imperative.get(name)
    if hand and hand.present is not False:
        hand.present, hand.is_being_deleted = None, True
    code, alone = run_with_interruptions(scenario, rng, "delete", name, "--yes")
    if hand and code == 0 and alone:
        hand.present = False
