"""`reconciler call`: one request to the URL of an endpoint, which the account gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager

from reconciler.apply.clock import SystemClock
from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import ApiError, IncompleteListing, InvalidConfig, NotCalled
from reconciler.model.hosts import is_loopback
from reconciler.model.problem import Problem
from reconciler.model.request import header_fault
from reconciler.model.resource import Live, address
from reconciler.model.secrets import Secret
from reconciler.model.settings import Settings
from reconciler.model.status import EndpointInfo, Phase
from reconciler.novita.account import AccountReader
from reconciler.serving.address import Trust, endpoint_url
from reconciler.serving.exchange import EndpointConnection, Workers, send_when_ready
from reconciler.serving.request import Called, EndpointRequest
from reconciler.workflow.endpoints import (
    find_endpoint,
    foreign_note,
    foreign_owner,
    load_inventory_leniently,
)
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import owners_by_id
from reconciler.workflow.runtime.settings import base_url, require_api_key, valid_settings


@contextmanager
def call_endpoint(
    context: Context,
    name: str,
    request: EndpointRequest,
    *,
    within: float,
    max_size: int,
    on_wait: Callable[[str], None],
    on_notes: Callable[[tuple[Problem, ...]], None],
) -> Iterator[Called]:
    """Send a request to an endpoint of that name or ID, and yield its answer.

    `within`: seconds for a cold start and the answer; `max_size`: bytes of the answer. `on_wait` gets the
    reason of each wait for a worker, `on_notes` notes about the endpoint before anything is sent. Raise as
    `find_endpoint` does, and NotCalled if there is no answer.
    """
    settings = valid_settings(context)
    refuse_key(request, settings)
    inventory, _problems = load_inventory_leniently(context)
    with reader(context, settings) as account:
        live = find_endpoint(account, inventory, name)
        on_notes(foreign_note(live.name, live.id, foreign_owner(live, inventory, owners_by_id(context))))
        with (
            opened(context, settings, live) as connection,
            send_when_ready(
                connection,
                request,
                WorkerReader(account, live),
                SystemClock(),
                within=within,
                on_wait=on_wait,
                max_size=max_size,
            ) as answer,
        ):
            yield Called(name=live.name, id=live.id, url=live.url, answer=answer)


@contextmanager
def opened(context: Context, settings: Settings, live: Live) -> Iterator[EndpointConnection]:
    """Yield a connection to the URL of a live endpoint. Raise NotCalled if nothing may be sent there."""
    if settings.is_simulator:
        raise NotCalled(
            Problem(
                code="no-url",
                summary="the endpoints of the simulator in this process have no URL that answers",
                hint="`reconciler simulator` serves them; then set NOVITA_BASE_URL as it says",
                address=address(live.name),
            )
        )
    if not live.url:
        raise NotCalled(
            Problem(
                code="no-url",
                summary=f"`{live.name}` has no URL yet; its state is {live.state or 'unknown'}",
                hint="try again when it is ready: `reconciler apply --wait` waits for that",
                address=address(live.name),
            )
        )
    trust = trust_of(context, settings)
    url = endpoint_url(live.url, trust)
    with closing(
        EndpointConnection(live.name, url, trust, is_own_process=context.is_own_process)
    ) as connection:
        yield connection


def trust_of(context: Context, settings: Settings) -> Trust:
    """Return the addresses at which the endpoints of this account may be."""
    from urllib.parse import urlsplit

    hosts = re.split(r"[\s,]+", context.environ.get(TRUSTED_HOSTS, ""))
    is_local = is_loopback(urlsplit(base_url(settings)).hostname or "")
    return Trust(is_local=is_local, hosts=tuple(filter(None, hosts)))


class WorkerReader:
    """Reads the workers of an endpoint: at first from what is known, then from the account."""

    def __init__(self, account: AccountReader, live: Live) -> None:
        self._account = account
        self._known: Live | None = live
        self._id = live.id

    def __call__(self) -> Workers:
        """Return the workers. If they cannot be read, none is known to be ready."""
        live, self._known = self._known, None
        if live is None:
            try:
                live = self._account.get(self._id)
            except (ApiError, IncompleteListing) as error:
                return Workers(ready=0, why=error.problem.summary)
        if live is None:
            return Workers(ready=0, why="the endpoint is gone", is_broken=True)
        info = ENDPOINT.endpoint_info(live)
        readiness = ENDPOINT.readiness(live)
        is_broken = readiness.phase is Phase.FAILED
        failure = readiness.reason if is_broken else _why_failed(info)
        return Workers(
            ready=info.ready_replicas, why=info.message or failure, failure=failure, is_broken=is_broken
        )


def _why_failed(info: EndpointInfo) -> str:
    """Return why a worker of an endpoint failed, or ""."""
    failed = (one for one in info.workers if one.has_failed)
    return next((f"worker {one.id} {one.state}: {one.message or 'no reason given'}" for one in failed), "")


def refuse_key(request: EndpointRequest, settings: Settings) -> None:
    """Raise InvalidConfig if a request holds the key of the account, which is only for the API."""
    key = require_api_key(settings).value.strip()
    texts = (request.path, *request.headers.values())
    if key and (any(key in text for text in texts) or key.encode() in request.body):
        raise InvalidConfig(
            Problem(
                code="api-key-in-request",
                summary="nothing was sent, because the request holds the API key of the account",
                detail="Whoever runs the endpoint would get access to the whole account.",
                hint="give the endpoint a credential of its own",
            )
        )


def resolve_headers(context: Context, headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers with their references resolved. Raise InvalidConfig for one that cannot be sent."""
    resolver = context.resolver()
    resolved: dict[str, str] = {}
    for name, text in headers:
        value, problems = resolver.secret(text)
        if problems:
            raise InvalidConfig(*problems)
        resolved[name] = value.value if isinstance(value, Secret) else value
        if fault := header_fault(name, resolved[name]):
            raise InvalidConfig(Problem(code="bad-header", summary=f"the header {name[:80]!r} {fault}"))
    return resolved
