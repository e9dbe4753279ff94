"""The checks of the account: connection, API key, clock, limits, regions, listing and records."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from reconciler.config.loader import LoadedConfig
from reconciler.kinds.registry import ENDPOINT
from reconciler.model import durations
from reconciler.model.errors import ApiError, KeyRefused, ReconcilerError
from reconciler.model.plan import Create
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Live, Tracked
from reconciler.model.run_report import Check, CheckStatus
from reconciler.model.secrets import mask, reveal
from reconciler.novita.account import AccountReader
from reconciler.novita.http.client import CallInfo
from reconciler.novita.http.retry import parse_http_date
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.planning.unreadable import describe_unread
from reconciler.workflow.doctor.balance import balance_check, begin_balance
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.live import list_complete

NAMES: Final = ("reachable", "accepted", "clock", "limits", "regions", "listing", "records", "balance")
SHOWN: Final = 5


def skipped_checks(reason: str, *done: str) -> Iterator[Check]:
    """Yield all checks of the account as skipped, except those `done`."""
    return (Check(name=name, status=CheckStatus.SKIP, detail=reason) for name in NAMES if name not in done)


def account_checks(
    context: Context,
    loaded: LoadedConfig,
    records: Mapping[str, Tracked],
    now: Callable[[], float],
    storages: str = "",
) -> Iterator[Check]:
    """Yield every check of `NAMES`, in that order. `storages` are the recorded network storages in words."""
    calls: list[CallInfo] = []
    unread: list[Live] = []

    def on_call(call: CallInfo) -> None:
        calls.append(call)
        if context.on_call:
            context.on_call(call)

    def on_unread(live: Live) -> None:
        unread.append(live)
        if context.on_unread:
            context.on_unread(live)

    try:
        with reader(replace(context, on_call=on_call, on_unread=on_unread), loaded.settings) as account:
            error = _refusal(account)
            yield _reachable(error, calls[-1])
            if error is None:
                yield Check(name="accepted", status=CheckStatus.OK, detail="the API key is accepted")
            elif isinstance(error, KeyRefused):
                yield _failed("accepted", error.problem)
            else:
                yield Check(name="accepted", status=CheckStatus.SKIP, detail="the API key was not checked")
            yield _clock(calls[-1], now())
            if error is not None:
                yield from skipped_checks("the account cannot be read", "reachable", "accepted", "clock")
                return
            account.prefetch()
            account.optional.begin_limits()
            begin_balance(account)
            clusters = DaemonThreadPool(1).submit(account.optional.clusters)
            yield _limits(account, loaded.desired)
            yield _regions(clusters.result(), loaded.desired)
            listed = yield from _records(account, records, unread)
            yield balance_check(context, loaded, account, listed, storages)
    except ReconcilerError as error:
        yield _failed("account", error.problem)


def _refusal(account: AccountReader) -> ApiError | None:
    try:
        account.probe()
    except ApiError as error:
        return error
    return None


def _reachable(error: ApiError | None, call: CallInfo) -> Check:
    if error is None or isinstance(error, KeyRefused):
        return Check(
            name="reachable", status=CheckStatus.OK, detail=f"responds in {call.seconds * 1000:.0f} ms"
        )
    return _failed("reachable", error.problem)


def _clock(call: CallInfo, now: float) -> Check:
    server_time = parse_http_date(call.date)
    if server_time is None:
        return Check(name="clock", status=CheckStatus.SKIP, detail="no response contained a date")
    ahead = now - server_time
    if abs(ahead) <= durations.CLOCK_TOLERANCE:
        return Check(
            name="clock",
            status=CheckStatus.OK,
            detail=f"within {durations.CLOCK_TOLERANCE:.0f} s of Novita's",
        )
    return Check(
        name="clock",
        status=CheckStatus.WARN,
        detail=f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Novita's",
        hint="synchronize the clock of this machine; times in logs and in the history are wrong",
    )


def _limits(account: AccountReader, declared: tuple[Desired, ...]) -> Check:
    limits = account.optional.limits()
    if limits is None:
        return Check(
            name="limits",
            status=CheckStatus.WARN,
            detail="the limits of the account cannot be read, so plans are not checked against them",
            hint="no action is needed: Novita refuses an apply above a limit",
        )
    fitted = (ENDPOINT.fit_defaults(desired, limits, None) for desired in declared)
    creates = [Create(name=desired.name, reason="", desired=desired) for desired in fitted]
    breaches = [found for found in ENDPOINT.check_limits(creates, limits) if found.code == "limit"]
    if breaches:
        more = f", and {len(breaches) - 1} more" if len(breaches) > 1 else ""
        return Check(
            name="limits",
            status=CheckStatus.WARN,
            detail=f"{breaches[0].summary}{more}",
            hint=breaches[0].hint,
        )
    detail = "the declared endpoints are within the limits" if declared else "they can be read"
    return Check(name="limits", status=CheckStatus.OK, detail=detail)


def _regions(offered: frozenset[str] | None, declared: tuple[Desired, ...]) -> Check:
    users: dict[str, list[str]] = {}
    for desired in declared:
        users.setdefault(reveal(desired.fields["clusterID"]), []).append(desired.name)
    if offered is None:
        return Check(
            name="regions", status=CheckStatus.SKIP, detail="Novita does not list the regions of the account"
        )
    shown = {reveal(desired.fields["clusterID"]): mask(desired.fields["clusterID"]) for desired in declared}
    unknown = sorted(users.keys() - offered)
    if unknown:
        region = unknown[0]
        more = f"; nor are {_some([shown[name] for name in unknown[1:]])}" if len(unknown) > 1 else ""
        return Check(
            name="regions",
            status=CheckStatus.WARN,
            detail=f"{shown[region]} of {_some(users[region])} is not a region of the account{more}",
            hint=f"correct `region` in specs.yaml; available regions: {', '.join(sorted(offered))}",
        )
    detail = _some(sorted(shown.values())) if users else f"{len(offered)} are offered, none is used"
    return Check(name="regions", status=CheckStatus.OK, detail=detail)


def _records(
    account: AccountReader, records: Mapping[str, Tracked], unread: Sequence[Live]
) -> Generator[Check, None, Sequence[Live] | None]:
    """Yield the checks of the listing and of the records, and return the endpoints if they were listed."""
    try:
        listed = list_complete(account, (record.id for record in records.values()))
    except ReconcilerError as error:
        yield _failed("listing", error.problem)
        yield Check(name="records", status=CheckStatus.SKIP, detail="the account could not be listed")
        return None
    live_ids = {live.id for live in listed.endpoints}
    number = len(live_ids) + len(listed.unidentified)
    count = "1 endpoint" if number == 1 else f"{number} endpoints"
    yield _listing(f"{count}, proven complete", unread)
    gone = sorted(name for name, record in records.items() if record.id not in live_ids)
    if gone:
        yield Check(
            name="records",
            status=CheckStatus.WARN,
            detail=f"gone from the account: {_some(gone)}",
            hint="reconciler plan   shows what the next apply does about it",
        )
    else:
        yield Check(
            name="records",
            status=CheckStatus.OK,
            detail=_all_live(len(records)),
        )
    return listed.endpoints


def _all_live(count: int) -> str:
    if count < 2:
        return "1 is live" if count else "none"
    return f"all {count} are live"


def _listing(count: str, unread: Sequence[Live]) -> Check:
    """Return the check of the listing, with the parts of endpoints that cannot be read."""
    unreadable = list(dict.fromkeys(map(describe_unread, unread)))
    if not unreadable:
        return Check(name="listing", status=CheckStatus.OK, detail=count)
    return Check(
        name="listing",
        status=CheckStatus.WARN,
        detail=f"{count}; not readable: {_some(unreadable)}",
        hint="unreadable fields are not compared; correct them in Novita Console, or report a bug",
    )


def _failed(name: str, problem: Problem) -> Check:
    hint = "\n".join(filter(None, (problem.detail, problem.hint)))
    return Check(name=name, status=CheckStatus.FAIL, detail=problem.summary, hint=hint)


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
