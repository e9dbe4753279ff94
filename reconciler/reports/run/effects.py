"""The effect of a change on what runs now, in words and as JSON, and who follows a rotation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Change
from reconciler.model.review.blast_radius import BlastRadius, Effect
from reconciler.model.text import quantity
from reconciler.model.values import Json

SHOWN_FOLLOWERS: Final = 20
"""Names of endpoints that follow a rotation. More would hide the changes around them."""


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


def followers_text(followers: Sequence[Change], effects: Mapping[str, BlastRadius]) -> str:
    """Return who follows a rotation, such as `rotated: 2 endpoints follow, with rolling restarts: a, b`.

    The endpoints have no other change. `effects` are those of the plan, by the keys of its changes.
    """
    count = quantity(len(followers), KINDS[followers[0].kind].noun)
    verb = "follows" if len(followers) == 1 else "follow"
    known = filter(None, (effects.get(change.key) for change in followers))
    how = ", with rolling restarts" if any(effect.disrupts for effect in known) else ""
    more = len(followers) - SHOWN_FOLLOWERS
    names = ", ".join(change.name for change in followers[:SHOWN_FOLLOWERS])
    return f"rotated: {count} {verb}{how}: {names}" + (f" and {more:,} more" if more > 0 else "")


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
