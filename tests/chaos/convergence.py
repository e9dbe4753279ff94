"""The end of a scenario: without faults, two runs must converge."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from reconciler.model.resource import Tracked
from tests.chaos import checks, store_faults
from tests.chaos.declarations import Declarations
from tests.chaos.processes import SECRETS, TOKEN
from tests.chaos.scenario import Scenario


def check_convergence(scenario: Scenario) -> None:
    """Stop all faults, apply twice with the options that guards need, and check that a plan is empty."""
    scenario.novita.faults.clear()
    scenario.novita.faults.at_random(seed=0, rate=0.0)
    scenario.steps.append("calm")
    store_faults.stop(scenario)
    _wait_for_pending_writes(scenario)
    assert scenario.runs.run("state", "fold") == 0, scenario.report("the inventory cannot be folded")
    _repeat_deletes(scenario)
    _repair_files(scenario)
    codes = []
    for _ in range(2):
        code = scenario.runs.run("apply", "--yes")
        if code == 3:
            code = scenario.runs.run("apply", "--yes", *_guard_options(scenario))
        codes.append(code)
    scenario.steps.append(f"  calm runs: {codes}")
    assert codes == [0, 0], scenario.report(f"the calm runs ended with {codes}")
    code = scenario.runs.run("plan", "--detailed-exitcode")
    assert code == 0, scenario.report(f"the plan after two calm runs is not empty: exit {code}")
    log = scenario.runs.out.read_text(errors="replace")
    found = list(checks.problems(scenario.model, scenario.files, TOKEN))
    found += checks.secrets_and_crashes(scenario.folder, log, SECRETS)
    found += checks.secrets_in_store(scenario.model.store, SECRETS)
    assert not found, scenario.report("; ".join(found))


def _wait_for_pending_writes(scenario: Scenario) -> None:
    """Wait until Novita has performed the last request of each killed run, and shows the result.

    An endpoint that was created and deleted within the lag of the listing would hold its app name unseen.
    """
    deadline = time.monotonic() + 60
    while scenario.novita.connections:
        assert time.monotonic() < deadline, scenario.report("a connection stays open")
        time.sleep(0.005)
    profile = scenario.novita.world.profile
    time.sleep(max(profile.update_lag_seconds, profile.list_lag_seconds))


def _repeat_deletes(scenario: Scenario) -> None:
    """Repeat each interrupted delete of an imperative endpoint, because no apply removes its record."""
    records, live = scenario.model.state().records, scenario.model.live()
    for name, hand in scenario.model.imperative.items():
        if hand.is_being_deleted and name in records and records[name].id not in live:
            code = scenario.runs.run("delete", name, "--yes")
            scenario.steps.append(f"  delete {name} once more -> {code}")
            assert code == 0, scenario.report("a delete cannot be repeated")
            hand.present = False


def _repair_files(scenario: Scenario) -> None:
    """Correct in the files what a person has to correct before an apply is possible."""
    files = scenario.copy_of_files()
    records, live = scenario.model.state().records, scenario.model.live()
    changed = scenario.fit(files)
    while (name := _impossible(files, records, live)) is not None:
        del files.items[name]["renamedFrom"]
        changed = True
    if changed:
        scenario.steps.append("the files are mended")
        scenario.edit(files)


def _guard_options(scenario: Scenario) -> list[str]:
    """Return the options that the guards ask for. Each guard must have a reason in the scenario."""
    scenario.runs.run("plan", "--json", out=scenario.folder / "0.json")
    plan = json.loads((scenario.folder / "0.json").read_text())
    (scenario.folder / "0.json").unlink()
    guards = {problem["code"] for problem in plan["problems"] if problem["severity"] == "error"}
    removals = sum("delete" in one["change"]["actions"] for one in plan["resource_changes"])
    reasons = _guard_reasons(scenario)
    scenario.steps.append(f"  guards: {sorted(guards)}")
    assert guards <= set(reasons), scenario.report(
        f"guards {guards} without a reason; there are {set(reasons)}"
    )
    flags = {
        "adopt-would-overwrite": ["--adopt"],
        "adopted-only": ["--allow-adopted"],
        "other-account": ["--allow-other-account"],
        "empty-desired-set": ["--allow-delete", str(removals)],
    }
    if "adopt-would-overwrite" in guards:
        scenario.model.allow_changes(scenario.adoptable_names())
    scenario.counts.update(f"guard: {guard}" for guard in guards)
    return [flag for guard in sorted(guards) for flag in flags[guard]]


def _guard_reasons(scenario: Scenario) -> dict[str, Any]:
    """Return guard -> the names that may trip it, if there are any."""
    state, live = scenario.model.state(), scenario.model.live()
    records = state.records
    alive = {name for name, record in records.items() if record.id in live}
    names = {one["name"] for one in scenario.model.unrecorded().values()}
    found = {
        "adopt-would-overwrite": (names & scenario.adoptable_names()) - alive,
        "adopted-only": {name for name, record in records.items() if record.adopted},
        "other-account": len(records) >= 2 and not alive,
        "empty-desired-set": bool(records) and not scenario.files.items,
    }
    return {guard: reason for guard, reason in found.items() if reason}


def _impossible(files: Declarations, records: Mapping[str, Tracked], live: Mapping[str, Any]) -> str | None:
    """Return a name whose `renamedFrom` is impossible with the account as it is."""
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
