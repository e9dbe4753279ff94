"""A part of a plan that is performed by itself: the changes with one verdict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.resource import Desired
from reconciler.model.values import Path
from reconciler.planning.selection import Selection
from reconciler.planning.sync.decide import Decision, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The keys of some changes, and the paths that are left as they are, by the address of a resource."""

    keys: frozenset[str]
    kept: Mapping[str, tuple[Path, ...]]

    @property
    def selection(self) -> Selection:
        return Selection(names=self.keys)

    def restricted(self, desired: Iterable[Desired]) -> tuple[Desired, ...]:
        """Return the declarations with the paths that are left alone."""
        return tuple(replace(one, kept=self.kept.get(one.address, ())) for one in desired)


NOTHING: Final = Part(keys=frozenset(), kept={})
"""No change."""


def part_of(decisions: Iterable[Decision], verdict: Verdict) -> Part | None:
    """Return the changes, or parts of changes, that have this verdict; None if there are none."""
    parts = [(one.change, kept) for one in decisions if (kept := one.kept_by(verdict)) is not None]
    if not parts:
        return None
    return Part(
        keys=frozenset(change.key for change, _ in parts),
        kept={change.address: kept for change, kept in parts},
    )
