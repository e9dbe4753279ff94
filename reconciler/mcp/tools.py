"""The tools: each calls the function of a command, and answers with its document."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from reconciler.mcp.answers import Answer, failure, limited, problem_lines
from reconciler.mcp.catalogue import TOOLS
from reconciler.model import durations
from reconciler.model.errors import InvalidConfig, ReconcilerError, defect
from reconciler.model.plan import Action, Plan
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.run_report import RunReport
from reconciler.model.status import EndpointInfo
from reconciler.model.text import PatternMap, utc_text
from reconciler.model.values import Json
from reconciler.planning.selection import Selection
from reconciler.reports.run.json_plan import plan_document
from reconciler.reports.run.summary import headline
from reconciler.reports.run.text import SYMBOLS
from reconciler.reports.terminal.values import field_name
from reconciler.reports.views.documents import endpoint_document, status_document
from reconciler.reports.views.endpoints import summary_line
from reconciler.server.account_service import AccountService, TooManyWrites
from reconciler.workflow.approve import (
    DigestApproval,
    apply_approved,
    approve_command,
    find_approval,
    plan_changed,
    use_approval,
)
from reconciler.workflow.drift import drift
from reconciler.workflow.endpoints import get_endpoint
from reconciler.workflow.plan import plan
from reconciler.workflow.runtime.context import Context

T = TypeVar("T")

SHOWN: Final = 20
"""Changes that a text lists (count)."""


class Tools:
    """The tools for one folder. `stop` lets an apply finish the changes in flight and start no other."""

    def __init__(self, context: Context) -> None:
        self._base = replace(context, lock_timeout=durations.SERVER_LOCK_TIMEOUT)
        self._planning = asyncio.Lock()
        self._runs: dict[str, asyncio.Task[RunReport]] = {}
        self._opened: AccountService | None = None
        self.stop = threading.Event()

    async def close(self) -> None:
        """Finish what is being written."""
        self.stop.set()
        await asyncio.gather(*self._runs.values(), return_exceptions=True)
        if self._opened is not None:
            await asyncio.to_thread(self._opened.close)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Answer:
        """Call a tool. Every error is an answer too."""
        try:
            TOOLS[name].check(arguments)
            answer = await getattr(self, f"_{name}")(**arguments)
            assert isinstance(answer, Answer)
        except ReconcilerError as error:
            return failure(error.problems, error.command_exit_code)
        except TooManyWrites:
            return failure([_busy()], ExitCode.LOCKED)
        except Exception as error:  # its text could hold a secret
            return failure([defect(error)], ExitCode.ERROR)
        return answer

    @property
    def _context(self) -> Context:
        """Return the context of one call, which runs the secret helpers again."""
        return replace(self._base, helper_calls={})

    @property
    def _service(self) -> AccountService:
        """Return the cache and the writer, made on first use, so that a missing key is an answer."""
        if self._opened is None:
            self._opened = AccountService(self._base)
        return self._opened

    async def _endpoints(self, *, fresh: bool) -> tuple[tuple[EndpointInfo, ...], float]:
        """Return the selected endpoints, and the age of their listing in seconds."""
        snapshot = await self._service.cache.get(fresh=fresh)
        selected = tuple(info for info in snapshot.infos if self._context.selection.has(info.name))
        return selected, snapshot.age

    async def _list(self, match: str = "*", fresh: bool = False) -> Answer:
        infos, age = await self._endpoints(fresh=fresh)
        pattern = PatternMap([(match, True)])
        matching = [info for info in infos if pattern.matching(info.name)]
        items, omitted = limited([endpoint_document(info) for info in matching])
        return Answer(text=_listed(matching, age), document=items, omitted=omitted)

    async def _status(self, name: str = "", fresh: bool = False) -> Answer:
        if name:
            (info,) = (await asyncio.to_thread(get_endpoint, self._context, name)).endpoints
            return Answer(text=_status_line(info), document=status_document(info.app_status()))
        infos, age = await self._endpoints(fresh=fresh)
        items, omitted = limited([status_document(info.app_status()) for info in infos])
        return Answer(text=_listed(infos, age), document=items, omitted=omitted)

    async def _get(self, name: str) -> Answer:
        (info,) = (await asyncio.to_thread(get_endpoint, self._context, name)).endpoints
        return Answer(text=_status_line(info), document=endpoint_document(info))

    async def _plan(self, targets: list[str] | None = None) -> Answer:
        context = self._selecting(targets)
        planned = await self._alone(lambda: plan(context))
        digest = await asyncio.to_thread(lambda: planned.digest)
        code = planned.blocked or (ExitCode.CHANGES if planned.plan.pending else ExitCode.OK)
        run = planned.run_report("plan", utc_text(context.now()), exit_code=code)
        facts: dict[str, Json] = {"digest": digest}
        if planned.blocked is not None:
            end = "This plan cannot be applied: a person has to solve the problems first."
        elif not planned.plan.pending:
            end = ""
        else:
            facts["approve_with"] = approve_command(context, digest)
            end = (
                f"Digest: {digest}\nNothing is changed until a person approves this plan on a terminal:\n"
                f"  {facts['approve_with']}\nThen call `apply` with the digest."
            )
        answer = _plan_answer(run, f"{_plan_text(planned.plan, run)}\n{end}", facts)
        return replace(answer, is_error=planned.blocked is not None)

    async def _explain(self, name: str) -> Answer:
        context = self._context
        planned = await self._alone(lambda: plan(context))
        run = planned.run_report("plan", utc_text(context.now()), exit_code=planned.blocked or ExitCode.OK)
        document = await asyncio.to_thread(plan_document, replace(run, explained=True))
        changes = [one for one in document["resource_changes"] if name in (one["name"], one["address"])]
        if not changes:
            raise InvalidConfig(_nothing_planned(name))
        return Answer(
            text="\n".join(_explanation(change) for change in changes),
            document=changes[0],
            facts={"digest": document["digest"]},
        )

    async def _drift(self) -> Answer:
        context = self._context
        result = await self._alone(lambda: drift(context, now=context.now()))
        run = result.planned.run_report(
            "drift", utc_text(context.now()), exit_code=result.exit_code, refusals=result.problems
        )
        run = replace(run, drift_report=result.drift_report)
        names = [f"  {alarm.drift.key}" for alarm in result.drift_report.alarms]
        return _plan_answer(run, "\n".join([headline(run), *_first(names)]), {})

    async def _apply(self, digest: str) -> Answer:
        """Apply an approved plan. A second call while it runs waits for the same run."""
        run = self._runs.get(digest)
        if run is None:
            run = self._runs[digest] = asyncio.create_task(self._perform(digest))
            run.add_done_callback(lambda ended: self._forget(digest, ended))
        report = await asyncio.shield(run)
        is_error = report.exit_code != ExitCode.OK
        answer = _plan_answer(report, headline(report), {})
        if not is_error:
            return answer
        errors = problem_lines(problem for problem in report.problems if problem.is_error)
        return replace(answer, text="\n".join([answer.text, *errors]), is_error=True)

    def _forget(self, digest: str, ended: asyncio.Task[RunReport]) -> None:
        del self._runs[digest]
        if not ended.cancelled():
            ended.exception()  # otherwise asyncio logs the error of a run whose caller has gone away

    async def _perform(self, digest: str) -> RunReport:
        context = self._context
        approval = await asyncio.to_thread(find_approval, context, digest)
        context = replace(context, selection=approval.selection, who=f"{approval.who} via MCP")
        report = await self._service.write(
            lambda: apply_approved(context, _UsedOnce(context, digest), self.stop)
        )
        if report.report is None and report.exit_code == ExitCode.OK:  # there is nothing to do any more
            problems = (*report.problems, plan_changed())
            return replace(report, problems=problems, exit_code=int(ExitCode.STALE))
        return report

    async def _alone(self, read: Callable[[], T]) -> T:
        """Read the account in a thread, one plan after another."""
        async with self._planning:
            return await asyncio.to_thread(read)

    def _selecting(self, targets: list[str] | None) -> Context:
        if not targets:
            return self._context
        if not self._context.selection.is_everything:
            raise InvalidConfig(_has_selection())
        return replace(self._context, selection=Selection(targets=tuple(targets)))


class _UsedOnce(DigestApproval):
    """An approval that holds for one run: it is deleted as soon as the run has the lock."""

    def __init__(self, context: Context, digest: str) -> None:
        super().__init__(digest)
        self._context = context

    def on_locked(self, checkpoint: Callable[[], None]) -> None:
        super().on_locked(checkpoint)
        use_approval(self._context, self.digest)


def _plan_answer(run: RunReport, text: str, facts: Mapping[str, Json]) -> Answer:
    """Return the document of a plan with the changes only."""
    document = plan_document(run)
    changes, omitted = limited([one for one in document["resource_changes"] if one["action"] != "no-op"])
    drifts, more = limited(document["resource_drift"])
    document |= {"resource_changes": changes, "resource_drift": drifts}
    document["unmanaged"], others = limited(document["unmanaged"])
    return Answer(text=text, document=document, facts=facts, omitted=max(omitted, more, others))


def _plan_text(planned: Plan, run: RunReport) -> str:
    """Return the plan in a few lines, without values: they are in the document, masked."""
    lines = []
    for change in planned.pending:
        paths = ", ".join(field_name(field) for field in change.fields)
        is_new = change.action is Action.CREATE
        lines.append(
            f"  {SYMBOLS[change.action]} {change.key}: {change.action.value}; "
            + (change.reason if is_new or not paths else paths)
        )
    return "\n".join([headline(run), *_first(lines), *problem_lines(planned.errors)])


def _first(lines: list[str]) -> list[str]:
    """Return the first lines, and the number of the others."""
    more = len(lines) - SHOWN
    return [*lines[:SHOWN], *([f"  and {more} more"] if more > 0 else [])]


def _explanation(change: Mapping[str, Any]) -> str:
    """Return why one change is made."""
    explanation = change.get("explanation")
    if explanation is None:
        return f"{change['name']}: nothing is to be changed. {change['action_reason']}"
    calls = [f"  {call['method']} {call['path']}: {call['purpose']}" for call in explanation["calls"]]
    why = [f"  {line}" for line in explanation["why"]]
    return "\n".join(
        [f"{change['name']}: {change['action']}", *why, f"  rule: {explanation['rule']}", *calls]
    )


def _listed(infos: Sequence[EndpointInfo], age: float) -> str:
    counts = summary_line(infos) if infos else "No endpoint."
    return f"{counts}\nThe account was listed {age:.0f} s ago."


def _status_line(info: EndpointInfo) -> str:
    words = f"{info.name}: {info.status.value}, {info.ready_replicas} of {info.total_replicas} workers ready"
    return f"{words}\n{info.message}" if info.message else words


def _nothing_planned(name: str) -> Problem:
    return Problem(
        code="not-in-plan",
        summary=f"the plan has no endpoint `{name}`: it is neither declared nor recorded",
        hint="`list` shows the endpoints of the account, and who manages them",
    )


def _has_selection() -> Problem:
    return Problem(
        code="has-selection",
        summary="this server is limited to some endpoints by --target or --exclude",
        hint="call `plan` without targets",
        exit_code=ExitCode.USAGE,
    )


def _busy() -> Problem:
    return Problem(
        code="too-many-writes",
        summary="nothing was changed: too many other changes wait for the inventory",
        hint="wait until they have ended, then plan again",
        exit_code=ExitCode.LOCKED,
    )
