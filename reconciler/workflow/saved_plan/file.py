"""Plan files. A saved plan is not replayed: an apply plans again and requires the same changes.

There are two kinds: the file that `plan --out` writes, and the approved plan, which an apply keeps beside the
inventory until it has finished, so that `apply --resume` can finish it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from reconciler.inventory.errors import saying_saved
from reconciler.inventory.files import read_regular_file, write_user_file
from reconciler.inventory.session import Session
from reconciler.inventory.session import load as load_inventory
from reconciler.inventory.stores.base import APPROVED_PLAN
from reconciler.model.command import SharedOptions, command_line
from reconciler.model.encoding import json_bytes, json_chunks
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.settings import Allowances
from reconciler.model.values import Json
from reconciler.planning.fingerprint import Facts as PlanFacts
from reconciler.planning.fingerprint import plan_facts
from reconciler.planning.selection import Selection
from reconciler.reports.run.json_plan import plan_parts
from reconciler.workflow.plan import APPLY, DESTROY, Goal, PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.git import check_commit
from reconciler.workflow.runtime.settings import SIMULATOR_URL, base_url, valid_settings
from reconciler.workflow.runtime.unfinished import approved_plan_path
from reconciler.workflow.saved_plan.allowances import allowances_from_json, allowances_to_json
from reconciler.workflow.saved_plan.change_facts import (
    Facts,
    difference,
    due_since,
    facts_from_json,
    facts_of,
    is_remainder,
    of_type,
    with_ids_as_known,
)
from reconciler.workflow.saved_plan.origin import Origin, apply_command

FORMAT: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan read from its file, with the facts of each change by name.

    title: names the plan in messages. run: this run in the folder and with the options of the plan. key: the
    ID of the keyring. commit: the commit that the plan is bound to. rollback_to: name and version of a
    rollback. revert_names: the endpoints of a `drift revert`. is_partial: the apply was interrupted, so that
    changes that are no longer pending count as done.
    """

    title: str
    file: Path
    run: Context
    origin: Origin
    base_url: str
    key: str
    is_destroy: bool
    allow: Allowances
    changes: Mapping[str, Facts]
    commit: str | None = None
    rollback_to: tuple[str, int] | None = None
    revert_names: tuple[str, ...] = ()
    is_partial: bool = False

    @property
    def options(self) -> SharedOptions:
        """Return the shared options of the plan, for commands in hints."""
        return self.run.options

    def goal(self) -> Goal:
        """Return the goal of the plan. Raise InvalidConfig if the version of a rollback is unknown now."""
        if self.rollback_to is not None:
            from reconciler.workflow.history.rollback import rollback_goal

            _, goal, _ = rollback_goal(self.run, *self.rollback_to)
            return goal
        if self.revert_names:
            from reconciler.workflow.drift import resumed_revert_goal

            return resumed_revert_goal(self.context(), self.revert_names)
        return DESTROY if self.is_destroy else APPLY

    def context(self) -> Context:
        """Return the context that performs the plan, limited to its endpoints.

        Raise InvalidConfig if the plan was made for another account or is bound to another commit.
        """
        url = base_url(valid_settings(self.run))
        if url != self.base_url:
            raise InvalidConfig(self._other_account(url))
        if self.commit is not None:
            check_commit(self.run, self.commit, self.title)
        names = frozenset((*self.changes, *(self._deposed() if self.is_partial else ())))
        return replace(
            self.run,
            selection=Selection(names=names, part=self.run.selection.is_part),
            allow=replace(self.allow, replaced=tuple(self._still_replaced())),
            commit=self.commit,
            plan_command=() if self.is_partial else self._plan_command(),
        )

    def _still_replaced(self) -> Iterator[str]:
        """Yield the requested replacements, in an interrupted apply those that it has not begun."""
        if not self.is_partial:
            yield from self.allow.replaced
            return
        records = load_inventory(self.run.store).records
        for name in self.allow.replaced:
            record, facts = records.get(name), self.changes.get(name)
            if record and facts and record.id == facts["id"]:
                yield name

    def _plan_command(self) -> tuple[str, ...]:
        """Return the command that makes such a plan again in the folder of this run."""
        destroy = ("--destroy",) if self.is_destroy else ()
        return ("reconciler", "plan", *destroy, "--out", str(apply_command(self.run, self.file)[-1]))

    @property
    def is_moved(self) -> bool:
        """Return whether the folder of the plan was moved since."""
        return str(self.run.root.resolve()) != self.origin.root

    def staleness(self, now: PlanResult) -> Problem | None:
        """Return an error with the differences from the plan as it is now; None if there are none."""
        differences = list(self._differences(now))
        if not differences:
            return None
        return Problem(
            code="stale-plan",
            summary=f"{self.title} is stale",
            detail="\n".join(differences),
            hint="reconciler plan   shows what would happen now",
            exit_code=ExitCode.STALE,
        )

    def _differences(self, now: PlanResult) -> Iterator[str]:
        if self.is_moved and not self.is_partial and not self.origin.is_inventory_of_plan(now.inventory):
            yield f"inventory: {self.run.store.label} is not the inventory of {self.origin.root}"
        if self.key != now.keyring.id:
            yield "account: it was made with another API key (or RECONCILER_STATE_KEY)"
            return
        pending = {change.key: facts_of(change, now.keyring) for change in now.plan.pending}
        due = {change.key: change for change in now.plan.pending}
        saved = {**self._deposed(), **self.changes} if self.is_partial else self.changes
        for name in sorted({*saved, *pending}):
            old = saved.get(name)
            new = with_ids_as_known(old, pending.get(name))
            if old != new and not (self.is_partial and old and is_remainder(name, old, new, now.live_ids)):
                yield from difference(name, old, new)
                yield from due_since(old, new, due.get(name))

    def _other_account(self, url: str) -> Problem:
        made = "simulator" if self.base_url == SIMULATOR_URL else self.base_url
        command = command_line(f"NOVITA_BASE_URL={made}", *apply_command(self.run, self.file))
        return Problem(
            code="stale-plan",
            summary=f"{self.title} is stale",
            detail=f"account: it was made for {self.base_url}, this run talks to {url}",
            hint=f"to perform it as it was made: {command}",
            exit_code=ExitCode.STALE,
        )

    def _deposed(self) -> Mapping[str, Facts]:
        """Return each replacement by the name that records the old endpoint until it is deleted."""
        return {facts["deposed"]: facts for facts in self.changes.values() if facts["deposed"]}


def save_plan(context: Context, path: Path, planned: PlanResult, timestamp: str) -> None:
    """Write the plan without secrets. Raise InvalidConfig if the file cannot be written."""
    facts = plan_facts(planned.plan, planned.keyring)
    document = plan_parts(planned.run_report("plan", timestamp), facts)
    promise = _plan_json(context, planned, APPLY, context.root / path)
    try:
        write_user_file(
            context.root / path,
            chain(
                map(str.encode, json_chunks(document, compact=True, is_open=True)),
                _promise_chunks(b',\n  "saved_plan": ', promise, planned, facts),
                (b"\n}\n",),
            ),
        )
    except OSError as error:
        raise InvalidConfig(
            Problem(
                code="plan-not-saved",
                summary=f"cannot write {context.root / path}: {error.strerror or error}",
            )
        ) from error


def save_approved_plan(context: Context, session: Session, planned: PlanResult, goal: Goal) -> None:
    """Write the approved plan for `--resume`. Raise InventoryError if that fails; nothing was sent then."""
    promise = _plan_json(context, planned, goal, approved_plan_path(context))
    chunks = _promise_chunks(b'{"saved_plan": ', promise, planned)
    try:
        session.hold.write_document(APPROVED_PLAN, b"".join(chain(chunks, (b"}\n",))))
    except InventoryError as error:
        raise saying_saved(error, "Nothing was changed") from error


def delete_approved_plan(session: Session) -> None:
    """Delete the approved plan after all of it was performed."""
    session.hold.write_document(APPROVED_PLAN, None)


def read_saved_plan(context: Context, path: Path) -> SavedPlan:
    """Return the plan of a file that `plan --out` wrote. Raise InvalidConfig if it is not a plan file."""
    command = command_line("reconciler", "plan", "--out", str(path))
    file = context.root / path
    return _read(
        context,
        file,
        lambda: read_regular_file(file, follow=True),
        title=f"the saved plan {path}",
        hint=f"save one with: {command}",
    )


def read_approved_plan(context: Context) -> SavedPlan:
    """Return the approved plan that the last apply did not finish. Raise InvalidConfig if there is none."""
    data = context.store.read_document(APPROVED_PLAN)
    if data is None:
        raise InvalidConfig(
            Problem(
                code="nothing-to-resume",
                summary="nothing was left unfinished",
                hint="reconciler plan   shows the pending changes",
            )
        )
    path, hint = approved_plan_path(context), "plan and approve again: reconciler apply"
    plan = _read(context, path, lambda: data, title="the approved plan", hint=hint)
    return replace(plan, is_partial=True)


def _promise_chunks(
    start: bytes,
    promise: Mapping[str, Json],
    planned: PlanResult,
    known: Mapping[str, PlanFacts] = MappingProxyType({}),
) -> Iterator[bytes]:
    """Yield the promise as JSON, with one line for each change."""
    yield start + json_bytes(promise)[:-1] + b',"changes":{'
    comma = b"\n"
    for change in planned.plan.pending:
        facts = facts_of(change, planned.keyring, known.get(change.key))
        yield comma + json_bytes(change.key) + b":" + json_bytes(facts)
        comma = b",\n"
    yield b"}}"


def _plan_json(context: Context, planned: PlanResult, goal: Goal, file: Path) -> dict[str, Json]:
    """Return the promise of a plan without its changes."""
    return {
        "format": FORMAT,
        "origin": Origin.of(context, planned, file).to_json(),
        "base_url": base_url(planned.settings),
        "key": planned.keyring.id,
        "commit": context.commit,
        "destroy": planned.is_destroy,
        "back_to": goal.rollback_to,
        "restoring": goal.revert_names,
        **allowances_to_json(context.allow),
    }


def _read(context: Context, path: Path, read: Callable[[], bytes], *, title: str, hint: str) -> SavedPlan:
    try:
        document = json.loads(read())["saved_plan"]
        _check_format(document["format"], title, hint)
        return _parse(context, document, path, title)
    except OSError as error:
        summary = f"cannot read {path}: {error.strerror or error}"
        raise InvalidConfig(Problem(code="no-such-plan", summary=summary, hint=hint)) from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        summary = f"{path} is not a plan file"
        raise InvalidConfig(Problem(code="not-a-plan", summary=summary, hint=hint)) from error


def _check_format(format_: int, title: str, hint: str) -> None:
    """Raise InvalidConfig if another version of reconciler made the plan."""
    if format_ > FORMAT:
        raise InvalidConfig(
            Problem(
                code="newer-plan",
                summary=f"{title} was made by a newer version of reconciler",
                hint="upgrade reconciler, or plan again with this version",
            )
        )
    if format_ < FORMAT:
        raise InvalidConfig(
            Problem(
                code="older-plan",
                summary=f"{title} was made by an older version of reconciler",
                hint=hint,
                exit_code=ExitCode.STALE,
            )
        )


def _parse(context: Context, document: Any, path: Path, title: str) -> SavedPlan:
    """Return the plan that `_plan_json` wrote. Raise KeyError, TypeError or ValueError if it is malformed."""
    origin = Origin.from_json(document["origin"])
    return SavedPlan(
        title=title,
        file=path,
        run=origin.context(context, path, title),
        origin=origin,
        base_url=of_type(str, document["base_url"]),
        key=of_type(str, document["key"]),
        is_destroy=of_type(bool, document["destroy"]),
        allow=allowances_from_json(document),
        changes={name: facts_from_json(facts) for name, facts in document["changes"].items()},
        commit=of_type(str | None, document.get("commit")),
        rollback_to=_version(document["back_to"]),
        revert_names=tuple(of_type(str, name) for name in document.get("restoring", ())),
    )


def _version(value: Any) -> tuple[str, int] | None:
    if value is None:
        return None
    name, number = value
    return of_type(str, name), of_type(int, number)
