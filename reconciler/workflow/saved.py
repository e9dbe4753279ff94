"""Plans on disk. A saved plan is a promise, not a script: it is made again and compared, never replayed.

Two files hold one: what `plan --out` writes for a reviewer, and what an approved apply leaves beside the
inventory until it is through, so that `--resume` can finish exactly that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from reconciler.inventory.disk import Disk, put
from reconciler.inventory.paths import beside, resolve
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.exits import Exit
from reconciler.model.plan import Action, Allowances, Change
from reconciler.model.problem import Problem
from reconciler.model.values import Json, Keyring, digest
from reconciler.planning.digest import change_facts
from reconciler.planning.selection import Selection
from reconciler.render.json import fields_document, plan_document
from reconciler.workflow.context import Context
from reconciler.workflow.planning import DECLARED, NOTHING, Goal, Planned

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What was promised: by whom it may be kept, and each change as it was to be.

    `changes` are facts by name. With `partly`, changes that are no longer pending count as done.
    """

    shown: str
    base_url: str
    key: str
    destroying: bool
    allow: Allowances
    changes: Mapping[str, Mapping[str, Any]]
    partly: bool = False

    @property
    def goal(self) -> Goal:
        return NOTHING if self.destroying else DECLARED

    def context(self, context: Context) -> Context:
        """The run's context with the options that the plan was made with, and about its endpoints alone."""
        return replace(context, selection=Selection(names=frozenset(self.changes)), allow=self.allow)

    def stale(self, now: Planned) -> Problem | None:
        """What moved since; None when the promise can be kept."""
        moved = list(self._moved(now))
        if not moved:
            return None
        return Problem(
            code="stale-plan",
            summary=f"{self.shown} no longer holds",
            detail="\n".join(moved),
            hint="reconciler plan   shows what would happen now",
            exit_code=Exit.STALE,
        )

    def _moved(self, now: Planned) -> Iterator[str]:
        if self.base_url != now.base_url:
            yield f"account: it was made for {self.base_url}, this run talks to {now.base_url}"
        if self.key != now.keyring.id:
            yield "account: it was made under another API key (or RECONCILER_STATE_KEY)"
            return
        pending = {change.name: change for change in now.plan.pending}
        for name in sorted({*self.changes, *pending}):
            old, change = self.changes.get(name), pending.get(name)
            new = _facts(change, now.keyring) if change else None
            if old is None or new is None:
                if not (self.partly and new is None):
                    yield f"{name}: {_action(old)} then, {_action(new)} now"
            elif old["sha256"] != new["sha256"] and not (self.partly and _is_remainder(old, new)):
                yield from _difference(name, old, new)


def save_plan(context: Context, path: Path, planned: Planned, timestamp: str) -> None:
    """Write the plan without any secret.

    Raises InvalidConfig when the file cannot be written, or when it is there and is no plan: a slip of the
    finger must not cost anybody their configuration.
    """
    if (context.root / path).exists() and not _holds_plan(context.root / path):
        raise InvalidConfig(
            Problem(
                code="plan-not-saved",
                summary=f"{path} is there already and is no saved plan",
                hint="name another file: reconciler plan --out the.plan",
            )
        )
    document = plan_document(planned.plan, planned.keyring, digest=planned.digest, timestamp=timestamp)
    document["saved_plan"] = _promise(context, planned)
    try:
        put(Disk(), context.root / path, json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
    except OSError as error:
        raise InvalidConfig(
            Problem(code="plan-not-saved", summary=f"cannot write {path}: {error.strerror or error}")
        ) from error


def _holds_plan(path: Path) -> bool:
    try:
        return not path.read_bytes() or "saved_plan" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def promise(context: Context, planned: Planned) -> None:
    """Leave word of what was approved, for `--resume`; the inventory's lock is held."""
    path = _approved(context)
    document = {"saved_plan": _promise(context, planned)}
    try:
        put(Disk(), path, json.dumps(document, ensure_ascii=False).encode())
    except OSError as error:
        raise InventoryError(
            Problem(code="inventory-unwritable", summary=f"cannot write {path}: {error.strerror or error}")
        ) from error


def redeem(context: Context) -> None:
    """All that was approved is done: there is nothing to resume."""
    _approved(context).unlink(missing_ok=True)


def read_saved(context: Context, path: Path) -> SavedPlan:
    """The promise in a plan file. Raises InvalidConfig when it is not one."""
    return _read(
        context.root / path,
        shown=f"the saved plan {path}",
        hint=f"save one with: reconciler plan --out {path}",
    )


def read_approved(context: Context) -> SavedPlan:
    """What the last apply was approved to do and did not finish. Raises InvalidConfig when there is none."""
    path = _approved(context)
    if not path.exists():
        raise InvalidConfig(
            Problem(
                code="nothing-to-resume",
                summary="nothing was left unfinished",
                hint="reconciler plan   shows whether there is anything to do",
            )
        )
    found = _read(path, shown="what was approved", hint="plan and approve anew: reconciler apply")
    return replace(found, partly=True)


def approval_of(saved: SavedPlan, refuse: Callable[[Problem], None]) -> Callable[[Planned], bool]:
    """Approves exactly what was saved; tells `refuse` what moved otherwise."""

    def approve(now: Planned) -> bool:
        moved = saved.stale(now)
        if moved is not None:
            refuse(moved)
        return moved is None

    return approve


def _promise(context: Context, planned: Planned) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "base_url": planned.base_url,
        "key": planned.keyring.id,
        "destroy": planned.destroying,
        "adopt": context.allow.adopt,
        "allow_delete": context.allow.deletes,
        "no_delete": context.allow.no_delete,
        "create_first": context.allow.create_first,
        "changes": {change.name: _facts(change, planned.keyring) for change in planned.plan.pending},
    }


def _read(path: Path, *, shown: str, hint: str) -> SavedPlan:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["saved_plan"]
        if found["format"] > FORMAT:
            raise InvalidConfig(
                Problem(
                    code="newer-plan",
                    summary=f"{shown} was made by a newer reconciler",
                    hint="upgrade, or plan again with this one",
                )
            )
        return SavedPlan(
            shown=shown,
            base_url=found["base_url"],
            key=found["key"],
            destroying=found["destroy"],
            allow=Allowances(
                adopt=found["adopt"],
                deletes=found["allow_delete"],
                no_delete=found["no_delete"],
                create_first=found["create_first"],
            ),
            changes={name: _checked(facts) for name, facts in found["changes"].items()},
        )
    except OSError as error:
        problem = Problem(
            code="no-such-plan", summary=f"cannot read {path.name}: {error.strerror or error}", hint=hint
        )
        raise InvalidConfig(problem) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidConfig(
            Problem(code="not-a-plan", summary=f"{path.name} is no plan", hint=hint)
        ) from error


def _checked(facts: Any) -> Mapping[str, Any]:
    """Facts of the right shape; raises KeyError or TypeError otherwise."""
    return {key: facts[key] for key in ("action", "sha256", "bodies", "fields")}


def _approved(context: Context) -> Path:
    return beside(resolve(context.state_path), ".approved.json")


def _facts(change: Change, keyring: Keyring) -> dict[str, Json]:
    facts = change_facts(change, keyring)
    return {
        "action": change.action.value,
        "sha256": digest(facts),
        "bodies": [fingerprint for _, _, fingerprint in facts["requests"]],
        "fields": fields_document(change.fields),
    }


def _is_remainder(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether what is pending is the second half of a replacement whose first half is done."""
    return bool(
        old["action"] == Action.REPLACE
        and new["action"] == Action.CREATE
        and old["bodies"][-1:] == new["bodies"]
    )


def _difference(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What moved about one change, field by field."""
    if old["action"] != new["action"]:
        yield f"{name}: {_action(old)} then, {_action(new)} now"
        return
    then, now = ({tuple(field["path"]): field for field in facts["fields"]} for facts in (old, new))
    moved = [path for path in sorted({*then, *now}) if _sides(then.get(path)) != _sides(now.get(path))]
    hidden = [path for path in then if path in now and path not in moved and then[path]["sensitive"]]
    yield f"{name}: {_action(old)} then and now, but not the same"
    for path in moved:
        yield f"  {'.'.join(path)}: {_shown(then.get(path))} then, {_shown(now.get(path))} now"
    if not moved:
        which = ", ".join(".".join(path) for path in hidden)
        yield (
            f"  {which}: another secret" if which else "  the object or what is carried along with the change"
        )


def _action(facts: Mapping[str, Any] | None) -> str:
    return str(facts["action"]) if facts else "no change"


def _sides(field: Mapping[str, Any] | None) -> object:
    return (field["before"], field["after"]) if field else None


def _shown(field: Mapping[str, Any] | None) -> str:
    if field is None:
        return "unchanged"
    before, after = (json.dumps(field[side], ensure_ascii=False) for side in ("before", "after"))
    return f"{before} -> {after}"
