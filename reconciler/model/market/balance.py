"""The balance of an account."""

from __future__ import annotations

from decimal import Decimal

from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """The balance of an account in USD, exact. What Novita does not tell is None.

    available: what can be spent. credit: the credit limit. owed: outstanding invoices.
    """

    available: Decimal
    cash: Decimal | None = None
    credit: Decimal | None = None
    owed: Decimal | None = None
