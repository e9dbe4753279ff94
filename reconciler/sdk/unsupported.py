"""Calls of the original provider that Novita's API does not offer: each raises an error with a hint."""

from __future__ import annotations

from typing import NoReturn

from reconciler.model.errors import UnsupportedByNovita
from reconciler.model.problem import Problem
from reconciler.novita.messages import CONSOLE


class Unsupported:
    """Calls that providers on other platforms offer."""

    def get_app_logs(self, endpoint: str, lines: int = 100) -> NoReturn:
        """Raise UnsupportedByNovita, which names the place of the logs."""
        raise logs_unsupported()

    def get_pods(self, endpoint: str) -> NoReturn:
        """Raise UnsupportedByNovita, which names the call that returns workers."""
        raise pods_unsupported()

    def describe_pod(self, endpoint: str, pod: str) -> NoReturn:
        """Raise UnsupportedByNovita, which names the call that returns workers."""
        raise pods_unsupported()

    def get_pod_yaml(self, endpoint: str, pod: str) -> NoReturn:
        """Raise UnsupportedByNovita, which names the call that returns workers."""
        raise pods_unsupported()


def logs_unsupported() -> UnsupportedByNovita:
    """Return the error of GetAppLogs."""
    return _unsupported(
        "logs are not supported by Novita's API: logs must be accessed via Novita Dashboard",
        f"open {CONSOLE} and look at the endpoint's workers",
    )


def pods_unsupported() -> UnsupportedByNovita:
    """Return the error of GetPods, DescribePod and GetPodYAML."""
    return _unsupported(
        "pods are not supported by Novita's API: Novita manages workers internally",
        "reconciler get NAME   shows the workers with their state and health; in Python: get_app",
    )


def _unsupported(summary: str, hint: str) -> UnsupportedByNovita:
    return UnsupportedByNovita(Problem(code="unsupported-by-novita", summary=summary, hint=hint))
