"""One change -> its calls in safe order: look, write, record, read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.apply.clock import Clock
from reconciler.apply.create import create
from reconciler.apply.read_back import read_back, wait_until_gone
from reconciler.apply.read_back_batch import ReadBack, batches
from reconciler.inventory.session import Session
from reconciler.model.errors import NotFound, Refused
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
from reconciler.model.values import Keyring
from reconciler.novita.account import AccountWriter
from reconciler.planning.diff import equal
from reconciler.planning.records import as_desired, as_it_was
from reconciler.planning.renames import is_renamed
from reconciler.planning.steps import asides_of, create_of, drains_of, requests_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Performs single changes.

    `known_ids` are the live IDs of each name when the plan was made, `freed` the app names that are
    being freed by it or by an earlier run.
    """

    remote: AccountWriter
    session: Session
    clock: Clock
    keyring: Keyring
    settle_seconds: float
    known_ids: Mapping[str, tuple[str, ...]]
    freed: frozenset[str] = frozenset()

    def perform(self, change: Change, waiting: Callable[[str], None]) -> tuple[str | None, Problem | None]:
        """(the endpoint's ID, what Novita kept otherwise). Raises ReconcilerError when the change failed."""
        match change:
            case Create():
                made = self.make(change, waiting)
                return made, read_back(self.remote, self.clock, made, change.desired.fields)
            case Update() | Scale() | Adopt():
                return self._update(change, waiting)
            case Replace(create_first=True):
                self._still_as_planned(change.live)
                made = self.make(change, waiting, deposed=change.tracked.deposed())
                kept = read_back(self.remote, self.clock, made, change.target)
                if kept is None:
                    # one that is not as it should be takes nobody's place
                    self._delete(change.live, change.tracked.deposed(), waiting, released=False)
                return made, kept
            case Replace():
                self._still_as_planned(change.live)
                self._delete(change.live, change.tracked, waiting, released=True)
                made = self.make(change, waiting)
                return made, read_back(self.remote, self.clock, made, change.target)
            case Delete():
                self._delete(change.live, change.tracked, waiting, released=False)
                return change.live.id, None
            case Forget():
                self.session.drop(change.tracked)
                return change.tracked.id, None
            case NoOp():
                self._record(change)
                return change.live.id, None
            case _:
                assert_never(change)

    def _record(self, change: Update | Scale | Adopt | NoOp) -> None:
        """Write down that an endpoint is now as desired."""
        before = None if isinstance(change, Adopt) else change.tracked
        is_known = before is not None and before == self.session.inventory.records.get(change.name)
        if change.desired.partial and not is_known:
            return  # a hand on somebody's endpoint does not make it ours
        match change:
            case NoOp():
                record = as_it_was(change.desired, change.tracked, self.keyring)
            case Adopt(is_by_name=True):
                record = replace(as_desired(change.desired, change.live.id, self.keyring), adopted=True)
            case _:
                record = as_desired(change.desired, change.live.id, self.keyring, before)
        self.session.record(record, replaces=change.gone if isinstance(change, Adopt) else change.tracked)

    def make(
        self,
        change: Create | Replace,
        waiting: Callable[[str], None],
        deposed: Tracked | None = None,
    ) -> str:
        """Create the endpoint once and record it, without reading it back; returns its ID."""
        if isinstance(change, Create):
            self._check_name(change, change.gone.id if change.gone else None)
            if change.gone is not None and change.gone.name != change.name:
                self.session.drop(change.gone)  # renamed, and nothing is left of it
        app_name = change.app_name if isinstance(change, Replace) else change.desired.app_name
        return create(
            change,
            create_of(change),
            known_ids=self.known_ids.get(change.name, ()),
            remote=self.remote,
            session=self.session,
            clock=self.clock,
            keyring=self.keyring,
            settle_seconds=self.settle_seconds,
            record=as_desired(change.desired, "", self.keyring),
            name_was_ours=app_name in self.freed,
            deposed=deposed,
            waiting=waiting,
        )

    def read_back_of(self, changes: Sequence[Change]) -> ReadBack | None:
        """How the creates among these changes are read back together; None where each is by itself."""
        size = batches(changes, account=sum(map(len, self.known_ids.values())))
        return None if size is None else ReadBack(self.remote, self.clock, size=size)

    def _update(
        self, change: Update | Scale | Adopt, waiting: Callable[[str], None]
    ) -> tuple[str, Problem | None]:
        kept: Problem | None = None
        if isinstance(change, Adopt):
            self._check_name(change, change.live.id)
        drains = drains_of(change)
        if drains:
            self._still_as_planned(change.live)
        for request in drains:
            if not self.remote.drain(request):
                waiting("draining is not offered by Novita; going on without")
                break
        if isinstance(change, Update) and change.aside is not None:
            self._set_aside(change.aside, asides_of(change))
        for request in requests_of(change)[len(drains) + len(asides_of(change)) :]:
            self._still_as_planned(change.live)
            self._begin_rename(change)
            self.remote.update(request)
            kept = read_back(self.remote, self.clock, change.live.id, change.target)
        self._record(change)
        return change.live.id, kept

    def _set_aside(self, aside: TemporaryName, requests: Sequence[Request]) -> None:
        """Give an endpoint a temporary name. Its record says so before and after."""
        for request in requests:
            self._still_as_planned(aside.live)
            self.session.record(replace(aside.tracked, renaming=aside.name))
            self.remote.update(request)
            kept = read_back(self.remote, self.clock, aside.live.id, {"name": aside.name})
            if kept is not None:
                raise Refused(kept)
        self.session.record(aside.record, replaces=aside.tracked)

    def _begin_rename(self, change: Update | Scale | Adopt) -> None:
        """Write down the new name before it is sent. Raises Refused as `_check_name` does."""
        if isinstance(change, Adopt) or not is_renamed(change):
            return
        self._check_name(change, change.live.id)
        if change.live.name != change.name:
            self.session.record(replace(change.tracked, renaming=change.name))

    def _check_name(self, change: Create | Update | Scale | Adopt, own_id: str | None) -> None:
        """Raises Refused where the name is that of another record whose endpoint lives: it would be lost."""
        holder = self.session.recorded_as(change.name)
        if holder is None or holder.id == own_id:
            return
        live = self.remote.get(holder.id)
        if live is not None and not live.is_terminating:
            raise Refused(_taken(change, holder))

    def _delete(
        self, planned: Live, tracked: Tracked, waiting: Callable[[str], None], *, released: bool
    ) -> None:
        live = self.remote.get(planned.id)
        if live is not None and not live.is_terminating:
            if live.name != planned.name:
                raise Refused(_moved(planned, f"it is called `{live.name}` now"))
            self.remote.delete(planned.id)
        if released:
            waiting("until the old one is gone")
        still_there = wait_until_gone(self.remote, self.clock, planned.id, released=released)
        if still_there is not None:
            raise Refused(still_there)
        self.session.drop(tracked)

    def _still_as_planned(self, planned: Live) -> None:
        """Consent was given to a difference; another one must be asked for again."""
        fresh = self.remote.get(planned.id)
        if fresh is None or fresh.is_terminating:
            raise NotFound(_moved(planned, "it is gone"))
        if fresh.unread != planned.unread or not equal(fresh.fields, planned.fields):
            raise Refused(_moved(planned, "somebody changed it"))


def _moved(planned: Live, what: str) -> Problem:
    return Problem(
        code="moved-since-plan",
        summary=f"{planned.id} is not as it was when the plan was made: {what}",
        hint="run `reconciler plan` again",
    )


def _taken(change: Create | Update | Scale | Adopt, holder: Tracked) -> Problem:
    what = "recorded" if isinstance(change, Create | Adopt) else f"renamed from `{change.tracked.name}`"
    return Problem(
        code="rename-impossible",
        summary=f"`{change.name}` cannot be {what}: {holder.id} is recorded as `{change.name}`, and has not "
        "given up that name",
        hint="run `reconciler apply` for both of them",
        address=change.address,
    )
