"""Reads `budget` of config.yaml. Schema errors are reported elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from reconciler.model.problem import Place, Problem
from reconciler.model.settings import Budget

NAMES: Final = ("floor_per_month", "ceiling_per_month")

_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")


def read_budget(
    data: Mapping[str, Any],
    environment: str,
    locate: Callable[..., Place | None],
    problems: list[Problem],
) -> Budget:
    """Return the budget of a run: that of its environment, with the general values for what it leaves out.

    environment: its name, or "". `locate` returns the place of a path in config.yaml.
    """
    section = data.get("budget")
    general = section if isinstance(section, dict) else {}
    own = general.get("per_environment")
    by_name: Mapping[str, Any] = own if isinstance(own, dict) else {}
    known = data.get("environments")
    problems += (
        _unknown(name, locate("budget", "per_environment", name))
        for name in by_name
        if not (isinstance(known, dict) and name in known)
    )
    chosen = by_name.get(environment)
    layers: list[tuple[Mapping[str, Any], tuple[str, ...]]] = [(general, ("budget",))]
    if isinstance(chosen, dict):
        layers.insert(0, (chosen, ("budget", "per_environment", environment)))
    values = {}
    for name in NAMES:
        for layer, path in layers:
            if layer.get(name) is not None:
                values[name] = _amount(layer[name], (*path, name), locate, problems)
                break
    return Budget(**values)


def _amount(
    value: object, path: tuple[str, ...], locate: Callable[..., Place | None], problems: list[Problem]
) -> str:
    """Return the digits of an amount. An invalid one is an error, so that no plan goes unchecked."""
    text = str(value).strip()
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _AMOUNT.fullmatch(text):
        if not isinstance(value, list | dict | bool):  # those are errors of the schema
            problems.append(
                Problem(
                    code="bad-budget",
                    summary=f"`{'.'.join(path)}` must be an amount in USD with at most four decimals",
                    hint=f"write `{path[-1]}: 500`",
                    place=locate(*path),
                )
            )
        return ""
    return text


def _unknown(name: str, place: Place | None) -> Problem:
    return Problem(
        code="unknown-environment",
        summary=f"`budget.per_environment` names `{name}`, which is not one of `environments`",
        hint="correct the name; reconciler env list   shows the environments",
        place=place,
    )
