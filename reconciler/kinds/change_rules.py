"""The part of the contract of a kind that is about planned changes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from reconciler.model.problem import Problem
from reconciler.model.resource import Live, Tracked
from reconciler.model.values import Fields

if TYPE_CHECKING:
    from reconciler.model.plan import Change, Create
    from reconciler.model.prewarm import PulledImage


class ChangeRules:
    """What a kind refuses, warns of, and prepares. By default it allows every change, and no data is lost.

    refusal_codes: the codes of its refusals. A comparison that applies nothing leaves such errors out.
    """

    refusal_codes: Collection[str] = ()

    def change_notes(self, changes: Sequence[Change]) -> Iterator[Problem]:
        """Return notes about changes that are probably not meant."""
        yield from ()

    def refusal(self, change: Change) -> Problem | None:
        """Return the error of a change that the plan must not have, because this kind does not offer it."""
        return None

    def lost_with(self, live: Live) -> str:
        """Return the data that a delete of the object loses for good, as a clause; "" for none."""
        return ""

    def gone_warning(self, change: Create, gone: Tracked, users: str) -> Problem | None:
        """Return the warning that a new object will lack the data of the recorded one, which is gone.

        `users` are the names of endpoints that use the recorded one, as a list in words.
        """
        return None

    def image_to_pull(self, fields: Fields) -> PulledImage | None:
        """Return the image that the workers of an object with these fields pull; None if there is none."""
        return None
