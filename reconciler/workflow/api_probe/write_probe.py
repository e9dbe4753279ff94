"""The writes of `doctor --probe-api`: one endpoint is made, changed and deleted under the lock.

    intent on disk -> create -> record -> updates -> delete -> record dropped

Whatever fails after the create, the endpoint is deleted before this returns. After a kill the intent or the
record is left, which stops the next probe, and which `recover` and `delete` know.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from reconciler.apply.clock import Clock, SystemClock, poll
from reconciler.apply.create import create
from reconciler.inventory.session import Session
from reconciler.kinds.registry import ENDPOINT
from reconciler.model import durations
from reconciler.model.errors import ReconcilerError, Refused
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Create
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import Desired, Tracked
from reconciler.model.settings import Settings
from reconciler.novita.account import AccountWriter
from reconciler.novita.http.client import CallInfo, Client
from reconciler.novita.responses import is_inactive
from reconciler.planning.records import applied_record
from reconciler.workflow.api_probe.reads import Reading, read_all
from reconciler.workflow.api_probe.report import Finding, findings
from reconciler.workflow.api_probe.steps import Steps
from reconciler.workflow.api_probe.target import VARIABLES, Target, left_over, perhaps_left, require_none_left
from reconciler.workflow.api_probe.write_report import write_findings
from reconciler.workflow.runtime.account import new_client
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim
from reconciler.workflow.runtime.live import list_if_recorded
from reconciler.workflow.runtime.settings import base_url, valid_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """What the writes showed, and why they ended early or left the endpoint.

    reads: the findings of the reads, with those that only the new endpoint could answer.
    """

    reads: tuple[Finding, ...]
    writes: tuple[Finding, ...]
    problems: tuple[Problem, ...] = ()


def probe_writes(
    context: Context,
    target: Target,
    reads: tuple[Finding, ...],
    on_step: Callable[[str], None],
    *,
    stop: threading.Event,
    clock: Clock | None = None,
) -> WriteResult:
    """Make, change and delete the endpoint. Raise ReconcilerError if nothing was made.

    reads: the findings of the reads. on_step: gets a line before each step. stop: set to end early.
    """
    clock = clock or SystemClock()
    settings = valid_settings(context, lenient=True)
    inactive: list[CallInfo] = []

    def count(call: CallInfo) -> None:
        if is_inactive(call.message):
            inactive.append(call)
        if context.on_call is not None:
            context.on_call(call)

    counted = replace(context, early=None, on_call=count)
    with (
        locked_inventory(context, base_url(settings)) as session,
        _account(counted, settings, session) as (client, account),
    ):
        require_none_left(session.inventory)
        live = list_if_recorded(account, session.inventory)
        session.set_owner(require_claim(context, settings, session.inventory, live).owner)
        steps = Steps(client, account, target.desired, clock=clock, stop=stop, on_step=on_step)
        probe = _Probe(session, client, account, settings, clock, steps, on_step)
        problems = probe.run(target.desired, reads)
    steps.seen.inactive = len(inactive)
    return WriteResult(reads=probe.reads or reads, writes=write_findings(steps.seen), problems=problems)


@contextmanager
def _account(
    context: Context, settings: Settings, session: Session
) -> Iterator[tuple[Client, AccountWriter]]:
    """Yield write access, as `runtime.account.remote` does, and its client for answers that are looked at."""
    with (
        new_client(context, settings, read_only=True) as client,
        client.for_writes(session.hold.check) as writing,
    ):
        yield writing, AccountWriter(writing, ENDPOINT, parallelism=context.parallelism)


@dataclass(slots=True)
class _Probe:
    """One run, with the lock held."""

    session: Session
    client: Client
    account: AccountWriter
    settings: Settings
    clock: Clock
    steps: Steps
    on_step: Callable[[str], None]
    reads: tuple[Finding, ...] = ()

    def run(self, desired: Desired, reads: tuple[Finding, ...]) -> tuple[Problem, ...]:
        """Return why the run ended early or left the endpoint. Raise ReconcilerError if nothing was made."""
        try:
            record, sent = self._create(desired)
        except ReconcilerError as error:
            if desired.name not in {*self.session.inventory.intents, *self.session.inventory.records}:
                raise
            return (*error.problems, perhaps_left(desired.name))
        try:
            if self.steps.watch_created(record.id, sent, self.clock.now()):
                self._read_again(reads)
                self.steps.update(record.id)
                self.steps.drain()
        except ReconcilerError as error:
            return (*error.problems, *self._delete(record, is_watched=False))
        except BaseException:  # a bug, whose message does not know of the endpoint
            for problem in self._delete(record, is_watched=False):
                self.on_step(f"{problem.summary}\n  {problem.hint}")
            raise
        return tuple(self._delete(record, is_watched=True))

    def _create(self, desired: Desired) -> tuple[Tracked, float]:
        """Return the record of the new endpoint, and when the create was sent that made it.

        The first create has no requestTimeout, as those of some clients. If it is refused, it made nothing.
        """
        config = {
            key: value for key, value in desired.fields["workerConfig"].items() if key != "requestTimeout"
        }
        without = replace(desired, fields={**desired.fields, "workerConfig": config})
        answers = self.steps.seen.answers
        try:
            made = self._send_create(without, "without requestTimeout")
            answers["create without requestTimeout"] = Reading(status=200)
        except Refused as error:
            answers["create without requestTimeout"] = Reading(status=error.status, reason=error.reason)
            made = self._send_create(desired, "with all fields")
        answers["created"] = Reading(status=200)
        return made

    def _send_create(self, desired: Desired, what: str) -> tuple[Tracked, float]:
        self.on_step(f"POST /endpoint/create {what}")
        record = applied_record(desired, "", self.settings.keyring)
        sent = self.clock.now()
        object_id = create(
            Create(name=desired.name, reason="", desired=desired),
            _in_order(ENDPOINT.create_request(desired)),
            known_ids=(),
            account=self.account,
            session=self.session,
            clock=self.clock,
            keyring=self.settings.keyring,
            settle_seconds=self.settings.settle_seconds,
            record=record,
            is_name_freed=False,
            deposed=None,
            on_wait=self.on_step,
        )
        return replace(record, id=object_id), sent

    def _read_again(self, reads: tuple[Finding, ...]) -> None:
        """Read again what was open, because the account may have had no endpoint."""
        if all(one.value for one in reads):
            return
        again = {one.question: one for one in findings(read_all(self.client, self.on_step))}
        self.reads = tuple(one if one.value else again.get(one.question, one) for one in reads)

    def _delete(self, record: Tracked, *, is_watched: bool) -> list[Problem]:
        """Delete the endpoint and drop its record. Return the problem if it is left, or not seen to go.

        is_watched: look how long it stays visible.
        """
        self.on_step("POST /endpoint/delete")
        try:
            sent = self.clock.now()
            self.account.delete(record.id)
        except ReconcilerError as error:
            return [left_over(record.name, f"it could not be deleted ({error.problem.summary})")]
        answered = self.clock.now()
        problems: list[Problem] = []
        try:
            if is_watched:
                self.steps.watch_deleted(record.id, sent, answered)
        except ReconcilerError as error:
            problems += error.problems
        try:
            if not self._is_gone(record.id):
                return [*problems, left_over(record.name, "Novita accepted the delete, and still shows it")]
            self.session.drop(record)
        except ReconcilerError as error:
            return [
                *problems,
                left_over(record.name, f"it is not known to be gone ({error.problem.summary})"),
            ]
        self.on_step("The endpoint is deleted.")
        return problems

    def _is_gone(self, object_id: str) -> bool:
        """Return whether a read shows the delete in time."""
        for _ in poll(self.clock, within=durations.API_PROBE_VISIBLE, longest=durations.MAX_DELETE_POLL):
            live = self.account.get(object_id)
            if live is None or live.is_terminating:
                return True
        return False


def _in_order(request: Request) -> Request:
    """Return the create with the variables in their own order, in which no sorting puts them."""
    body: Any = request.body
    envs = [{"key": key, "value": value} for key, value in VARIABLES.items()]
    return replace(request, body={"endpoint": {**body["endpoint"], "envs": envs}})
