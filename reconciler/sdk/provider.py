"""The seed's calls, each one planned and performed as the commands do it; calling one is the approval."""

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
from reconciler.model.apply_events import ChangeResult, Outcome
from reconciler.model.errors import EndpointNotFound, InvalidConfig, NotApplied, ReconcilerError
from reconciler.model.plan import Forget
from reconciler.model.problem import Problem
from reconciler.model.request import encode_body
from reconciler.model.secrets import Secret
from reconciler.model.settings import Allowances, Settings
from reconciler.model.status import AppStatus, EndpointInfo, ReplicaEvent, SpecInfo
from reconciler.novita.http.client import Client
from reconciler.sdk.requests import DeployRequest, UpdateDeploymentRequest, item_of
from reconciler.sdk.responses import AppInfo, DeployResponse, info_of
from reconciler.sdk.unsupported import Unsupported
from reconciler.workflow.apply import apply
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
from reconciler.workflow.runtime.config import valid_settings
from reconciler.workflow.runtime.context import STATE, Context, utc_now
from reconciler.workflow.watch import watch


class NovitaDeploymentProvider(Unsupported):
    """Endpoints of one Novita account, by name. Safe to call from several threads; changes take turns.

    Make one with `from_config`, or of the parts:

    client: a `reconciler.Client`, which stays the caller's to close; specs: GPU shapes in the form of
    specs.yaml's `specs`; inventory: the file that remembers what was made from here; state_key: keys the
    fingerprints of secrets in it, instead of the API key; poll_interval: seconds between two looks of a
    watch; lock_timeout: seconds to wait while another process changes the same inventory; now: tells the
    time, in UTC.

    Raises InvalidConfig for specs that cannot be read. Every call raises the subclasses of ReconcilerError,
    each with `problems` that say what to do.
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
        self._turn = threading.Lock()

    @classmethod
    def from_config(
        cls,
        folder: str | os.PathLike[str] = ".",
        *,
        environ: Mapping[str, str] = os.environ,
        state: str | os.PathLike[str] = STATE,
        lock_timeout: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """A provider that reads what the commands read in that folder, anew for each call.

        These are config.yaml, specs.yaml, the endpoint files, which tell what is declared, and the inventory
        `state`. NOVITA_API_KEY and NOVITA_BASE_URL of `environ` win. Close it, or use it in a `with`.
        Raises InvalidConfig when there is no key or a file is wrong.
        """
        context = Context(
            root=Path(folder),
            environ=environ,
            state=Path(state),
            lock_timeout=lock_timeout,
            command=f"reconciler.{cls.__name__}",
            is_own_process=False,
            now=now,
        )
        settings = valid_settings(context)
        made = cls(new_client(context, settings), (), state)
        made._context = replace(context, client=made._context.client)
        made._settings = settings
        made._files = read_files
        made._specs = lambda: _sound_specs(context.root, settings)
        made._owns_client = True
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that `from_config` opened; a client that was given stays open."""
        if self._owns_client and self._context.client is not None:
            self._context.client.close()

    def deploy(self, request: DeployRequest) -> DeployResponse:
        """Make a new endpoint, and return once Novita has it; its workers take minutes more.

        Raises InvalidConfig for a request that cannot be, NotApplied where an endpoint of that name lives.
        """
        result = self._change(deploy_goal(self._context, item_of(request), files=self._files))
        return self._response(
            request.endpoint, f"endpoint created in Novita as {result.id}" if result else ""
        )

    def update_deployment(self, request: UpdateDeploymentRequest) -> DeployResponse:
        """Change what the request says and nothing else. Raises EndpointNotFound."""
        changes = item_of(request)
        del changes["endpoint"]
        result = self._change(update_goal(self._context, request.endpoint, changes, files=self._files))
        return self._response(request.endpoint, "endpoint updated" if result else "nothing to change")

    def scale_app(self, endpoint: str, replicas: int, *, drain: bool = False) -> None:
        """Set the number of workers; 0 scales to zero when idle, and keeps the most there may be.

        With `drain`, workers that become too many get no new work first, where Novita offers that. Raises
        EndpointNotFound.
        """
        context = replace(self._context, allow=Allowances(drain=drain))
        self._change(update_goal(context, endpoint, {"replicas": replicas}, files=self._files))

    def delete_app(self, endpoint: str) -> None:
        """Delete an endpoint, recorded or not, and return once it is gone or going.

        Raises EndpointNotFound, and NotApplied for one with preventDestroy, one of several of that name, or
        one that was renamed elsewhere, which is only forgotten.
        """
        result = self._change(delete_goal(self._context, endpoint, files=self._files))
        if result is not None and isinstance(result.change, Forget) and result.change.live_name:
            raise NotApplied(_renamed(result.change))

    def preview_deployment(self, request: DeployRequest, *, reveal: bool = False) -> str:
        """The JSON body that `deploy` would send, asking nobody; env values are masked unless revealed."""
        desired, _ = desired_from_item(self._context, item_of(request), self._files(self._context))
        body = ENDPOINT.create_request(desired)
        return (body.body_bytes() if reveal else encode_body(body.masked_body())).decode()

    def get_app(self, endpoint: str) -> AppInfo:
        """The endpoint of that name or ID. Raises EndpointNotFound, InvalidConfig for one of several."""
        return info_of(self._app(endpoint))

    def list_apps(self) -> list[AppInfo]:
        """Every endpoint of the account, by name."""
        with reader(self._context, self._settings) as account:
            apps = [ENDPOINT.app_of(live) for live in account.listing().endpoints]
        return [info_of(app) for app in sorted(apps, key=lambda app: (app.name, app.id))]

    def get_app_status(self, endpoint: str) -> AppStatus:
        """How the endpoint of that name or ID does. Raises as `get_app` does."""
        return self._app(endpoint).app_status()

    def list_specs(self) -> list[SpecInfo]:
        """Every spec in the order of its file, also those that cannot be used on Novita.

        Raises InvalidConfig when the file is wrong.
        """
        resolver = self._context.resolver(lenient=True)
        return [spec_info(entry, resolver) for entry in self._specs().entries.values()]

    def get_spec(self, name: str) -> SpecInfo:
        """The spec of that name. Raises InvalidConfig when there is none."""
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
        """Tell `callback` of each change of any endpoint, until `stop` is set or it raises.

        `poll_interval` is in seconds, more than 0. With `initial` each endpoint that is there at first is
        told of too. A look that fails is made again; the first must succeed.
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
        """The same as an iterator."""
        for update in watch(
            self._context, settings=self._settings, every=poll_interval, stop=stop, initial=initial
        ):
            yield from update.events

    def _response(self, endpoint: str, message: str) -> DeployResponse:
        return DeployResponse(endpoint=endpoint, message=message, created_at=self._context.now())

    def _app(self, endpoint: str) -> EndpointInfo:
        inventory = load_inventory(self._context.state_path)
        with reader(self._context, self._settings) as account:
            return ENDPOINT.app_of(find_endpoint(account, inventory, endpoint))

    def _change(self, way: tuple[Context, Goal]) -> ChangeResult | None:
        """Plan and perform; the result of the one change, None where there was nothing to do."""
        context, goal = way
        with self._turn:
            applied = apply(context, lambda _planned: True, lambda _event: None, goal=goal)
        if applied.report is None:
            _raise_refusal(applied.planned.plan.errors)
        result = next(iter(applied.report.results), None) if applied.report else None
        if result is not None and result.outcome is not Outcome.DONE:
            raise _failure(result)
        return result


def _sound_specs(root: Path, settings: Settings) -> Specs:
    specs = load_specs(root, settings)
    _raise_errors(specs.problems)
    return specs


def _raise_errors(problems: Sequence[Problem]) -> None:
    if any(problem.is_error for problem in problems):
        raise InvalidConfig(*problems)


def _raise_refusal(errors: Sequence[Problem]) -> None:
    for problem in errors:
        if problem.code == "endpoint-not-found":
            raise EndpointNotFound(problem)
    if errors:
        raise NotApplied(*errors)


def _renamed(change: Forget) -> Problem:
    return Problem(
        code="renamed-elsewhere",
        summary=f"`{change.name}` was forgotten and not deleted: {change.reason}",
        hint=f"to delete it, delete `{change.live_name}`",
        address=change.address,
    )


def _failure(result: ChangeResult) -> ReconcilerError:
    if result.error is not None:
        return result.error
    assert result.problem is not None
    return NotApplied(result.problem)
