"""What the user permitted by name for one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What the user permitted by name for this one run.

    adopt: overwrite endpoints that others made; deletes: the exact number of deletes and replaces;
    no_delete: leave out whatever deletes; create_first: replace by creating first where app names allow it;
    drain: drain the workers that a scale makes too many.
    """

    adopt: bool = False
    deletes: int | None = None
    no_delete: bool = False
    create_first: bool = False
    drain: bool = False
    destroying: bool = False
