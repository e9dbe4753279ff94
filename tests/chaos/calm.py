"""How a story ends: no faults any more, two runs, and then everything is as it must be."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from reconciler.model.resource import Tracked
from tests.chaos import checks
from tests.chaos.declared import Declared
from tests.chaos.runs import SECRETS, TOKEN
from tests.chaos.stage import Stage


def calm(stage: Stage) -> None:
    """No faults any more: two runs, with the flags that are needed, and then nothing is left to do."""
    stage.novita.faults.clear()
    stage.novita.faults.at_random(seed=0, rate=0.0)
    stage.told.append("calm")
    _all_acted_on(stage)
    assert stage.runs.run("state", "fold") == 0, stage.report("the inventory cannot be folded")
    _delete_again(stage)
    _mend(stage)
    codes = []
    for _ in range(2):
        code = stage.runs.run("apply", "--yes")
        if code == 3:
            code = stage.runs.run("apply", "--yes", *_agreed(stage))
        codes.append(code)
    stage.told.append(f"  calm runs: {codes}")
    assert codes == [0, 0], stage.report(f"the calm runs ended with {codes}")
    code = stage.runs.run("plan", "--detailed-exitcode")
    assert code == 0, stage.report(f"the plan after two calm runs is not empty: exit {code}")
    log = stage.runs.out.read_text(errors="replace")
    found = list(checks.complaints(stage.model, stage.files, TOKEN))
    found += checks.traces(stage.folder, log, SECRETS)
    assert not found, stage.report("; ".join(found))


def _all_acted_on(stage: Stage) -> None:
    """Wait until Novita has acted on the last request of each run that was killed, and shows it."""
    deadline = time.monotonic() + 20
    while stage.novita.connections:
        assert time.monotonic() < deadline, stage.report("a connection stays open")
        time.sleep(0.005)
    time.sleep(stage.novita.world.profile.update_lag_seconds)


def _delete_again(stage: Stage) -> None:
    """Repeat each delete that was cut off after Novita had acted: nothing else forgets what has no YAML."""
    records, live = stage.model.state().records, stage.model.live()
    for name, hand in stage.model.by_hand.items():
        if hand.is_being_deleted and name in records and records[name].id not in live:
            code = stage.runs.run("delete", name, "--yes")
            stage.told.append(f"  delete {name} once more -> {code}")
            assert code == 0, stage.report("a delete cannot be repeated")
            hand.present = False


def _mend(stage: Stage) -> None:
    """What a person has to set right in the files before anything can be applied."""
    files = stage.same_again()
    records, live = stage.model.state().records, stage.model.live()
    changed = stage.fit(files)
    while (name := _impossible(files, records, live)) is not None:
        del files.items[name]["renamedFrom"]
        changed = True
    if changed:
        stage.told.append("the files are mended")
        stage.edit(files)


def _agreed(stage: Stage) -> list[str]:
    """The flags that the guards ask for, each of them with a reason that the story knows of."""
    stage.runs.run("plan", "--json", out=stage.folder / "0.json")
    plan = json.loads((stage.folder / "0.json").read_text())
    (stage.folder / "0.json").unlink()
    guards = {problem["code"] for problem in plan["problems"] if problem["severity"] == "error"}
    removals = sum("delete" in one["change"]["actions"] for one in plan["resource_changes"])
    reasons = _reasons(stage)
    stage.told.append(f"  guards: {sorted(guards)}")
    assert guards <= set(reasons), stage.report(f"guards {guards} without a reason; there are {set(reasons)}")
    flags = {
        "adopt-would-overwrite": ["--adopt"],
        "adopted-only": ["--allow-adopted"],
        "other-account": ["--allow-other-account"],
        "empty-desired-set": ["--allow-delete", str(removals)],
    }
    if "adopt-would-overwrite" in guards:
        stage.model.give(stage.takeable())
    stage.counts.update(f"guard: {guard}" for guard in guards)
    return [flag for guard in sorted(guards) for flag in flags[guard]]


def _reasons(stage: Stage) -> dict[str, Any]:
    """Guard -> what may trip it, where there is something."""
    state, live = stage.model.state(), stage.model.live()
    records = state.records
    alive = {name for name, record in records.items() if record.id in live}
    names = {one["name"] for one in stage.model.unrecorded().values()}
    found = {
        "adopt-would-overwrite": (names & stage.takeable()) - alive,
        "adopted-only": {name for name, record in records.items() if record.adopted},
        "other-account": len(records) >= 2 and not alive,
        "empty-desired-set": bool(records) and not stage.files.items,
    }
    return {guard: reason for guard, reason in found.items() if reason}


def _impossible(files: Declared, records: Mapping[str, Tracked], live: Mapping[str, Any]) -> str | None:
    """A name whose `renamedFrom` can come to nothing, as the account is now."""
    hints = {name: one["renamedFrom"] for name, one in files.items.items() if "renamedFrom" in one}
    for name, old in hints.items():
        own = records.get(name)
        if own is not None and own.renamed_from == old and not own.renaming:
            continue  # done, and left over
        is_there = own is not None and own.id in live
        is_declared = old in files.items and old not in hints
        if is_declared or (is_there and name not in hints.values()):
            return name
    return None
