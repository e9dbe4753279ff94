"""The preflight of a run: what its checks need is read from Novita and, on request, from the registries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.model import durations
from reconciler.model.plan import Plan
from reconciler.model.problem import Problem
from reconciler.model.resource import Inventory, Limits, Live
from reconciler.model.review.preflight import Preflight, PreflightCheck, Result
from reconciler.novita.account import AccountReader
from reconciler.planning.review.disruption import effects_of
from reconciler.planning.review.preflight import Facts, preflight, preflight_problems
from reconciler.planning.review.storage_regions import new_storages
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.prices import priced

if TYPE_CHECKING:
    from reconciler.config.loader import LoadedConfig


def reviewed(
    context: Context,
    account: AccountReader,
    loaded: LoadedConfig,
    plan: Plan,
    inventory: Inventory,
    live: Sequence[Live],
    limits: Limits | None,
    beyond_limits: Sequence[Problem],
) -> Plan:
    """Return the plan with its cost and its preflight, and with the problems that both found.

    beyond_limits: the problems of values that exceed the limits.
    Registries are asked only on request, and only for the images that are changed: after the listing.
    """
    if new_storages(plan.changes):
        account.optional.begin_storage_offers()
    plan = replace(plan, effects=effects_of(plan))
    plan = priced(context, account, loaded, plan, inventory, live, limits)
    is_requested = context.allow.preflight
    if is_requested:
        from reconciler.workflow.images.credentials import credentials_of
        from reconciler.workflow.images.preflight import image_checks

        images = tuple(image_checks(plan.changes, credentials_of(context, loaded)))
    else:
        images = (_not_asked(),)
    known = Facts(
        limits=limits,
        beyond_limits=beyond_limits,
        products=account.optional.products(durations.PRICE_TIMEOUT),
        balance=account.optional.balance(durations.PRICE_TIMEOUT),
        cost=plan.cost,
        live=live,
        images=images,
        storage_offers=account.optional.storage_offers(durations.PRICE_TIMEOUT)
        if new_storages(plan.changes)
        else None,
    )
    checks = preflight(plan.changes, known)
    if not checks:
        return plan
    found = Preflight(checks=checks, is_requested=is_requested)
    return replace(plan, preflight=found, problems=(*plan.problems, *preflight_problems(found)))


def _not_asked() -> PreflightCheck:
    return PreflightCheck(
        name="image",
        result=Result.NOT_CHECKED,
        detail="registries are asked only on request",
        hint="reconciler plan --preflight   asks them",
    )
