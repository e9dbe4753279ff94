"""The products that Novita offers to serverless endpoints now."""

from __future__ import annotations

from reconciler.model.durations import BUDGET_TIMEOUT
from reconciler.model.errors import InvalidConfig
from reconciler.model.market.products import Products
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import valid_settings


def available_products(context: Context) -> Products:
    """Return the products. Raise InvalidConfig if Novita does not list them, or if there is no API key."""
    with reader(context, valid_settings(context)) as account:
        products = account.optional.products(BUDGET_TIMEOUT)
    if products is None:
        raise InvalidConfig(
            Problem(
                code="products-unknown",
                summary="Novita did not list its products (GET /gpus/v2/products)",
                detail="The key may lack the permission for it, or Novita cannot be reached at that address.",
                hint="reconciler doctor   checks key and address",
            )
        )
    return products
