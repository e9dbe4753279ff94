"""What the user permitted by name for one run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """What the user permitted by name for this one run.

    adopt: overwrite endpoints that others made; deletes: the exact number of deletes and replaces;
    no_delete: leave out whatever deletes; create_first: replace by creating first where app names allow it;
    drain: drain the workers that a scale makes too many; other_files, other_account: write an inventory that
    other files or another account has written; adopted: delete or replace endpoints that were only adopted.
    """

    adopt: bool = False
    deletes: int | None = None
    no_delete: bool = False
    create_first: bool = False
    drain: bool = False
    destroying: bool = False
    other_files: bool = False
    other_account: bool = False
    adopted: bool = False
