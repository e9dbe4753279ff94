"""The seed's calls that Novita's API does not offer: each says why, and where to look instead."""

from __future__ import annotations

from typing import NoReturn

from reconciler.workflow.specs import no_logs, no_pods, no_pvcs


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
