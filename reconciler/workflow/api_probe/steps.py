"""The writes of `doctor --probe-api`: changes of one endpoint, and what reads show after each of them.

Each update also changes three fields that are always sent, so that a read tells whether it shows the update.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any, Final

from reconciler.apply.clock import Clock, poll
from reconciler.kinds.registry import ENDPOINT
from reconciler.model import durations
from reconciler.model.errors import NotApplied, NotFound, Refused
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Desired, Live
from reconciler.model.values import Fields
from reconciler.novita.account import AccountWriter
from reconciler.novita.http.client import Client
from reconciler.workflow.api_probe.reads import Reading
from reconciler.workflow.api_probe.span import Span

LARGE: Final = 100_000
"""A number above each maximum of the limits that are known."""

READS: Final = 3
"""Reads of one endpoint that tell whether the order of its env is always the same (count)."""

UNKNOWN_CREDENTIAL: Final = "reconcilerprobe0"
"""An ID in the form of Novita's, which no registry credential has."""

MARKS: Final = (("workerConfig", "freeTimeout"), ("policy", "value"), ("healthy", "path"))
"""The fields that each update changes."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """What the writes and the reads after them showed. A step that did not happen has no entry.

    spans: how long a write was not visible, by write and kind of read. answers: to writes. shown: the
    endpoint in the first read that shows a write. env: the variables of each read, in order.
    inactive: creates that failed because the cluster is not active (count).
    """

    spans: dict[str, Span] = field(default_factory=dict)
    answers: dict[str, Reading] = field(default_factory=dict)
    shown: dict[str, Live] = field(default_factory=dict)
    env: list[tuple[tuple[str, Any], ...]] = field(default_factory=list)
    inactive: int = 0


class Steps:
    """The steps for one endpoint. Each raises ReconcilerError if Novita fails, or NotApplied at an interrupt.

    client, account: the same account, with write access. on_step: gets a line before each step.
    """

    def __init__(
        self,
        client: Client,
        account: AccountWriter,
        desired: Desired,
        *,
        clock: Clock,
        stop: threading.Event,
        on_step: Callable[[str], None],
    ) -> None:
        self.seen = Seen()
        self._client = client
        self._account = account
        self._desired = desired
        self._clock = clock
        self._stop = stop
        self._on_step = on_step
        self._end = clock.now() + durations.API_PROBE_TIME
        self._updates = 0

    def watch_created(self, object_id: str, sent: float, answered: float) -> bool:
        """Wait until both kinds of reads show the new endpoint. Return False if none by its ID does.

        sent, answered: the times of the create by the clock.
        """
        self._on_step("GET  until both kinds of reads show it")
        live = self._watch(object_id, sent, answered, {"create": lambda live: live is not None})
        if live is not None:
            self.seen.shown["create"] = live
        for _ in range(READS if live is not None else 0):
            again = self._account.get(object_id)
            if again is not None:
                self.seen.env.append(tuple(again.fields["envs"].items()))
        return live is not None

    def update(self, object_id: str) -> None:
        """Send the updates, each after the effect of the one before is visible."""
        self._update("update", object_id, listed=True)
        self._update("without env", object_id, leave_out="envs")
        self._update("unknown credential", object_id, image={"authId": UNKNOWN_CREDENTIAL})
        size = int(self._desired.fields["rootfsSize"])
        self._update("fixed field", object_id, rootfsSize=size - 1)
        large = {"freeTimeout": LARGE, "maxConcurrent": LARGE, "requestTimeout": LARGE}
        self._update("large numbers", object_id, workerConfig=large, policy={"value": LARGE})
        self._update("scale to zero", object_id, workerConfig={"minNum": 0, "maxNum": 1})

    def drain(self) -> None:
        """Ask to drain a worker that does not exist."""
        self._on_step("POST /endpoint/worker/drain of no worker")
        self.seen.answers["drain"] = self._send(ENDPOINT.drain_request(self._desired.name))

    def watch_deleted(self, object_id: str, sent: float, answered: float) -> None:
        """Wait until no read shows the endpoint. Then try each key of a delete with the ID that is gone."""
        self._on_step("GET  until no read shows it")
        conditions: dict[str, Callable[[Live | None], bool]] = {
            "delete": lambda live: live is None or live.is_terminating,
            "gone": lambda live: live is None,
        }
        self._watch(object_id, sent, answered, conditions, within=durations.API_PROBE_DELETE)
        if any(math.isinf(self.seen.spans[f"gone {read}"].high) for read in ("get", "list")):
            return
        self._on_step("POST /endpoint/delete with each key")
        for keys in (("id", "name"), ("id",), ("name",)):
            body = dict.fromkeys(keys, object_id)
            request = Request(method="POST", path=f"{API_ROOT}/endpoint/delete", body=body)
            self.seen.answers[f"delete by {' and '.join(keys)}"] = self._send(request)

    def _update(
        self, name: str, object_id: str, *, listed: bool = False, leave_out: str = "", **changes: Any
    ) -> None:
        """Send one update, and wait until a read shows it. A refusal is an answer too.

        leave_out: a key that is not sent. changes: more values of the body; an object is merged.
        """
        self._on_step(f"POST /endpoint/update {name}")
        self._updates += 1
        before = self._account.get(object_id)
        request = self._update_request(object_id, changes, leave_out)
        sent = self._check()
        self.seen.answers[name] = reading = self._send(request)
        if reading.status != 200 or before is None:
            return
        old = _marks(before.fields)
        conditions = {name: lambda live: live is not None and _marks(live.fields) != old}
        reads = ("get", "list") if listed else ("get",)
        shown = self._watch(object_id, sent, self._clock.now(), conditions, reads=reads)
        if shown is None or math.isinf(self.seen.spans[f"{name} get"].high):
            raise NotApplied(_never_visible(name))
        self.seen.shown[name] = shown

    def _update_request(self, object_id: str, changes: Mapping[str, Any], leave_out: str) -> Request:
        """Return a full update to the desired fields with new marks, and then these changes."""
        fields, count = self._desired.fields, self._updates
        config, policy = fields["workerConfig"], fields["policy"]
        target = {
            "workerConfig": {**config, "freeTimeout": config["freeTimeout"] + count},
            "policy": {**policy, "value": policy["value"] + count},
            "healthy": {"path": f"/{count}"},
        }
        live = Live(id=object_id, name=self._desired.name, fields=fields)
        request = ENDPOINT.update_request(live, target)
        body: dict[str, Any] = dict(request.body)
        for key, value in changes.items():
            body[key] = {**body[key], **value} if isinstance(value, dict) else value
        body.pop(leave_out, None)
        return replace(request, body=body)

    def _watch(
        self,
        object_id: str,
        sent: float,
        answered: float,
        conditions: Mapping[str, Callable[[Live | None], bool]],
        *,
        reads: tuple[str, ...] = ("get", "list"),
        within: float = durations.API_PROBE_VISIBLE,
    ) -> Live | None:
        """Read by ID and in the listing until each condition holds in both. Record how long each did not.

        Return what the last read by ID showed.
        """
        late = {(name, read): -1.0 for name in conditions for read in reads}
        found: Live | None = None
        for _ in poll(self._clock, within=within, longest=durations.MAX_VISIBLE_POLL):
            for read in reads:
                if not any(kind == read for _, kind in late):
                    continue
                began = self._check()
                live = self._account.get(object_id) if read == "get" else self._listed(object_id)
                ended = self._clock.now()
                found = live if read == "get" else found
                for name, kind in tuple(late):
                    if kind != read:
                        continue
                    if conditions[name](live):
                        low, high = late.pop((name, kind)), max(ended - sent, 0.0)
                        self.seen.spans[f"{name} {read}"] = Span(low=low, high=high)
                    else:
                        late[name, kind] = max(began - answered, 0.0)
            if not late:
                break
        for (name, read), low in late.items():
            self.seen.spans[f"{name} {read}"] = Span(low=low, high=math.inf)
        return found

    def _listed(self, object_id: str) -> Live | None:
        found = self._account.list_unverified().endpoints
        return next((live for live in found if live.id == object_id), None)

    def _send(self, request: Request) -> Reading:
        """Return the answer to a write; a refusal is one."""
        self._check()
        try:
            return Reading(status=200, json=self._client.send(request))
        except (NotFound, Refused) as error:
            return Reading(status=error.status, reason=error.reason)

    def _check(self) -> float:
        """Return the time. Raise NotApplied after an interrupt, or if the steps take too long."""
        now = self._clock.now()
        if self._stop.is_set():
            raise NotApplied(_ended("the probe was interrupted", ExitCode.INTERRUPTED))
        if now > self._end:
            raise NotApplied(_ended(f"the probe took more than {durations.API_PROBE_TIME:.0f} s"))
        return now


def _marks(fields: Fields) -> tuple[Any, ...]:
    return tuple(fields.get(head, {}).get(leaf) for head, leaf in MARKS)


def _never_visible(name: str) -> Problem:
    return Problem(
        code="probe-not-visible",
        summary=f"no read showed the update `{name}` within {durations.API_PROBE_VISIBLE:.0f} s",
        detail="The steps after it cannot be told apart from it, and were left out.",
        hint="run the command again, and attach both reports",
    )


def _ended(summary: str, exit_code: ExitCode = ExitCode.ERROR) -> Problem:
    return Problem(
        code="probe-ended",
        summary=summary,
        hint="reconciler doctor --probe-api --with-writes   begins again",
        exit_code=exit_code,
    )
