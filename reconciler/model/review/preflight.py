"""Checks beside a plan of what it needs from Novita and from registries."""

from __future__ import annotations

from enum import StrEnum

from reconciler.model.command import add_shared_options
from reconciler.model.lazy_dataclass import dataclass


class Result(StrEnum):
    """The result of a check. NOT_CHECKED says nothing about what would happen."""

    OK = "pass"
    WARN = "warn"
    FAIL = "fail"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightCheck:
    """One check.

    name: such as `stock`. detail: a clause, with what was found. hint: what to do about it, or "";
    commands of `reconciler` in it get the shared options of the run. addresses: the resources that it
    concerns; none if it concerns the account.
    """

    name: str
    result: Result
    detail: str
    hint: str = ""
    addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "hint", add_shared_options(self.hint))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """The checks of a plan. is_requested: the user asked for them, so a failed one refuses the plan."""

    checks: tuple[PreflightCheck, ...]
    is_requested: bool = False
