"""Amounts of USD as text: rounded half up, and never rounded to nothing."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from reconciler.model.market.cost import Amount

SMALL: Final = 10
"""USD per hour up to which fractions of a cent are shown."""

EXACT_PLACES: Final = 12
"""Decimals in documents for programs. Only amounts with a price per day need more."""


def digits(value: Fraction, places: int) -> str:
    """Return a number rounded to that many decimals, without a separator of thousands."""
    scaled = (abs(value.numerator) * 10**places * 2 + value.denominator) // (2 * value.denominator)
    whole, part = divmod(scaled, 10**places)
    sign = "-" if value < 0 and scaled else ""
    return f"{sign}{whole}.{part:0{places}}"


def exact(value: Fraction) -> str:
    """Return a number for programs: with at least two decimals, and no more than needed, at most twelve."""
    return _trimmed(digits(value, EXACT_PLACES))


def usd(value: Fraction, places: int = 2) -> str:
    """Return an amount such as `$1,379.70`; with more places, those that are zero are left out."""
    smallest = Fraction(1, 10**places)
    if 0 < value < smallest / 2:
        return f"<${digits(smallest, places)}"
    whole, _, part = _trimmed(digits(abs(value), places)).partition(".")
    sign = "-" if value < 0 else ""
    return f"{sign}${int(whole):,}.{part}"


def _trimmed(number: str) -> str:
    whole, _, part = number.partition(".")
    return f"{whole}.{part.rstrip('0'):0<2}"


def hourly(amount: Amount) -> str:
    """Return USD per hour, such as `at least ~$0.0525`."""
    return _marked(amount, usd(amount.per_hour, 4 if amount.per_hour < SMALL else 2))


def monthly(amount: Amount) -> str:
    """Return USD per month, such as `at least ~$459.90`."""
    return _marked(amount, usd(amount.per_month))


def daily(amount: Amount) -> str:
    """Return USD per day."""
    return _marked(amount, usd(amount.per_day, 4))


def once(amount: Amount) -> str:
    """Return USD that are paid once."""
    return hourly(amount)


def _marked(amount: Amount, text: str) -> str:
    """Return the text with its doubts; one word if nothing is known."""
    if amount.is_unknown:
        return "unknown"
    return f"{'at least ' if amount.is_at_least else ''}{'~' if amount.is_approximate else ''}{text}"
