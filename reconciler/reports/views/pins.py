"""The pins of images as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.model.command import command_line
from reconciler.model.values import Json
from reconciler.registry.pins import Pin, PinState
from reconciler.reports.terminal.escape import plain


def pin_lines(pins: Sequence[Pin], *, is_check: bool) -> Iterator[str]:
    """Yield a line for each image that a check found open, and a line with the numbers."""
    counts = Counter(pin.state for pin in pins)
    if not pins:
        yield "No endpoints are declared."
        return
    found = [pin for pin in pins if pin.state in (PinState.MISSING, PinState.MOVED)]
    open_count = sum(pin.is_literal for pin in found)
    if is_check:
        for pin in pins:
            if pin.moved:
                yield plain(f"{pin.endpoint}: {pin.moved}")
            elif pin.state is PinState.MISSING:
                yield plain(f"{pin.endpoint}: `{pin.image}` has no digest")
        what = f"{open_count} to pin" if open_count else "nothing to pin"
    else:
        what = f"{sum(bool(pin.digest) for pin in pins)} pinned now"
    known = f", {counts[PinState.PINNED]} pinned already" if counts[PinState.PINNED] else ""
    unknown = f", {counts[PinState.UNKNOWN]} not checked" if counts[PinState.UNKNOWN] else ""
    by_hand = f", {len(found) - open_count} to pin by hand" if len(found) > open_count else ""
    yield f"Images: {what}{by_hand}{known}{unknown}."
    if is_check and open_count:
        update = ("--update",) if counts[PinState.MOVED] else ()
        yield f"To write the digests:\n  {command_line('reconciler', 'pin', *update)}"


def pin_list(pins: Sequence[Pin]) -> list[Json]:
    """Return the pins for a JSON document. `digest` is the one that the tag has now, if it was asked for."""
    return [
        {
            "endpoint": pin.endpoint,
            "image": str(pin.image) if pin.image else None,
            "state": pin.state.value,
            "digest": pin.digest or (pin.image.digest if pin.image else "") or None,
        }
        for pin in pins
    ]
