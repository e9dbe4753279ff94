"""Reads and writes of one kind in an account. Plan and drift use `AccountReader`, which cannot write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model.errors import ApiError, KeyRefused, NotFound, Refused
from reconciler.model.problem import Problem
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Limits, Listing, ListingProgress, Live, Page
from reconciler.model.secrets import reveal
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.error_table import KEYS_REFUSED
from reconciler.novita.http.client import Client
from reconciler.novita.pagination import (
    PAGE_SIZE,
    glimpse,
    incomplete_at_page,
    is_past_end,
    list_all,
    read_pages,
)
from reconciler.novita.thread_pool import DaemonThreadPool

if TYPE_CHECKING:
    from concurrent.futures import Future

TELLING: Final = 8
"""Characters from which on a live env value is masked in what Novita says."""

LISTING_DONE: Final = ListingProgress(count=0, total=0, is_done=True)
"""The last word of a listing."""

_WORDS: Final = ("error", "message")
"""What Novita says of a state, in words of its own."""

_LIMITS = Request(method="GET", path=f"{API_ROOT}/endpoint/limit")
_CLUSTERS = Request(method="GET", path=f"{API_ROOT}/clusters")


class AccountReader:
    """Looks at the account. All methods raise the errors of `model.errors`, KeyRefused among them.

    `on_listed` hears how a listing gets on, `on_unread` of each endpoint of which something cannot be read;
    both from whichever thread.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        *,
        parallelism: int = 10,
        on_listed: Callable[[ListingProgress], None] | None = None,
        on_unread: Callable[[Live], None] | None = None,
    ) -> None:
        self._client = client
        self.kind = kind
        self._parallelism = parallelism
        self._on_listed = on_listed
        self._on_unread = on_unread
        self._unhidden: dict[str, Live] = {}
        self._others: dict[str, Self] = {}
        client.hide(self._values)

    def of(self, kind: str) -> Self:
        """Return the same account for resources of another kind."""
        if kind == self.kind.type:
            return self
        if kind not in self._others:
            self._others[kind] = type(self)(
                self._client,
                KINDS[kind],
                parallelism=self._parallelism,
                on_listed=self._on_listed,
                on_unread=self._on_unread,
            )
        return self._others[kind]

    def hide(self, values: Iterable[str]) -> None:
        """Mask these as well in what Novita says."""
        self._client.hide(lambda: values)

    def mask_env_values_of(self, endpoints: Iterable[Live]) -> None:
        """Mask the env values of these as well, which another reader has read."""
        self._unhidden.update((live.id, live) for live in endpoints)

    def _values(self) -> Iterator[str]:
        """The env values of endpoints read since the last time; short ones are words of any message."""
        while self._unhidden:
            _, live = self._unhidden.popitem()
            values = map(reveal, KINDS[live.kind].table.secrets_of(live))
            yield from (value for value in values if isinstance(value, str) and len(value) >= TELLING)

    def listing(self) -> Listing:
        """Every endpoint of the account, proven complete; raises IncompleteListing otherwise."""
        try:
            return list_all(
                self._page,
                parallelism=self._parallelism,
                pause=self._client.pause,
                confirm=self.those,
                tell=lambda count, total: self._tell(ListingProgress(count=count, total=total)),
            )
        finally:
            self._tell(LISTING_DONE)

    def glimpse(self) -> Listing:
        """What the listing shows while it may be changing: true of what is in it, and of nothing else."""
        return glimpse(self._page, parallelism=self._parallelism)

    def again(self, pages: Iterable[int]) -> tuple[Live, ...]:
        """What these pages of the listing show now, all asked for at once."""
        return read_pages(self._page, pages, parallelism=self._parallelism)

    def get(self, object_id: str) -> Live | None:
        """The endpoint, or None when Novita says that it does not exist."""
        return self._asked(object_id, identified=True)

    def those(self, object_ids: Iterable[str]) -> tuple[Live, ...]:
        """The endpoints with these IDs, without the ones that Novita says do not exist.

        One whose answer holds no readable ID has the one that was asked for, and is not identified.
        """
        with DaemonThreadPool(self._parallelism) as crew:
            asked = [crew.begin(partial(self._asked, one, identified=False)) for one in object_ids]
            found = [one.result() for one in asked]
        return tuple(one for one in found if one is not None)

    def _asked(self, object_id: str, *, identified: bool) -> Live | None:
        request = self.kind.get_request(object_id)
        try:
            answer = self._client.send(request)
        except NotFound:
            return None
        except Refused as error:
            if error.reason in self.kind.not_found_reasons:
                return None
            raise
        try:
            live = self.kind.parse_one(answer)
        except ValueError as error:
            raise self._unexpected(request, answer, str(error)) from error
        (live,) = self._taken(request, [live])
        if not live.is_identified:
            if identified:
                raise self._unexpected(request, answer, "its ID cannot be read")
            return replace(live, id=object_id)
        if live.id != object_id:
            raise self._unexpected(request, answer, f"it is about {live.id!r}")
        return live

    def limits(self) -> Limits | None:
        """The account's quotas; None when they cannot be had, for no run depends on them."""
        return _unwrapped(self._if_offered(_LIMITS))

    def clusters(self) -> frozenset[str] | None:
        """The IDs of all clusters, which specs call regions; None when they cannot be had."""
        answer = self._if_offered(_CLUSTERS)
        listed = answer.get("data") if isinstance(answer, Mapping) else answer
        if not isinstance(listed, list):
            return None
        return frozenset(
            str(one["id"])
            for one in listed
            if isinstance(one, Mapping) and one.get("id") and isinstance(one["id"], str | int)
        )

    def probe(self) -> None:
        """Ask for the least that an account answers, once. Raises what keeps it from being read."""
        try:
            self._client.send(self.kind.list_request(0, 1), patient=False)
        except Refused as error:
            if error.status != 400:  # with which a server that counts from 1 refuses page 0
                raise

    def _unexpected(self, request: Request, answer: Json, why: str) -> ApiError:
        """A 2xx with JSON that is not what was asked for is as good as no answer; what it says is told."""
        failure = errors.lost(request, why=f"it is not what was asked for, {why}")
        detail = f"{failure.problem.detail} It says: {self._client.quote(answer, request)}"
        return replace(failure, problem=replace(failure.problem, detail=detail)).error()

    def _tell(self, found: ListingProgress) -> None:
        if self._on_listed is not None:
            self._on_listed(found)

    def _taken(self, request: Request, found: Iterable[Live]) -> tuple[Live, ...]:
        """What was read, told of where something cannot be read, and without secrets in what it says."""
        found = tuple(found)
        self.mask_env_values_of(found)
        if self._on_unread is not None:
            for live in found:
                if live.unread:
                    self._on_unread(live)
        return tuple(self._without_secrets(request, live) if _speaks(live) else live for live in found)

    def _without_secrets(self, request: Request, live: Live) -> Live:
        """A worker that fails may say with which token."""

        def masked(value: Json, key: str = "") -> Json:
            match value:
                case str() if key in _WORDS:
                    return self._client.mask(value, request)
                case Mapping():
                    return {name: masked(one, name) for name, one in value.items()}
                case list():
                    return [masked(one) for one in value]
                case _:
                    return value

        return replace(live, raw=masked(live.raw))

    def _if_offered(self, request: Request) -> Json:
        """The answer to what a run can do without; None when there is none."""
        try:
            return self._client.send(request, patient=False)
        except KeyRefused:
            raise
        except ApiError:
            return None

    def _page(self, number: int) -> Page:
        request = self.kind.list_request(number, PAGE_SIZE)
        try:
            answer = self._client.send(request)
            try:
                page = self.kind.parse_page(answer)
            except ValueError as error:
                raise ValueError(f"{error}: {self._client.quote(answer, request)}") from error
        except KeyRefused:
            raise
        except ApiError as error:
            # The first page fails for what the call says; a later one leaves a part of a listing behind.
            if number == 0 or is_past_end(error):
                raise
            raise incomplete_at_page(error, number) from error
        return replace(page, endpoints=self._taken(request, page.endpoints))


class PrefetchingReader(AccountReader):
    """A reader whose first listing may `begin` before it is asked for."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._first: Future[Listing] | None = None
        self._guard = threading.Lock()  # of what is told
        self._is_wanted = True

    def begin(self) -> None:
        self._first = DaemonThreadPool(1).begin(super().listing)

    def listing(self) -> Listing:
        first, self._first = self._first, None
        return super().listing() if first is None else first.result()

    def abandon(self) -> None:
        """Tell of no further page. None is asked for either, once the client is closed."""
        with self._guard:
            super()._tell(LISTING_DONE)
            self._is_wanted = False

    def _tell(self, found: ListingProgress) -> None:
        with self._guard:
            if self._is_wanted:
                super()._tell(found)


class AccountWriter(AccountReader):
    """Looks and writes. What became of a write without an answer is for the caller to find out."""

    def create(self, request: Request) -> str:
        """The new ID. After AnswerLost or ServerError the endpoint may exist."""
        answer = self._client.send(request)
        created = self.kind.parse_created(answer)
        if created is None:
            raise self._unexpected(request, answer, "it holds no ID")
        return created

    def update(self, request: Request) -> None:
        """Sends it; whether the values took is for a read to tell."""
        self._client.send(request)

    def drain(self, request: Request) -> bool:
        """Whether Novita takes it; a worker that is gone already needs no draining."""
        try:
            self._client.send(request)
        except ApiError as error:
            if error.status in (404, 405):
                return False
            if "WORKER_NOT_FOUND" not in error.reason:
                raise
        return True

    def delete(self, object_id: str) -> None:
        """Deletes it; one that is gone already counts as deleted."""
        *preferred, last = self.kind.delete_requests(object_id)
        for request in preferred:
            try:
                return self._delete(request)
            except Refused as error:
                # Which key holds the ID is contested; only a refusal of the keys is worth another spelling.
                if error.reason not in KEYS_REFUSED:
                    raise
        return self._delete(last)

    def _delete(self, request: Request) -> None:
        try:
            self._client.send(request)
        except NotFound:
            return
        except Refused as error:
            if error.reason in self.kind.in_use_reasons:
                raise Refused(_in_use(error.problem), reason=error.reason, status=error.status) from error
            if error.reason not in self.kind.not_found_reasons:
                raise


def _in_use(problem: Problem) -> Problem:
    return replace(
        problem, code="in-use", hint="delete what uses it first, then run `reconciler apply` again"
    )


def _speaks(live: Live) -> bool:
    """Whether the endpoint or a worker of it has something to say of its state."""
    workers = live.raw.get("workers")
    told = (live.raw, *workers) if isinstance(workers, list) else (live.raw,)
    states = (one.get("state") for one in told if isinstance(one, Mapping))
    return any(isinstance(state, Mapping) and any(map(state.get, _WORDS)) for state in states)


def _unwrapped(answer: Json) -> Limits | None:
    """The flat object, also from inside {"limit": {}} or {"data": {}}."""
    if not isinstance(answer, Mapping):
        return None
    for key in ("limit", "data"):
        inner = answer.get(key)
        if isinstance(inner, Mapping):
            return inner
    return answer
