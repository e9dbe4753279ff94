"""The provider for asyncio: each call runs the synchronous one in a thread."""

from __future__ import annotations

import threading
from asyncio import to_thread
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from reconciler.model.status import AppStatus, ReplicaEvent, SpecInfo, StorageInfo
from reconciler.sdk.provider import NovitaDeploymentProvider
from reconciler.sdk.requests import DeployRequest, UpdateDeploymentRequest
from reconciler.sdk.responses import AppInfo, DeployResponse
from reconciler.sdk.unsupported import Unsupported


class AsyncNovitaDeploymentProvider(Unsupported):
    """An asyncio wrapper of a NovitaDeploymentProvider.

    A call that has begun runs to its end, even if it is cancelled. Calls that Novita does not offer raise
    UnsupportedByNovita at once and are not coroutines.
    """

    def __init__(self, provider: NovitaDeploymentProvider) -> None:
        self._provider = provider

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """As `NovitaDeploymentProvider.close`."""
        await to_thread(self._provider.close)

    async def deploy(self, request: DeployRequest) -> DeployResponse:
        """As `NovitaDeploymentProvider.deploy`."""
        return await to_thread(self._provider.deploy, request)

    async def update_deployment(self, request: UpdateDeploymentRequest) -> DeployResponse:
        """As `NovitaDeploymentProvider.update_deployment`."""
        return await to_thread(self._provider.update_deployment, request)

    async def scale_app(self, endpoint: str, replicas: int, *, drain: bool = False) -> None:
        """As `NovitaDeploymentProvider.scale_app`."""
        await to_thread(self._provider.scale_app, endpoint, replicas, drain=drain)

    async def delete_app(self, endpoint: str) -> None:
        """As `NovitaDeploymentProvider.delete_app`."""
        await to_thread(self._provider.delete_app, endpoint)

    async def get_app(self, endpoint: str) -> AppInfo:
        """As `NovitaDeploymentProvider.get_app`."""
        return await to_thread(self._provider.get_app, endpoint)

    async def list_apps(self) -> list[AppInfo]:
        """As `NovitaDeploymentProvider.list_apps`."""
        return await to_thread(self._provider.list_apps)

    async def get_app_status(self, endpoint: str) -> AppStatus:
        """As `NovitaDeploymentProvider.get_app_status`."""
        return await to_thread(self._provider.get_app_status, endpoint)

    async def list_pvcs(self) -> list[StorageInfo]:
        """As `NovitaDeploymentProvider.list_pvcs`."""
        return await to_thread(self._provider.list_pvcs)

    async def list_specs(self) -> list[SpecInfo]:
        """As `NovitaDeploymentProvider.list_specs`."""
        return await to_thread(self._provider.list_specs)

    async def get_spec(self, name: str) -> SpecInfo:
        """As `NovitaDeploymentProvider.get_spec`."""
        return await to_thread(self._provider.get_spec, name)

    async def replica_events(
        self, *, poll_interval: float | None = None, initial: bool = False
    ) -> AsyncIterator[ReplicaEvent]:
        """As `NovitaDeploymentProvider.replica_events`; ends when the loop over it is left or cancelled."""
        stop = threading.Event()
        events = self._provider.replica_events(poll_interval=poll_interval, stop=stop, initial=initial)
        try:
            while (event := await to_thread(next, events, None)) is not None:
                yield event
        finally:
            stop.set()

    async def preview_deployment(self, request: DeployRequest, *, reveal: bool = False) -> str:
        """As `NovitaDeploymentProvider.preview_deployment`."""
        return await to_thread(self._provider.preview_deployment, request, reveal=reveal)
