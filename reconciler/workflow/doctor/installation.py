"""The check of the Python environment in which reconciler is installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from reconciler.model.run_report import Check, CheckStatus

_NAMESAKE: Final = "reconciler"
"""A package of PyPI for other purposes, which is imported by the name that ours has."""


def installation_check() -> Iterator[Check]:
    """Yield a warning if the namesake is installed too: the two replace files of each other."""
    try:
        version = distribution(_NAMESAKE).version
    except PackageNotFoundError:
        return
    yield Check(
        name="installation",
        status=CheckStatus.WARN,
        detail=f"the package `{_NAMESAKE}` {version} of PyPI is installed too, under the same import name",
        hint="pipx install novita-reconciler   installs this tool in an environment of its own",
    )
