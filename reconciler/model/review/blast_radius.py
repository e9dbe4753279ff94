"""The effect of a change on what runs now: workers that restart, and what is lost."""

from __future__ import annotations

from enum import StrEnum

from reconciler.model.lazy_dataclass import dataclass


class Effect(StrEnum):
    """The effect of a change on the workers of an endpoint. No source says whether MAY_RESTART does."""

    NO_RESTART = "no-restart"
    MAY_RESTART = "may-restart"
    ROLLING_RESTART = "rolling-restart"
    REPLACED = "replaced"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlastRadius:
    """The effect of a change on what runs now.

    workers: those that run or start now (count). peak_workers: the most that run and are billed at one time
    during the change (count). surplus: those beyond the new maximum, which stop (count). lost: what does not
    exist any more after the change, such as `URL`.
    """

    effect: Effect
    workers: int
    peak_workers: int
    surplus: int = 0
    lost: tuple[str, ...] = ()

    @property
    def disrupts(self) -> bool:
        """Return True if running workers restart, or may, or if the endpoint loses its URL."""
        if self.effect in (Effect.REPLACED, Effect.DELETED):
            return True
        return self.effect is not Effect.NO_RESTART and self.workers > 0
