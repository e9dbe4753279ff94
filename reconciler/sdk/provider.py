"""The calls of the original provider, planned and applied as the commands do. A call is the approval."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reconciler.config.loader import LoadedConfig, load_specs, specs_from_items
from reconciler.config.specs import Specs, spec_info, unknown_spec_problem
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import ChangeResult
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.request import encode_body
from reconciler.model.secrets import Secret
from reconciler.model.settings import Allowances, Settings
from reconciler.model.status import AppStatus, EndpointInfo, ReplicaEvent, SpecInfo, StorageInfo
from reconciler.novita.http.client import Client
from reconciler.sdk.change import make_change, require_deleted
from reconciler.sdk.requests import DeployRequest, UpdateDeploymentRequest, item_of
from reconciler.sdk.responses import AppInfo, DeployResponse, info_of
from reconciler.sdk.unsupported import Unsupported
from reconciler.workflow.endpoints import find_endpoint
from reconciler.workflow.imperative import (
    Files,
    delete_goal,
    deploy_goal,
    desired_from_item,
    read_files,
    update_goal,
)
from reconciler.workflow.plan import Goal
from reconciler.workflow.runtime.account import new_client, reader
from reconciler.workflow.runtime.context import STATE, Context, utc_now
from reconciler.workflow.runtime.environment import VARIABLE, in_environment
from reconciler.workflow.runtime.settings import valid_settings
from reconciler.workflow.watch import watch


class NovitaDeploymentProvider(Unsupported):
    """The endpoints of one Novita account, by name. It is thread-safe; changes are made one at a time.

    Create it with `from_config`, or from its parts:

    client: a `reconciler.Client`; the caller closes it. specs: GPU specs in the form of specs.yaml.
    inventory: the file that records the endpoints. state_key: the key for fingerprints of secrets in it,
    instead of the API key. poll_interval: seconds between two polls of a watch. lock_timeout: seconds to wait
    while another process uses the inventory. now: returns the time in UTC.

    Raise InvalidConfig for invalid specs. Every call may raise a ReconcilerError, whose `problems`
    have hints.
    """

    def __init__(
        self,
        client: Client,
        specs: Sequence[Mapping[str, Any]],
        inventory: str | os.PathLike[str],
        *,
        state_key: str | None = None,
        poll_interval: float = 10.0,
        lock_timeout: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        given = specs_from_items(specs)
        _raise_errors(given.problems)
        settings = Settings(
            api_key=client.api_key,
            base_url=client.base_url,
            poll_interval=poll_interval,
            state_key=Secret(value=state_key, source="state_key") if state_key else None,
        )
        loaded = LoadedConfig(
            settings=settings,
            desired=(),
            specs=given,
            problems=(),
            endpoint_files=(),
            has_endpoint_files=False,
        )
        self._context = Context(
            root=Path(),
            environ={},
            state=Path(inventory),
            lock_timeout=lock_timeout,
            command="reconciler.NovitaDeploymentProvider",
            is_own_process=False,
            now=now,
            client=client,
        )
        self._settings = settings
        self._files: Files = lambda _context: loaded
        self._specs: Callable[[], Specs] = lambda: given
        self._owns_client = False
        self._change_lock = threading.Lock()

    @classmethod
    def from_config(
        cls,
        folder: str | os.PathLike[str] = ".",
        *,
        environ: Mapping[str, str] = os.environ,
        state: str | os.PathLike[str] | None = None,
        environment: str = "",
        lock_timeout: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Return a provider that reads the same files as the commands in that folder, again for each call.

        The files are config.yaml, specs.yaml, the endpoint files and the inventory `state`. NOVITA_API_KEY
        and NOVITA_BASE_URL of `environ` take precedence. environment: one of those of config.yaml; if empty,
        RECONCILER_ENV of `environ`, or the default one. A call counts as the approval, also in an environment
        that asks for its name; a protected one keeps the endpoints that are declared. Close the provider, or
        use it as a context manager. Raise InvalidConfig if there is no API key or a file is invalid.
        """
        context = Context(
            root=Path(folder),
            environ=environ,
            state=STATE if state is None else Path(state),
            explicit_options=frozenset(() if state is None else ("state",)),
            chosen_environment=environment or environ.get(VARIABLE, "").strip(),
            lock_timeout=lock_timeout,
            command=f"reconciler.{cls.__name__}",
            is_own_process=False,
            now=now,
        )
        context = in_environment(context)
        settings = valid_settings(context)
        provider = cls(new_client(context, settings), (), context.state)
        provider._context = replace(context, client=provider._context.client)
        provider._settings = settings
        provider._files = read_files
        provider._specs = lambda: _load_valid_specs(context.root, settings)
        provider._owns_client = True
        return provider

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that `from_config` opened. A client of the caller stays open."""
        if self._owns_client and self._context.client is not None:
            self._context.client.close()

    def deploy(self, request: DeployRequest) -> DeployResponse:
        """Create an endpoint, and return as soon as it exists; its workers start minutes later.

        Raise InvalidConfig for an invalid request, and NotApplied if the name is in use.
        """
        result = self._apply(deploy_goal(self._context, item_of(request), files=self._files))
        return self._response(
            request.endpoint, f"endpoint created in Novita as {result.id}" if result else ""
        )

    def update_deployment(self, request: UpdateDeploymentRequest) -> DeployResponse:
        """Change the fields of the request and no others. Raise EndpointNotFound if there is none."""
        changes = item_of(request)
        del changes["endpoint"]
        result = self._apply(update_goal(self._context, request.endpoint, changes, files=self._files))
        return self._response(request.endpoint, "endpoint updated" if result else "nothing to change")

    def scale_app(self, endpoint: str, replicas: int, *, drain: bool = False) -> None:
        """Set the number of workers; 0 scales to zero when idle and keeps the maximum.

        With `drain`, surplus workers are drained first, if Novita offers it. Raise EndpointNotFound if there
        is no such endpoint.
        """
        context = replace(self._context, allow=Allowances(drain=drain))
        self._apply(update_goal(context, endpoint, {"replicas": replicas}, files=self._files))

    def delete_app(self, endpoint: str) -> None:
        """Delete an endpoint, recorded or not, and return when it is deleted or terminating.

        Raise EndpointNotFound if there is none, and NotApplied if it has preventDestroy, if several endpoints
        have the name, or if it was renamed elsewhere, so that only its record was dropped.
        """
        require_deleted(self._apply(delete_goal(self._context, endpoint, files=self._files)))

    def preview_deployment(self, request: DeployRequest, *, reveal: bool = False) -> str:
        """Return the JSON body that `deploy` would send. Env values are masked unless `reveal` is set."""
        desired, _ = desired_from_item(self._context, item_of(request), self._files(self._context))
        body = ENDPOINT.create_request(desired)
        return (body.body_bytes() if reveal else encode_body(body.masked_body())).decode()

    def get_app(self, endpoint: str) -> AppInfo:
        """Return the endpoint of that name or ID. Raise EndpointNotFound, or InvalidConfig for several."""
        return info_of(self._app(endpoint))

    def list_apps(self) -> list[AppInfo]:
        """Return every endpoint of the account, sorted by name."""
        with reader(self._context, self._settings) as account:
            apps = [ENDPOINT.endpoint_info(live) for live in account.listing().endpoints]
        return [info_of(app) for app in sorted(apps, key=lambda app: (app.name, app.id))]

    def get_app_status(self, endpoint: str) -> AppStatus:
        """Return the status of the endpoint of that name or ID. Raise as `get_app` does."""
        return self._app(endpoint).app_status()

    def list_pvcs(self) -> list[StorageInfo]:
        """Return every network storage of the account, sorted by name, with the endpoints that mount it."""
        from reconciler.workflow.storages import storages_in

        with reader(self._context, self._settings) as account:
            return list(storages_in(account, load_inventory(self._context.store)))

    def list_specs(self) -> list[SpecInfo]:
        """Return every spec in the order of the file, also those that cannot be used on Novita.

        Raise InvalidConfig if the file is invalid.
        """
        resolver = self._context.resolver(lenient=True)
        return [spec_info(entry, resolver) for entry in self._specs().entries.values()]

    def get_spec(self, name: str) -> SpecInfo:
        """Return the spec of that name. Raise InvalidConfig if there is none."""
        specs = {spec.name: spec for spec in self.list_specs()}
        if name not in specs:
            raise InvalidConfig(unknown_spec_problem(name, specs, None, "specs.yaml"))
        return specs[name]

    def watch_replicas(
        self,
        callback: Callable[[ReplicaEvent], object],
        *,
        poll_interval: float | None = None,
        stop: threading.Event | None = None,
        initial: bool = False,
    ) -> None:
        """Call `callback` with each change of any endpoint, until `stop` is set or the callback raises.

        poll_interval: seconds, more than 0. initial: also report each endpoint of the first poll. The first
        poll must succeed; a later one that fails is repeated.
        """
        for event in self.replica_events(poll_interval=poll_interval, stop=stop, initial=initial):
            callback(event)

    def replica_events(
        self,
        *,
        poll_interval: float | None = None,
        stop: threading.Event | None = None,
        initial: bool = False,
    ) -> Iterator[ReplicaEvent]:
        """Yield the events that `watch_replicas` passes to its callback."""
        for update in watch(
            self._context, settings=self._settings, every=poll_interval, stop=stop, initial=initial
        ):
            yield from update.events

    def _response(self, endpoint: str, message: str) -> DeployResponse:
        return DeployResponse(endpoint=endpoint, message=message, created_at=self._context.now())

    def _app(self, endpoint: str) -> EndpointInfo:
        inventory = load_inventory(self._context.store)
        with reader(self._context, self._settings) as account:
            return ENDPOINT.endpoint_info(find_endpoint(account, inventory, endpoint))

    def _apply(self, run: tuple[Context, Goal]) -> ChangeResult | None:
        """Plan and apply. Return the result of the one change, or None if there was none to make."""
        context, goal = run
        with self._change_lock:
            return make_change(context, goal)


def _load_valid_specs(root: Path, settings: Settings) -> Specs:
    specs = load_specs(root, settings)
    _raise_errors(specs.problems)
    return specs


def _raise_errors(problems: Sequence[Problem]) -> None:
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)
