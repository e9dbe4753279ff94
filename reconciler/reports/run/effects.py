"""The effect of a change on what runs now, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.model.review.blast_radius import BlastRadius, Effect
from reconciler.model.text import quantity
from reconciler.model.values import Json


def effect_text(effect: BlastRadius) -> str:
    """Return the effect as a clause, such as `rolling restart of 2 workers, at most 4 at one time`."""
    workers = quantity(effect.workers, "worker")
    stop = f"{workers} stop{'s' if effect.workers == 1 else ''}"
    peak = ""
    if effect.peak_workers > effect.workers:
        peak = f", at most {effect.peak_workers} at one time"
    match effect.effect:
        case Effect.REPLACED:
            return f"replaced: new ID, new URL, {stop if effect.workers else 'no worker runs'}{_data(effect)}"
        case Effect.DELETED:
            return f"deleted: the URL ends, {stop if effect.workers else 'no worker runs'}{_data(effect)}"
        case Effect.NO_RESTART:
            surplus = f", {effect.surplus} of {workers} stop" if effect.surplus else ""
            return f"no restart{surplus}"
        case _ if not effect.workers:
            return "no restart, no worker runs"
        case Effect.ROLLING_RESTART:
            return f"rolling restart of {workers}{peak}"
        case Effect.MAY_RESTART:
            return f"may restart {workers}{peak}"


def effect_document(effect: BlastRadius) -> dict[str, Json]:
    """Return the effect as the reports in JSON have it."""
    return {
        "effect": effect.effect.value,
        "disrupts": effect.disrupts,
        "workers": effect.workers,
        "peak_workers": effect.peak_workers,
        "surplus_workers": effect.surplus,
        "lost": list(effect.lost),
    }


def effect_of_document(document: Mapping[str, Any]) -> BlastRadius:
    """Return the effect that `effect_document` has written. Raise ValueError for an unknown one."""
    return BlastRadius(
        effect=Effect(document["effect"]),
        workers=document["workers"],
        peak_workers=document["peak_workers"],
        surplus=document["surplus_workers"],
        lost=tuple(document["lost"]),
    )


def _data(effect: BlastRadius) -> str:
    """Return what is lost besides ID and URL, to follow other clauses."""
    others = [what for what in effect.lost if what not in ("ID", "URL")]
    return f", {' and '.join(others)} lost" if others else ""
