"""The loop of one environment: it waits, looks for a new revision, and runs rounds while it leads."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from datetime import datetime

from reconciler.controller.approval import find_approval
from reconciler.controller.balance import BalanceReader
from reconciler.controller.board import Board
from reconciler.controller.clock import Clock
from reconciler.controller.edges import news
from reconciler.controller.events import Event, EventKind
from reconciler.controller.files import Files
from reconciler.controller.forwarded_calls import CallForwarder, ForwardedCalls, can_forward
from reconciler.controller.hook import HookSignal
from reconciler.controller.leader import Leader, leadership
from reconciler.controller.observer import UNOBSERVED, Observer, RoundEnd
from reconciler.controller.round_events import SOURCE
from reconciler.controller.rounds.round import Round, RoundInput, failed_round, run_round
from reconciler.controller.state import SYNC_STATE, SyncState, SyncStatus, read_state
from reconciler.inventory.lock_holder import LockHolder
from reconciler.inventory.stores.address import store_identity
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InvalidConfig, InventoryError, ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.sync.durations import (
    APPROVAL_POLL,
    BUSY_RETRY,
    FORWARDED_CALL_POLL,
    JITTER,
    QUIET_LOG,
    STATE_REFRESH,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopOptions:
    """poll: seconds between two looks for a new revision. interval: seconds between two full rounds.

    is_once: end after the first round that changes nothing more. notify: gets the events of each round.
    log: gets lines for people. observer: watches the rounds. reads_balance: the observer shows the balance.
    has_hook: this process and other replicas receive calls of git servers.
    """

    poll: float
    interval: float
    is_once: bool = False
    notify: Callable[[Sequence[Event]], None] = lambda _events: None
    log: Callable[[str], None] = lambda _line: None
    observer: Observer = field(default=UNOBSERVED)
    reads_balance: bool = False
    has_hook: bool = False


class Loop:
    """The loop of one environment. `run` is called in a thread of its own; the rest from any thread.

    board: shows the state to the server of this process. is_standby: it ended because another process leads.
    """

    def __init__(self, files: Files, clock: Clock, options: LoopOptions) -> None:
        self._wake = threading.Event()
        self.board = Board(files.context, self._wake, monotonic=clock.monotonic)
        self._hook = HookSignal(clock, self._wake)
        self._forwarder = CallForwarder()
        self._forwarded: ForwardedCalls | None = None
        self.state = SyncState(environment=files.context.environment_name)
        self._files = files
        self._clock = clock
        self._options = options
        self._led = files.context
        self._balance = BalanceReader(clock)
        self._stop = threading.Event()
        self._halt = threading.Event()
        self._written_at: float | None = None
        self.is_standby = False
        self._due: datetime | None = None
        self._complaint = ""
        self._lock_holder = ""
        self._logged_at = clock.monotonic()

    def stop(self) -> None:
        """End the loop: changes in flight are finished, and no other is begun."""
        self._stop.set()
        self._files.stop()
        self._halt.set()
        self._wake.set()

    def receive_call(self) -> None:
        """Look for a new revision soon, or let the leader do it. A git server has called."""
        self._hook.call()
        if not self.board.is_leading:
            self._forwarder.call(self._files.context)

    def run(self) -> None:
        """Lead, and run rounds, until `stop` is called. Raise ReconcilerError if that cannot go on."""
        try:
            while not self._stop.is_set():
                self._halt.clear()
                with leadership(
                    self._files.context, self._stop, self._clock, tell=self._tell, on_lost=self._lose
                ) as leader:
                    if leader is None:
                        return
                    self.board.lead()
                    if self._lead(leader):
                        return
                self._stand_by()
        finally:
            self.board.end()
            self._forwarder.close()
            self._files.close()

    def _lose(self) -> None:
        self._halt.set()
        self._wake.set()

    def _tell(self, problem: Problem) -> None:
        """Log a problem, unless it is that of the last time."""
        if problem.code == "standby":
            self._stand_by()
        if problem.summary != self._complaint:
            self._options.log("; ".join(filter(None, (problem.summary, problem.hint))))
        self._complaint = problem.summary

    def _stand_by(self) -> None:
        """Show the state of the leader. A process that runs once does not wait for its end."""
        self.board.stand_by()
        self._options.observer.ended(RoundEnd(state=self._last_state(), is_leader=False))
        if self._options.is_once:
            self.is_standby = True
            self.stop()

    def _lead(self, leader: Leader) -> bool:
        """Run rounds while this process leads. Return whether the loop has ended."""
        self._led = self._files.context
        self.state = replace(self._last_state(), leader=_name(leader.holder))
        self._written_at = self._forwarded = None
        poll_at = round_at = self._clock.monotonic()
        while not self._stop.is_set():
            try:
                leader.check()
                if self._is_asked():
                    poll_at = round_at = self._clock.monotonic()
                if self._clock.monotonic() >= poll_at:
                    poll_at = self._clock.monotonic() + _varied(self._options.poll)
                    if self._files.poll():
                        round_at = self._clock.monotonic()
                if self._clock.monotonic() >= round_at or self._is_due() or self._is_approved():
                    self._due = None
                    done = self._round(leader)
                    if self._options.is_once and not (done.is_again or done.is_busy):
                        return True
                    round_at = self._clock.monotonic() + self._pause(done)
                    if store_identity(self._files.context.store) != store_identity(self._led.store):
                        return False
            except InventoryError as error:
                self._tell(error.problem)
                if leader.lost.is_set():
                    return False
                if self._options.is_once:
                    raise
                round_at = self._clock.monotonic() + BUSY_RETRY
            self._wait(min(poll_at, round_at))
        return True

    def _is_asked(self) -> bool:
        """Return whether somebody asked for a round now: a git server, or a person on the page."""
        is_asked = self.board.asked.is_set()
        self.board.asked.clear()
        return self._hook.take() or self._is_call_forwarded() or is_asked

    def _is_call_forwarded(self) -> bool:
        """Return whether a replica that stands by has passed a call of a git server on."""
        if not self._options.has_hook:
            return False
        if self._forwarded is None:
            self._forwarded = ForwardedCalls(self._led)
        return self._forwarded.take()

    def _is_approved(self) -> bool:
        """Return whether a person has approved the waiting plan."""
        if self.state.waiting is None:
            return False
        try:
            return find_approval(self._files.context, self.state.waiting) is not None
        except InvalidConfig as error:
            self._tell(error.problem)
            return False

    def _wait(self, until: float) -> None:
        """Wait until a time of the clock, or until something is to be looked at."""
        pauses = [until - self._clock.monotonic()]
        if (left := self._hook.seconds_left()) is not None:
            pauses.append(left)
        if self._options.has_hook and can_forward(self._led):
            pauses.append(FORWARDED_CALL_POLL)
        if self.state.waiting is not None:
            pauses.append(APPROVAL_POLL)
        if self._due is not None:
            pauses.append((self._due - self._clock.now()).total_seconds())
        if not self._halt.is_set():
            self._clock.wait(self._wake, min(pauses))
        self._wake.clear()
        self.board.beat()

    def _round(self, leader: Leader) -> Round:
        with self._options.observer.span("round"):
            return self._kept_round(leader)

    def _kept_round(self, leader: Leader) -> Round:
        """Run a round, keep its state, and tell what is new."""
        before, began = self.state, self._clock.monotonic()
        done = self._planned_round(leader)
        found = news(before, done.state, done.findings, self._clock.now())
        self.state = replace(done.state, told=found.told)
        self._log_lock(done)
        self._log_held(before)
        self._log_rest(is_news=bool(found.events))
        self._options.notify([event for event in found.events if self._is_told(event)])
        self._write(leader, before)
        seconds = self._clock.monotonic() - began
        plan = done.plan.plan if done.plan else None
        self._options.observer.ended(
            RoundEnd(state=self.state, seconds=seconds, plan=plan, balance=self._balance.latest)
        )
        self.board.show(self.state, self._files.context)
        return done

    def _is_told(self, event: Event) -> bool:
        """Return whether an event is told. With `is_once` each process leads anew, which is no news."""
        return not (self._options.is_once and event.kind is EventKind.LEADER_CHANGED)

    def _log_lock(self, done: Round) -> None:
        """Log who has the lock of the inventory, and that it is free again."""
        holder = done.state.paused[-1] if done.is_busy else ""
        if holder != self._lock_holder:
            self._options.log(f"waiting: {holder}" if holder else "the lock of the inventory is free again")
        self._lock_holder = holder

    def _log_held(self, before: SyncState) -> None:
        """Log what is held for a reason that no event tells: a window, a suspension, `prune: false`."""
        told = {*self.state.paused, *(one.why for one in before.endpoints)}
        held: dict[str, list[str]] = {}
        for one in self.state.endpoints:
            is_told = one.why in told or one.address in self.state.backoffs
            if one.status is SyncStatus.BLOCKED and not is_told:
                held.setdefault(one.why, []).append(one.address)
        name = f"{self.state.environment}: " if self.state.environment else ""
        for why, addresses in held.items():
            more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
            self._options.log(f"{name}held: {addresses[0]}{more}: {why}")

    def _log_rest(self, *, is_news: bool) -> None:
        """Log once an hour that nothing happens, so that a log without lines means a process without life."""
        now = self._clock.monotonic()
        if is_news:
            self._logged_at = now
        elif now - self._logged_at >= QUIET_LOG:
            self._logged_at = now
            counts = Counter(one.status for one in self.state.endpoints)
            parts = [f"{count} {status}" for status, count in counts.items()] or ["nothing is declared"]
            name = f"{self.state.environment}: " if self.state.environment else ""
            self._options.log(f"{name}no news: {', '.join(parts)}")

    def _planned_round(self, leader: Leader) -> Round:
        try:
            files = self._files.in_force(self.state)
        except ReconcilerError as error:
            return failed_round(self.state, SOURCE, error, self._clock.now())
        before = replace(self.state, revision=files.revision, rejected=files.rejected)
        done = run_round(
            RoundInput(
                context=files.context,
                loaded=files.loaded,
                load=files.load,
                before=before,
                stop=self._halt,
                check=leader.check,
                emit=lambda _event: self.board.beat(),
                observer=self._options.observer,
            )
        )
        if self._options.reads_balance and done.plan is not None:
            self._balance.refresh(files.context, files.loaded.settings)
        if files.problem is None:
            return done
        findings = done.findings
        if files.rejected:
            findings = replace(findings, refused={**findings.refused, SOURCE: files.problem})
        else:
            findings = replace(findings, failed={**findings.failed, SOURCE: files.problem})
        return replace(done, findings=findings)

    def _pause(self, done: Round) -> float:
        """Return the seconds until the next round that nothing else causes."""
        if done.is_again:
            return 0.0
        now = self._clock.now()
        ends = [pause.until for pause in done.state.backoffs.values() if pause.until > now]
        self._due = min([*ends, *([done.due] if done.due else ())], default=None)
        return BUSY_RETRY if done.is_busy else _varied(self._options.interval)

    def _is_due(self) -> bool:
        """Return whether a schedule, a lease, a window or a pause after a failure has come to its time.

        It is asked at least at each poll, so that a clock that jumps is noticed.
        """
        return self._due is not None and self._clock.now() >= self._due

    def _last_state(self) -> SyncState:
        """Return the state that the last leader wrote, or an empty one."""
        try:
            return read_state(self._files.context) or self.state
        except InventoryError as error:
            self._tell(error.problem)
            return self.state

    def _write(self, leader: Leader, before: SyncState) -> None:
        """Keep the state in the store, unless nothing but its times has changed."""
        now = self._clock.monotonic()
        is_fresh = self._written_at is not None and now - self._written_at < STATE_REFRESH
        if is_fresh and _without_times(before) == _without_times(self.state):
            return
        self._written_at = None  # if that fails, the next round writes it
        leader.write_document(SYNC_STATE, json_bytes(self.state.to_json()))
        self._written_at = now


def _without_times(state: SyncState) -> SyncState:
    return replace(state, checked_at=None, succeeded_at=None, next_round_at=None)


def _varied(seconds: float) -> float:
    return seconds * random.triangular(1 - JITTER, 1 + JITTER)


def _name(holder: LockHolder) -> str:
    return f"{holder.who}@{holder.host} (pid {holder.pid})"
