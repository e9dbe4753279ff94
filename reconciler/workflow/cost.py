"""`reconciler cost`: what the account costs now, by endpoint and storage. Reads only."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.model import durations
from reconciler.model.errors import ApiError, InvalidConfig
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import STORAGE, Live
from reconciler.model.status import Managed
from reconciler.novita.account import AccountReader
from reconciler.novita.thread_pool import DaemonThreadPool
from reconciler.planning.cost.current import CostNow, running_cost, total_of
from reconciler.planning.matching import managed
from reconciler.workflow.endpoints import LocalState, load_local_state
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.prices import prices_of


def cost_now(context: Context) -> CostNow:
    """Return what the account costs. Raise InvalidConfig if a selector matches no endpoint."""
    local = load_local_state(context)
    with reader(context, local.settings) as account:
        optional = account.optional
        optional.begin_products()
        optional.begin_balance()
        optional.begin_limits()
        storages = DaemonThreadPool(1).submit(storages_of, account)
        listed = list_complete(account, (record.id for record in local.inventory.records.values())).endpoints
        live = (*_with_workers(account, listed), *(storages.result() or ()))
        problems = local.problems if storages.result() is not None else (*local.problems, _no_storages())
        prices = prices_of(
            context, local.specs, live, optional.products(durations.BUDGET_TIMEOUT), optional.limits()
        )
        balance = optional.balance(durations.BUDGET_TIMEOUT)
    states = {**managed(local.desired, local.inventory, listed), **_others_managed(local)}
    found = (
        running_cost(
            one,
            prices,
            states.get(one.id, Managed.UNMANAGED),
            "" if one.id in states else local.owners.get(one.id, ""),
        )
        for one in live
    )
    costs = [cost for cost in found if cost is not None]
    if unmatched := context.selection.unmatched(cost.live.name for cost in costs):
        raise InvalidConfig(*unmatched)
    costs.sort(
        key=lambda cost: (-cost.now.per_hour, -cost.side.ceiling.per_hour, cost.live.name, cost.live.id)
    )
    now, total = total_of(costs)
    return CostNow(
        resources=tuple(cost for cost in costs if context.selection.has(cost.live.name)),
        account_now=now,
        account_total=total,
        balance=balance,
        budget=local.settings.budget,
        problems=problems,
    )


def _others_managed(local: LocalState) -> dict[str, Managed]:
    """Return how recorded resources of other kinds are managed, by ID."""
    declared = {desired.address for desired in local.others}
    return {
        record.id: Managed.DECLARED if record.address in declared else Managed.RECORDED
        for part in local.inventory.others.values()
        for record in part.records.values()
    }


def _no_storages() -> Problem:
    return Problem(
        code="storages-unknown",
        severity=Severity.WARNING,
        summary="the network storages of the account could not be read, and are not counted",
    )


def storages_of(account: AccountReader) -> tuple[Live, ...] | None:
    """Return the network storages; None if they cannot be read."""
    try:
        return account.of(STORAGE).listing().endpoints
    except ApiError:
        return None


def _with_workers(account: AccountReader, listed: Iterable[Live]) -> tuple[Live, ...]:
    """Return the endpoints with their workers; those listed without any are read one by one."""
    listed = tuple(listed)
    read = {
        live.id: live for live in account.get_many(live.id for live in listed if "workers" not in live.raw)
    }
    return tuple(read.get(live.id, live) for live in listed)
