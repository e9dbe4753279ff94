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

from reconciler.inventory.files import FileSystem, read_regular_file, replace_file, write_user_file
from reconciler.model.command import SharedOptions, command_line
from reconciler.model.encoding import json_bytes, json_indented
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.settings import Allowances
from reconciler.model.values import Json
from reconciler.planning.selection import Selection
from reconciler.reports.run.json_plan import plan_document
from reconciler.workflow.drift import restoring
from reconciler.workflow.plan import DECLARED, NOTHING, Goal, PlanResult
from reconciler.workflow.rollback import rollback_goal
from reconciler.workflow.runtime.account import SIMULATOR_URL, base_url, valid_settings
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.git import check_commit
from reconciler.workflow.saved_plan.change_facts import (
    Facts,
    difference,
    facts_from_json,
    facts_of,
    is_remainder,
    of_type,
)
from reconciler.workflow.saved_plan.origin import Origin, applying, approved_file

FORMAT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """What was promised: by whom it may be kept, and each change as it was to be, by name.

    `run` is this run in the folder of the plan `file`, with the options that it was made with. `commit` is
    the one that it is bound to, `back_to` the name and the version of a rollback, `restoring` the endpoints
    of a `drift revert`. With `partly`, changes that are no longer pending count as done.
    """

    shown: str
    file: Path
    run: Context
    origin: Origin
    base_url: str
    key: str
    destroying: bool
    allow: Allowances
    changes: Mapping[str, Facts]
    commit: str | None = None
    back_to: tuple[str, int] | None = None
    restoring: tuple[str, ...] = ()
    partly: bool = False

    @property
    def options(self) -> SharedOptions:
        """The shared options that the plan was made with, for the commands that this run prints."""
        return self.run.options

    def goal(self) -> Goal:
        """What the plan worked towards. Raises InvalidConfig when that version is no longer known."""
        if self.back_to is not None:
            _, goal, _ = rollback_goal(self.run, *self.back_to)
            return goal
        if self.restoring:
            return restoring(self.context(), self.restoring)
        return NOTHING if self.destroying else DECLARED

    def context(self) -> Context:
        """The run with the options that the plan was made with, and about its endpoints alone.

        Raises InvalidConfig when it was made for another account than this, or is bound to another commit.
        """
        url = base_url(valid_settings(self.run))
        if url != self.base_url:
            raise InvalidConfig(self._other_account(url))
        if self.commit is not None:
            check_commit(self.run, self.commit, self.shown)
        names = frozenset((*self.changes, *(self._deposed() if self.partly else ())))
        return replace(
            self.run,
            selection=Selection(names=names, part=self.run.selection.is_part),
            allow=self.allow,
            commit=self.commit,
            plan_command=() if self.partly else self._plan_command(),
        )

    def _plan_command(self) -> tuple[str, ...]:
        """The command that makes such a plan anew, in the folder of this run."""
        destroying = ("--destroy",) if self.destroying else ()
        return ("reconciler", "plan", *destroying, "--out", str(applying(self.run, self.file)[-1]))

    @property
    def is_moved(self) -> bool:
        """Whether its folder is another one now than when it was made."""
        return str(self.run.root.resolve()) != self.origin.root

    def stale(self, now: PlanResult) -> Problem | None:
        """What moved since; None when the promise can be kept."""
        moved = list(self._moved(now))
        if not moved:
            return None
        return Problem(
            code="stale-plan",
            summary=f"{self.shown} no longer holds",
            detail="\n".join(moved),
            hint="reconciler plan   shows what would happen now",
            exit_code=ExitCode.STALE,
        )

    def _moved(self, now: PlanResult) -> Iterator[str]:
        if self.is_moved and not self.partly and not self.origin.is_of(now.inventory):
            yield f"inventory: {self.run.state_path} is not that of {self.origin.root}, where it was made"
        if self.key != now.keyring.id:
            yield "account: it was made under another API key (or RECONCILER_STATE_KEY)"
            return
        pending = {change.name: facts_of(change, now.keyring) for change in now.plan.pending}
        promised = {**self._deposed(), **self.changes} if self.partly else self.changes
        for name in sorted({*promised, *pending}):
            old, new = promised.get(name), pending.get(name)
            if old != new and not (self.partly and old and is_remainder(name, old, new, now.live_ids)):
                yield from difference(name, old, new)

    def _other_account(self, url: str) -> Problem:
        made = "simulator" if self.base_url == SIMULATOR_URL else self.base_url
        again = command_line(f"NOVITA_BASE_URL={made}", *applying(self.run, self.file))
        return Problem(
            code="stale-plan",
            summary=f"{self.shown} no longer holds",
            detail=f"account: it was made for {self.base_url}, this run talks to {url}",
            hint=f"to perform it as it was made: {again}",
            exit_code=ExitCode.STALE,
        )

    def _deposed(self) -> Mapping[str, Facts]:
        """Each replacement by the name under which the old endpoint is recorded until it is gone."""
        return {facts["deposed"]: facts for facts in self.changes.values() if facts["deposed"]}


def save_plan(context: Context, path: Path, planned: PlanResult, timestamp: str) -> None:
    """Write the plan without any secret. Raises InvalidConfig when the file cannot be written."""
    document = plan_document(planned.findings("plan", timestamp))
    document["saved_plan"] = _promise(context, planned, DECLARED, context.root / path)
    try:
        write_user_file(context.root / path, json_indented(document).encode() + b"\n")
    except OSError as error:
        raise InvalidConfig(
            Problem(
                code="plan-not-saved",
                summary=f"cannot write {context.root / path}: {error.strerror or error}",
            )
        ) from error


def promise(context: Context, planned: PlanResult, goal: Goal) -> None:
    """Leave word of what was approved, for `--resume`; the inventory's lock is held."""
    path = approved_file(context)
    document = {"saved_plan": _promise(context, planned, goal, path)}
    try:
        replace_file(FileSystem(), path, json_bytes(document))
    except OSError as error:
        raise InventoryError(
            Problem(code="inventory-unwritable", summary=f"cannot write {path}: {error.strerror or error}")
        ) from error


def redeem(context: Context) -> None:
    """All that was approved is done: there is nothing to resume."""
    approved_file(context).unlink(missing_ok=True)


def is_promised(context: Context) -> bool:
    """Whether there is word of an approved apply that did not do all."""
    return approved_file(context).exists()


def read_saved_plan(context: Context, path: Path) -> SavedPlan:
    """The promise in a plan file. Raises InvalidConfig when it is not one."""
    again = command_line("reconciler", "plan", "--out", str(path))
    return _read(
        context,
        context.root / path,
        shown=f"the saved plan {path}",
        hint=f"save one with: {again}",
        follow=True,
    )


def read_approved_plan(context: Context) -> SavedPlan:
    """What the last apply was approved to do and did not finish. Raises InvalidConfig when there is none."""
    if not is_promised(context):
        raise InvalidConfig(
            Problem(
                code="nothing-to-resume",
                summary="nothing was left unfinished",
                hint="reconciler plan   shows whether there is anything to do",
            )
        )
    path, hint = approved_file(context), "plan and approve anew: reconciler apply"
    return replace(_read(context, path, shown="what was approved", hint=hint), partly=True)


def approve_if_unchanged(saved: SavedPlan, refuse: Callable[[Problem], None]) -> Callable[[PlanResult], bool]:
    """Approves exactly what was saved; tells `refuse` what moved otherwise."""

    def approve(now: PlanResult) -> bool:
        moved = saved.stale(now)
        if moved is not None:
            refuse(moved)
        return moved is None

    return approve


def _promise(context: Context, planned: PlanResult, goal: Goal, file: Path) -> dict[str, Json]:
    return {
        "format": FORMAT,
        "origin": Origin.of(context, planned, file).to_json(),
        "base_url": planned.base_url,
        "key": planned.keyring.id,
        "commit": context.commit,
        "destroy": planned.destroying,
        "back_to": goal.back_to,
        "restoring": goal.restoring,
        "adopt": context.allow.adopt,
        "allow_delete": context.allow.deletes,
        "no_delete": context.allow.no_delete,
        "create_first": context.allow.create_first,
        "other_files": context.allow.other_files,
        "other_account": context.allow.other_account,
        "adopted": context.allow.adopted,
        "changes": {change.name: facts_of(change, planned.keyring) for change in planned.plan.pending},
    }


def _read(context: Context, path: Path, *, shown: str, hint: str, follow: bool = False) -> SavedPlan:
    try:
        found = json.loads(read_regular_file(path, follow=follow))["saved_plan"]
        if found["format"] > FORMAT:
            raise InvalidConfig(
                Problem(
                    code="newer-plan",
                    summary=f"{shown} was made by a newer reconciler",
                    hint="upgrade, or plan again with this one",
                )
            )
        if found["format"] < FORMAT:
            raise InvalidConfig(
                Problem(
                    code="older-plan",
                    summary=f"{shown} was made by an older reconciler, which did not note where it belongs",
                    hint=hint,
                    exit_code=ExitCode.STALE,
                )
            )
        origin = Origin.from_json(found["origin"])
        return SavedPlan(
            shown=shown,
            file=path,
            run=origin.context(context, path, shown),
            origin=origin,
            base_url=of_type(str, found["base_url"]),
            key=of_type(str, found["key"]),
            destroying=of_type(bool, found["destroy"]),
            allow=Allowances(
                adopt=of_type(bool, found["adopt"]),
                deletes=of_type(int | None, found["allow_delete"]),
                no_delete=of_type(bool, found["no_delete"]),
                create_first=of_type(bool, found["create_first"]),
                other_files=of_type(bool, found.get("other_files", False)),
                other_account=of_type(bool, found.get("other_account", False)),
                adopted=of_type(bool, found.get("adopted", False)),
            ),
            changes={name: facts_from_json(facts) for name, facts in found["changes"].items()},
            commit=of_type(str | None, found.get("commit")),
            back_to=_version(found["back_to"]),
            restoring=tuple(of_type(str, name) for name in found.get("restoring", ())),
        )
    except OSError as error:
        problem = Problem(
            code="no-such-plan",
            summary=f"cannot read {path}: {error.strerror or error}",
            hint=hint,
        )
        raise InvalidConfig(problem) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidConfig(Problem(code="not-a-plan", summary=f"{path} is no plan", hint=hint)) from error


def _version(value: Any) -> tuple[str, int] | None:
    if value is None:
        return None
    name, number = value
    return of_type(str, name), of_type(int, number)
