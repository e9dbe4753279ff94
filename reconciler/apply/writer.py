"""Performs one change with its calls in a safe order: check, write, record, read back.

A change is a generator. It yields each condition that it waits for, and gets None or the problem of a
condition that is not met in time.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Mapping, Sequence
from dataclasses import field, replace
from typing import Final, TypeAlias, assert_never

from reconciler.apply.clock import Clock, poll
from reconciler.apply.create import create
from reconciler.apply.read_back import Condition, Gone, Visible
from reconciler.apply.shared_reads import SharedReads
from reconciler.inventory.session import Session
from reconciler.model import durations
from reconciler.model.errors import NotFound, Refused
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import (
    Adopt,
    Change,
    Create,
    Delete,
    Forget,
    NoOp,
    Replace,
    Scale,
    TemporaryName,
    Update,
)
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import Live, Tracked
from reconciler.model.secrets import Keyring
from reconciler.model.values import Reference
from reconciler.novita.account import IN_USE, AccountWriter
from reconciler.planning.dependencies.references import resolved_change
from reconciler.planning.dependencies.users import Users
from reconciler.planning.diff import equal
from reconciler.planning.records import applied_record, refreshed
from reconciler.planning.renames import Renamed, is_renamed
from reconciler.planning.steps import StepKind, app_name, steps_of

SHOWN: Final = 5
"""Names (count) in one problem."""

Performance: TypeAlias = Generator[Condition, Problem | None, tuple[str | None, Problem | None]]
"""The steps of a change. It returns the ID of the endpoint, and a problem if it is not as it was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes single changes to the account and the inventory.

    `known_ids` are the live IDs of each name when the plan was made. `freed` are the app names that this or
    an earlier run frees. `users` are the live objects that use another one and that this run does not
    change. `released` are the objects whose users all change in this run.
    """

    account: AccountWriter
    session: Session
    clock: Clock
    keyring: Keyring
    settle_seconds: float
    known_ids: Mapping[str, tuple[str, ...]]
    freed: frozenset[str] = frozenset()
    users: Users = field(default_factory=dict)
    released: Container[tuple[str, str]] = ()

    def of(self, kind: str) -> Writer:
        """Return the writer of changes of one kind."""
        account = self.account.of(kind)
        return self if account is self.account else replace(self, account=account)

    def resolved(self, change: Change) -> Change:
        """Return a change with the recorded IDs in place of its references.

        A reference without a record stays; its request cannot be encoded and is not sent.
        """

        def find_id(reference: Reference) -> str | Reference:
            record = self.session.find_record(reference.name, reference.type)
            return record.id if record is not None else reference

        return resolved_change(change, find_id)

    def perform(self, change: Change, reads: SharedReads, on_wait: Callable[[str], None]) -> Performance:
        """Perform a change. Raise ReconcilerError if it failed.

        `reads` are those of its stage. `on_wait` gets the reason of each longer wait.
        """
        match change:
            case Forget():
                self.session.drop(change.tracked)
                return change.tracked.id, None
            case NoOp():
                self.refresh_record(change)
                return change.live.id, None
            case Create() | Replace() | Delete():
                return (yield from self._perform_steps(change, reads, on_wait))
            case Update() | Scale() | Adopt():
                self._prepare(change)
                result = yield from self._perform_steps(change, reads, on_wait)
                self._record(change)
                return result
            case _:
                assert_never(change)

    def refresh_record(self, change: NoOp) -> None:
        """Record that an endpoint is as desired, although the record does not say so."""
        self._record(change)

    def _perform_steps(
        self,
        change: Create | Update | Scale | Adopt | Replace | Delete,
        reads: SharedReads,
        on_wait: Callable[[str], None],
    ) -> Performance:
        """Perform the steps. The returned problem is the one after which no further step was performed."""
        object_id = "" if isinstance(change, Create) else change.live.id
        is_gone, can_drain = False, True
        for step in steps_of(change):
            match step.kind:
                case StepKind.VERIFY:
                    _require_unchanged(step.planned, reads)
                case StepKind.VERIFY_NAME:
                    is_gone = not _has_name(step.planned, reads)
                case StepKind.DRAIN:
                    if can_drain and not self.account.drain(step.request):
                        can_drain = False
                        on_wait("draining is not offered by Novita; continuing without it")
                case StepKind.SET_TEMPORARY_NAME:
                    temporary = _temporary_name_of(change)
                    self.session.record(replace(temporary.tracked, renaming=temporary.name))
                    self.account.update(step.request)
                case StepKind.READ_BACK_TEMPORARY_NAME:
                    temporary = _temporary_name_of(change)
                    problem = yield Visible(id=temporary.live.id, target=step.expected)
                    if problem is not None:
                        raise Refused(problem)
                    self.session.record(temporary.record, replaces=temporary.tracked)
                case StepKind.UPDATE:
                    self._begin_rename(change)
                    self.account.update(step.request)
                case StepKind.CREATE:
                    assert isinstance(change, Create | Replace)
                    object_id = self._create(change, step.request, on_wait)
                case StepKind.READ_BACK:
                    is_new = isinstance(change, Create | Replace)
                    problem = yield Visible(id=object_id, target=step.expected, is_new=is_new)
                    if problem is not None:
                        return object_id, problem
                case StepKind.DELETE:
                    if not is_gone:
                        self._delete(step.planned, on_wait, is_deposed=_is_deposed(change))
                case StepKind.WAIT_TERMINATING | StepKind.WAIT_GONE:
                    assert isinstance(change, Replace | Delete)
                    is_released = step.kind is StepKind.WAIT_GONE
                    if is_released:
                        on_wait("until the old one is gone")
                    problem = yield Gone(id=step.planned.id, released=is_released)
                    if problem is not None:
                        raise Refused(problem)
                    self.session.drop(_deposed(change) or change.tracked)
                case _:
                    assert_never(step.kind)
        return object_id, None

    def _delete(self, live: Live, on_wait: Callable[[str], None], *, is_deposed: bool) -> None:
        """Delete an object. If this run changed what used it, wait until Novita knows that.

        So it does for a deposed one that nothing uses: an earlier run has changed what used it.
        """
        used = (live.kind, live.id)
        is_released = used in self.released or (is_deposed and used not in self.users)
        refused: Refused | None = None
        for attempt in poll(
            self.clock,
            within=durations.RELEASE_TIMEOUT if is_released else 0.0,
            first=durations.FIRST_NAME_POLL,
            longest=durations.MAX_NAME_POLL,
        ):
            try:
                return self.account.delete(live.id)
            except Refused as error:
                if error.problem.code != IN_USE:
                    raise
                refused = error
                if attempt == 0 and is_released:
                    on_wait("Novita still counts it as used")
        assert refused is not None
        raise Refused(_used_by(refused.problem, self.users.get(used, ())), reason=refused.reason) from refused

    def _record(self, change: Update | Scale | Adopt | NoOp) -> None:
        """Record that an endpoint is now as desired."""
        before = None if isinstance(change, Adopt) else change.tracked
        is_known = before is not None and before == self.session.find_record(change.name, change.kind)
        if change.desired.is_partial and not is_known:
            return  # an imperative change of an unmanaged endpoint does not record it
        match change:
            case NoOp():
                record = refreshed(change.desired, change.tracked, self.keyring)
            case Adopt(is_by_name=True):
                record = replace(applied_record(change.desired, change.live.id, self.keyring), adopted=True)
            case _:
                record = applied_record(change.desired, change.live.id, self.keyring, before)
        self.session.record(record, replaces=change.gone if isinstance(change, Adopt) else change.tracked)

    def _create(self, change: Create | Replace, request: Request, on_wait: Callable[[str], None]) -> str:
        """Create the endpoint once, record it and return its ID. It is not read back here."""
        if isinstance(change, Create):
            self._require_free_name(change, change.gone.id if change.gone else None)
            if change.gone is not None and change.gone.name != change.name:
                self.session.drop(change.gone)  # it was renamed, and its endpoint is gone
        return create(
            change,
            request,
            known_ids=self.known_ids.get(change.address, ()),
            account=self.account,
            session=self.session,
            clock=self.clock,
            keyring=self.keyring,
            settle_seconds=self.settle_seconds,
            record=applied_record(change.desired, "", self.keyring),
            is_name_freed=app_name(change) in self.freed,
            deposed=_deposed(change),
            on_wait=on_wait,
        )

    def reads_of(self, changes: Sequence[Change], parallelism: int) -> SharedReads:
        """Return the reads that these changes share."""
        size = sum(map(len, self.known_ids.values())) + sum(isinstance(change, Create) for change in changes)
        creates = sum(isinstance(change, Create | Replace) for change in changes)
        return SharedReads(
            self.account, self.clock, parallelism=parallelism, account_size=size, creates=creates
        )

    def _prepare(self, change: Update | Scale | Adopt) -> None:
        """Check and record what must be so before the first step."""
        if isinstance(change, Adopt):
            self._require_free_name(change, change.live.id)
        elif (
            isinstance(change, Update)
            and change.temporary
            and change.temporary.live.name == change.temporary.name
        ):
            # an earlier run was stopped after it had set the temporary name
            self.session.record(change.temporary.record, replaces=change.temporary.tracked)

    def _begin_rename(self, change: Change) -> None:
        """Record the new name before it is sent. Raise Refused if the name is not free."""
        if is_renamed(change):
            self._require_free_name(change, change.live.id)
            if change.live.name != change.name:
                self.session.record(replace(change.tracked, renaming=change.name))

    def _require_free_name(self, change: Create | Renamed | Adopt, own_id: str | None) -> None:
        """Raise Refused if another live endpoint is recorded under the name; its record would be lost."""
        holder = self.session.find_record(change.name, change.kind)
        if holder is None or holder.id == own_id:
            return
        live = self.account.get(holder.id)
        if live is not None and not live.is_terminating:
            raise Refused(_name_taken(change, holder))


def _has_name(planned: Live, reads: SharedReads) -> bool:
    """Return False if the endpoint is gone. Raise Refused if it has another name now."""
    live = reads.check(planned, lambda live: live.name == planned.name)
    if live is None or live.is_terminating:
        return False
    if live.name != planned.name:
        raise Refused(_changed_since_plan(planned, f"its name is `{live.name}` now"))
    return True


def _require_unchanged(planned: Live, reads: SharedReads) -> None:
    """Raise NotFound or Refused if the endpoint changed since the plan, which was approved as it was."""
    live = reads.check(planned, lambda live: not live.is_terminating and _is_unchanged(planned, live))
    if live is None or live.is_terminating:
        raise NotFound(_changed_since_plan(planned, "it is gone"))
    if not _is_unchanged(planned, live):
        raise Refused(_changed_since_plan(planned, "its fields changed"))


def _is_unchanged(planned: Live, live: Live) -> bool:
    return live.unread == planned.unread and equal(live.fields, planned.fields)


def _temporary_name_of(change: Change) -> TemporaryName:
    assert isinstance(change, Update)
    assert change.temporary is not None
    return change.temporary


def _used_by(problem: Problem, users: Sequence[str]) -> Problem:
    """Return the problem of a refused delete with the names of those who use the object."""
    if not users:
        return problem
    names = ", ".join(f"`{name}`" for name in users[:SHOWN])
    names += f" and {len(users) - SHOWN} more" if len(users) > SHOWN else ""
    return replace(problem, summary=f"{problem.summary}; it is used by {names}")


def _is_deposed(change: Change) -> bool:
    """Return True for the delete of an object that an earlier run has replaced."""
    return isinstance(change, Delete) and change.tracked.is_deposed


def _deposed(change: Change) -> Tracked | None:
    """Return the record of the old endpoint while the new one exists beside it."""
    return change.tracked.deposed() if isinstance(change, Replace) and change.create_first else None


def _changed_since_plan(planned: Live, what: str) -> Problem:
    return Problem(
        code="moved-since-plan",
        summary=f"{planned.id} changed since the plan was made: {what}",
        hint="run `reconciler plan` again",
    )


def _name_taken(change: Create | Renamed | Adopt, holder: Tracked) -> Problem:
    what = "recorded" if isinstance(change, Create | Adopt) else f"renamed from `{change.tracked.name}`"
    return Problem(
        code="rename-impossible",
        summary=f"`{change.name}` cannot be {what}: {holder.id} is recorded as `{change.name}`, and has not "
        "given up that name",
        hint="run `reconciler apply` for both of them",
        address=change.address,
    )
