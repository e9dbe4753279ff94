"""The prices that specs.yaml declares: `pricePerHour`, in USD for a worker with all its GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Spec
from reconciler.model.secrets import reveal
from reconciler.yamlfile.scalars import truncated

if TYPE_CHECKING:
    from decimal import Decimal

_PRICE: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,12})?\Z")
"""A price in this form is exact as a decimal, and so are all sums and products of it."""


def price_problems(spec_name: str, written: str, place: Place | None) -> Iterator[Problem]:
    """Yield an error if a price, as it is written, is not a number of USD."""
    if not _PRICE.match(written):
        yield Problem(
            code="bad-price",
            summary=f"`pricePerHour` of spec {spec_name} must be a number of USD, not {truncated(written)}",
            hint='write `pricePerHour: "0.63"`, the price of one worker with all its GPUs for an hour',
            place=place,
        )


def declared_prices(specs: Iterable[Spec]) -> dict[tuple[str, str, int], Decimal]:
    """Return the prices by product ID, region and GPUs. Specs of one shape with several prices have none."""
    found: dict[tuple[str, str, int], set[str]] = {}
    for spec in specs:
        if spec.price_per_hour:
            shape = (str(reveal(spec.product_id)), str(reveal(spec.region)), spec.gpu)
            found.setdefault(shape, set()).add(spec.price_per_hour)
    if not found:
        return {}
    from decimal import Decimal

    prices = {shape: {Decimal(text) for text in texts} for shape, texts in found.items()}
    return {shape: values.pop() for shape, values in prices.items() if len(values) == 1}
