"""The seed's calls that Novita's API does not offer: each says why, and where to look instead."""

from __future__ import annotations

from typing import NoReturn

from reconciler.model.errors import UnsupportedByNovita
from reconciler.model.problem import Problem
from reconciler.novita.messages import CONSOLE


class Unsupported:
    """What a provider on another platform can do."""

    def get_app_logs(self, endpoint: str, lines: int = 100) -> NoReturn:
        """Raises UnsupportedByNovita, which says where logs are."""
        raise no_logs()

    def get_pods(self, endpoint: str) -> NoReturn:
        """Raises UnsupportedByNovita, which says where workers are."""
        raise no_pods()

    def describe_pod(self, endpoint: str, pod: str) -> NoReturn:
        """Raises UnsupportedByNovita, which says where workers are."""
        raise no_pods()

    def get_pod_yaml(self, endpoint: str, pod: str) -> NoReturn:
        """Raises UnsupportedByNovita, which says where workers are."""
        raise no_pods()

    def list_pvcs(self) -> NoReturn:
        """Raises UnsupportedByNovita, which says how volumes are declared."""
        raise no_pvcs()


def no_logs() -> UnsupportedByNovita:
    """The seed's GetAppLogs."""
    return _unsupported(
        "logs are not supported by Novita's API: logs must be accessed via Novita Dashboard",
        f"open {CONSOLE} and look at the endpoint's workers",
    )


def no_pods() -> UnsupportedByNovita:
    """The seed's GetPods, DescribePod and GetPodYAML."""
    return _unsupported(
        "pods are not supported by Novita's API: Novita manages workers internally",
        "reconciler get NAME   shows the workers with their state and health; in Python: get_app",
    )


def no_pvcs() -> UnsupportedByNovita:
    """The seed's ListPVCs."""
    return _unsupported(
        "PVCs are not supported by Novita's API: storage is managed by Novita;"
        " persistent storage not yet supported",
        f"declare volumes as `storage` in endpoints.yaml; network storages are listed at {CONSOLE}",
    )


def _unsupported(summary: str, hint: str) -> UnsupportedByNovita:
    return UnsupportedByNovita(Problem(code="unsupported-by-novita", summary=summary, hint=hint))
