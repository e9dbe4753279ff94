"""Plans on disk. A saved plan is a promise, not a script: it is made again and compared, never replayed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.inventory.disk import Disk, put
from reconciler.model.errors import InvalidConfig
from reconciler.model.exits import Exit
from reconciler.model.plan import Allowances, Plan
from reconciler.model.problem import Problem
from reconciler.model.values import Json, Keyring, digest
from reconciler.planning.digest import change_facts
from reconciler.planning.selection import Selection
from reconciler.render.json import plan_document
from reconciler.workflow.context import Context
from reconciler.workflow.planning import Planned

FORMAT = 1


def save_plan(context: Context, path: Path, planned: Planned, timestamp: str) -> None:
    """Write the plan without any secret. Raises InvalidConfig when the file cannot be written."""
    document = plan_document(planned.plan, planned.keyring, digest=planned.digest, timestamp=timestamp)
    document["saved_plan"] = {
        "format": FORMAT,
        "base_url": planned.base_url,
        "key": planned.keyring.id,
        "destroy": planned.destroying,
        "adopt": context.allow.adopt,
        "allow_delete": context.allow.deletes,
        "targets": list(planned.selection.targets),
        "excludes": list(planned.selection.excludes),
        "changes": _changes(planned.plan, planned.keyring),
    }
    try:
        put(Disk(), context.root / path, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise InvalidConfig(
            Problem(code="plan-not-saved", summary=f"cannot write {path}: {error.strerror or error}")
        ) from error


class SavedPlan:
    """What a plan file promises."""

    def __init__(self, path: Path, promise: Mapping[str, Any], recorded_digest: str) -> None:
        self.path = path
        self._promise = promise
        self._digest = recorded_digest

    @property
    def destroying(self) -> bool:
        return bool(self._promise["destroy"])

    def context(self, context: Context) -> Context:
        """The run's context with the options that the plan was made with."""
        promise = self._promise
        return replace(
            context,
            selection=Selection(targets=tuple(promise["targets"]), excludes=tuple(promise["excludes"])),
            allow=Allowances(adopt=promise["adopt"], deletes=promise["allow_delete"]),
        )

    def stale(self, now: Planned) -> Problem | None:
        """What moved since the plan was saved; None when it still holds."""
        moved = list(self._moved(now))
        if not moved and now.digest == self._digest:
            return None
        return Problem(
            code="stale-plan",
            summary=f"the saved plan {self.path} no longer holds",
            detail="\n".join(moved) or "the order of changes moved",
            hint=f"look at it again: reconciler plan --out {self.path}",
            exit_code=Exit.STALE,
        )

    def _moved(self, now: Planned) -> Iterator[str]:
        if self._promise["base_url"] != now.base_url:
            yield f"account: saved for {self._promise['base_url']}, this run talks to {now.base_url}"
        if self._promise["key"] != now.keyring.id:
            yield "account: saved under another API key (or RECONCILER_STATE_KEY)"
            return
        then, today = self._promise["changes"], _changes(now.plan, now.keyring)
        for address in sorted({*then, *today}):
            old, new = then.get(address), today.get(address)
            if old == new:
                continue
            was = old["action"] if old else "no change"
            is_now = new["action"] if new else "no change"
            what = f"{was} then, {is_now} now" if was != is_now else f"still {was}, with other values"
            yield f"{address}: {what}"


def read_saved(context: Context, path: Path) -> SavedPlan:
    """The promise in a plan file. Raises InvalidConfig when it is not one."""
    try:
        document = json.loads((context.root / path).read_text(encoding="utf-8"))
        promise = document["saved_plan"]
        if promise["format"] > FORMAT:
            raise InvalidConfig(
                Problem(
                    code="newer-plan",
                    summary=f"{path} was saved by a newer reconciler",
                    hint="upgrade, or plan again with this one",
                )
            )
        needed = ("base_url", "key", "destroy", "adopt", "allow_delete", "targets", "excludes", "changes")
        return SavedPlan(path, {key: promise[key] for key in needed}, document["digest"])
    except OSError as error:
        raise InvalidConfig(
            Problem(
                code="no-such-plan",
                summary=f"cannot read {path}: {error.strerror or error}",
                hint=f"save one with: reconciler plan --out {path}",
            )
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidConfig(
            Problem(
                code="not-a-plan",
                summary=f"{path} is not a saved plan",
                hint=f"save one with: reconciler plan --out {path}",
            )
        ) from error


def approval_of(saved: SavedPlan, refuse: Callable[[Problem], None]) -> Callable[[Planned], bool]:
    """Approves exactly what was saved; tells `refuse` what moved otherwise."""

    def approve(now: Planned) -> bool:
        moved = saved.stale(now)
        if moved is not None:
            refuse(moved)
        return moved is None

    return approve


def _changes(plan: Plan, keyring: Keyring) -> dict[str, Json]:
    return {
        change.address: {"action": change.action.value, "sha256": digest(change_facts(change, keyring))}
        for change in plan.pending
    }
