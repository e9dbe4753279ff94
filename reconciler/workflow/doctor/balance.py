"""The check of the balance: how long it lasts at the floor of the account."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from reconciler.config.loader import LoadedConfig
from reconciler.model import durations
from reconciler.model.market.cost import Total
from reconciler.model.market.text import hourly, usd
from reconciler.model.resource import STORAGE, Live
from reconciler.model.run_report import Check, CheckStatus
from reconciler.novita.account import AccountReader
from reconciler.planning.cost.current import runway
from reconciler.planning.cost.plan_cost import live_cost
from reconciler.reports.views.cost import runway_text
from reconciler.workflow.cost import storages_of
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.prices import prices_of

NAME = "balance"


def begin_balance(account: AccountReader) -> None:
    """Begin to read in the background what the check needs."""
    account.optional.begin_balance()
    account.optional.begin_products()
    account.of(STORAGE).prefetch()


def balance_check(
    context: Context,
    loaded: LoadedConfig,
    account: AccountReader,
    listed: Sequence[Live] | None,
    storages: str = "",
) -> Check:
    """Return whether the balance lasts for some days.

    listed: the endpoints, None if they are not known. storages: the recorded network storages in words.
    """
    balance = account.optional.balance(durations.BUDGET_TIMEOUT)
    if balance is None:
        return Check(name=NAME, status=CheckStatus.SKIP, detail="Novita does not tell the balance")
    available = usd(Fraction(balance.available))
    if balance.available <= 0:
        return Check(
            name=NAME,
            status=CheckStatus.FAIL,
            detail=f"the balance is {available}: Novita stops workers and refuses changes",
            hint="top up in Novita Console (https://console.novita.ai); "
            + (storages or "storages of an account without money")
            + " will be released after three days, with all data",
        )
    if listed is None:
        return Check(name=NAME, status=CheckStatus.OK, detail=available)
    live = (*listed, *(storages_of(account) or ()))
    products, limits = account.optional.products(durations.BUDGET_TIMEOUT), account.optional.limits()
    prices = prices_of(context, loaded.specs, live, products, limits)
    floor = Total.of(live_cost(one, prices) for one in live).floor
    lasting = runway(balance, floor)
    detail = f"{available}; at the floor of the account ({hourly(floor)} per hour) {runway_text(lasting)}"
    if lasting.hours is not None and lasting.hours * 3600 < durations.MIN_RUNWAY:
        hint = "reconciler cost   shows what runs; top up in Novita Console (https://console.novita.ai)"
        return Check(name=NAME, status=CheckStatus.WARN, detail=detail, hint=hint)
    return Check(name=NAME, status=CheckStatus.OK, detail=detail)
