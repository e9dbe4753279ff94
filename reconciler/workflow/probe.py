"""The probes of an apply: each changed endpoint that declares one must answer it as expected."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from reconciler.apply.clock import SystemClock
from reconciler.model import durations
from reconciler.model.apply_events import ApplyEvent, ChangeProbed, ChangeResult, ChangeWaiting, Outcome
from reconciler.model.command import Operand, command_line
from reconciler.model.errors import EndpointNotFound, InvalidConfig, ReconcilerError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Adopt, Create, NoOp, Replace, Scale, Update
from reconciler.model.probe import Probe, ProbeResult
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.secrets import mask
from reconciler.model.settings import Settings
from reconciler.model.text import closest_match
from reconciler.novita.account import AccountReader
from reconciler.novita.http.masking import Secrets
from reconciler.novita.thread_pool import DaemonThreadPool, Pending
from reconciler.planning.selection import Selection
from reconciler.serving.probe import describe, probe_request, send_probe
from reconciler.workflow.call import WorkerReader, opened, refuse_key
from reconciler.workflow.endpoints import find_endpoint, load_inventory_leniently, refuse_foreign
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import owners_by_id


def probe_changed(
    context: Context,
    settings: Settings,
    account: AccountReader,
    results: Sequence[ChangeResult],
    failed: Iterable[str | None],
    emit: Callable[[ApplyEvent], None],
    stop: threading.Event,
) -> tuple[tuple[ChangeResult, ...], tuple[Problem, ...]]:
    """Probe the changed endpoints that serve. Return the results with their probes, and the problems.

    `failed` are the addresses of changes whose endpoints are known not to serve.
    """
    left_out = set(failed)
    probes = {
        result.change.address: probe
        for result in results
        if (probe := _probe_of(result)) is not None and result.change.address not in left_out
    }
    if not probes:
        return tuple(results), (_no_probe(),) if not left_out else ()

    def run(result: ChangeResult, probe: Probe) -> ProbeResult:
        change, object_id = result.change, result.id or ""
        found = probe_endpoint(
            context,
            settings,
            account,
            object_id,
            probe,
            lambda why: emit(ChangeWaiting(change=change, why=why)),
        )
        found = _masked(found, settings)
        emit(ChangeProbed(change=change, probe=found))
        return found

    done: dict[str, ProbeResult] = {}
    problems: list[Problem] = []
    with DaemonThreadPool(min(context.parallelism, len(probes))) as pool:
        running = [
            (result, pool.submit(run, result, probes[result.change.address]))
            for result in results
            if result.change.address in probes
        ]
        for result, pending in running:
            found = _result_of(pending, stop)
            if found is None:
                problems.append(_interrupted(result))
                continue
            done[result.change.address] = found
            if not found.passed:
                problems.append(_failure(result, found))
    probed = tuple(replace(result, probe=done.get(result.change.address)) for result in results)
    return probed, tuple(problems)


def _result_of(pending: Pending[ProbeResult], stop: threading.Event) -> ProbeResult | None:
    """Return the result of a probe, or None if the run is stopped before it is there."""
    while not stop.is_set():
        with suppress(TimeoutError):
            return pending.result(durations.INTERRUPT_CHECK)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """A declared endpoint and the result of its probe. `id` and `url` are "" if it is not live."""

    name: str
    id: str
    url: str
    probe: ProbeResult


def probe_declared(context: Context, name: str | None, on_wait: Callable[[str], None]) -> tuple[Probed, ...]:
    """Probe the declared endpoints that have a probe, or the one of that name; the results are by name.

    Raise InvalidConfig for errors in the files, if there is no probe, and for one of another environment.
    """
    selection = context.selection if name is None else Selection(names=frozenset({name}))
    loaded = load_config(replace(context, selection=selection))
    declared = {one.name: one.probe for one in loaded.desired if one.probe and selection.has(one.name)}
    if not declared:
        raise InvalidConfig(_nothing_to_send(name, [one.name for one in loaded.desired]))
    inventory, _ = load_inventory_leniently(context)
    owners = owners_by_id(context)
    with (
        reader(context, loaded.settings) as account,
        DaemonThreadPool(min(context.parallelism, len(declared))) as pool,
    ):

        def run(name: str, probe: Probe) -> Probed:
            try:
                live = find_endpoint(account, inventory, name)
            except EndpointNotFound as error:
                return Probed(name=name, id="", url="", probe=_unsent(probe, error.problem.summary))
            refuse_foreign(live, inventory, owners)
            found = probe_endpoint(context, loaded.settings, account, live.id, probe, on_wait)
            return Probed(name=name, id=live.id, url=live.url, probe=_masked(found, loaded.settings))

        running = [pool.submit(run, *item) for item in sorted(declared.items())]
        return tuple(pending.result() for pending in running)


def _nothing_to_send(name: str | None, known: Collection[str]) -> Problem:
    if name is not None and name not in known:
        close = closest_match(name, known)
        return Problem(
            code="not-declared",
            summary=f"`{name}` is not declared, so it has no probe",
            hint=f"did you mean `{close}`?"
            if close
            else f"`{command_line('reconciler', 'call', Operand(name))}` sends a request of your own",
        )
    whose = "no selected endpoint declares a `probe`" if name is None else f"`{name}` declares no `probe`"
    return Problem(
        code="no-probe",
        summary=f"nothing was sent, because {whose}",
        hint="`probe: {}` in the YAML of an endpoint declares one, which requests its health path",
    )


def _masked(probe: ProbeResult, settings: Settings) -> ProbeResult:
    """Return the result with the secrets of the run masked, which an endpoint may have repeated."""
    masked = Secrets(settings.secret_values).masked
    return replace(probe, got=masked(probe.got), reason=masked(probe.reason))


def probe_endpoint(
    context: Context,
    settings: Settings,
    account: AccountReader,
    object_id: str,
    probe: Probe,
    on_wait: Callable[[str], None],
) -> ProbeResult:
    """Send a probe to the endpoint with an ID. A request that cannot be sent is a probe that failed."""
    try:
        refuse_key(probe_request(probe), settings)
        live = account.get(object_id)
        if live is None:
            return _unsent(probe, "the endpoint is gone")
        with opened(context, settings, live) as connection:
            return send_probe(connection, probe, WorkerReader(account, live), SystemClock(), on_wait)
    except ReconcilerError as error:
        return _unsent(probe, error.problem.summary)


def _unsent(probe: Probe, why: str) -> ProbeResult:
    request = probe_request(probe)
    return ProbeResult(
        request=f"{request.method} {mask(probe.path)}", passed=False, expected=describe(probe.expect), got=why
    )


def _probe_of(result: ChangeResult) -> Probe | None:
    change = result.change
    has_served = result.outcome is Outcome.DONE and result.id
    if has_served and isinstance(change, Create | Update | Scale | Replace | Adopt | NoOp):
        return change.desired.probe
    return None


def _failure(result: ChangeResult, probe: ProbeResult) -> Problem:
    """Return the problem of a probe that failed: why workers do not serve, or what came."""
    change = result.change
    when = " by an earlier run" if isinstance(change, NoOp) else ""
    got = f" Got {probe.got}" if probe.reason else ""
    call = command_line("reconciler", "call", Operand(change.name))
    return Problem(
        code="probe-failed",
        summary=f"`{change.name}` ({result.id}) was applied{when}, and its probe failed:"
        f" {probe.reason or probe.got}",
        detail=f"{probe.request}: expected {probe.expected}.{got}",
        hint=f"`{call}` sends requests of your own",
        address=change.address,
        exit_code=ExitCode.INCOMPLETE,
    )


def _interrupted(result: ChangeResult) -> Problem:
    return Problem(
        code="probe-interrupted",
        summary=f"`{result.change.name}` ({result.id}) was applied; its probe was interrupted",
        hint=f"`{command_line('reconciler', 'probe', Operand(result.change.name))}` sends it again",
        address=result.change.address,
        exit_code=ExitCode.INTERRUPTED,
    )


def _no_probe() -> Problem:
    return Problem(
        code="no-probe",
        severity=Severity.NOTE,
        summary="no changed endpoint declares a `probe`, so none was sent",
    )
