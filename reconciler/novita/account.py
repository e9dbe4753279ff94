"""Reads and writes of one kind in an account. Plan and drift use `AccountReader`, which cannot write."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, Self

from reconciler.kinds.base import Kind
from reconciler.kinds.registry import KINDS
from reconciler.model.errors import ApiError, IncompleteListing, KeyRefused, NotFound, Refused
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import Listing, ListingProgress, Live, Page
from reconciler.model.secrets import reveal
from reconciler.model.values import Json
from reconciler.novita import errors
from reconciler.novita.error_table import KEYS_REFUSED
from reconciler.novita.http.client import Client
from reconciler.novita.pagination import (
    PAGE_SIZE,
    incomplete_at_page,
    is_past_end,
    list_all,
    list_unverified,
    read_pages,
    unreadable_listing,
)
from reconciler.novita.thread_pool import DaemonThreadPool, Pending

if TYPE_CHECKING:
    from reconciler.novita.optional_reads import OptionalReads
    from reconciler.novita.prewarm_tasks import PrewarmTasks

MIN_SECRET_LENGTH: Final = 8
"""Characters. Shorter live env values are not masked in messages, because they are parts of common words."""

IN_USE: Final = "in-use"
"""The code of a refusal to delete an object that others use."""

LISTING_DONE: Final = ListingProgress(count=0, total=0, is_done=True)
"""The last progress event of a listing."""

_MESSAGE_KEYS: Final = ("error", "message")
"""Keys of a state that hold free text."""


class AccountReader:
    """Read access to the account. All methods raise the errors of `model.errors`.

    `on_listed` gets the progress of a listing, `on_unread` each endpoint with fields that cannot be parsed.
    Both are called from several threads.
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
        self._unmasked: dict[str, Live] = {}
        self._others: dict[str, Self] = {}
        self._prefetched: Pending[Listing] | None = None
        self._progress_lock = threading.Lock()  # guards the progress reports
        self._is_cancelled = False
        client.add_secrets(self._env_values)

    @cached_property
    def optional(self) -> OptionalReads:
        """The reads that no run depends on. Few plans need them."""
        from reconciler.novita.optional_reads import OptionalReads

        return OptionalReads(self._client)

    def of(self, kind: str) -> Self:
        """Return the same account for resources of another kind, whose listing reports no progress."""
        if kind == self.kind.type:
            return self
        if kind not in self._others:
            self._others[kind] = type(self)(
                self._client, KINDS[kind], parallelism=self._parallelism, on_unread=self._on_unread
            )
        return self._others[kind]

    def add_secrets(self, values: Iterable[str]) -> None:
        """Mask these values too in messages of Novita."""
        self._client.add_secrets(lambda: values)

    def mask_env_values_of(self, endpoints: Iterable[Live]) -> None:
        """Mask the env values of these endpoints too, which another reader has read."""
        self._unmasked.update((live.id, live) for live in endpoints)

    def _env_values(self) -> Iterator[str]:
        """Yield the longer env values of endpoints that were read since the last call."""
        while self._unmasked:
            _, live = self._unmasked.popitem()
            values = map(reveal, KINDS[live.kind].table.secrets_of(live))
            yield from (
                value for value in values if isinstance(value, str) and len(value) >= MIN_SECRET_LENGTH
            )

    def prefetch(self) -> None:
        """Start the next listing in the background, unless it has begun."""
        if self._prefetched is None:
            self._prefetched = DaemonThreadPool(1).submit(self._list)

    def report_to(self, on_listed: Callable[[ListingProgress], None] | None) -> None:
        """Report the progress of a listing to this function from now on."""
        with self._progress_lock:
            self._on_listed = on_listed

    def cancel_prefetch(self) -> None:
        """Report no further page. Requests for pages end when the client is closed."""
        with self._progress_lock:
            if self._on_listed is not None:
                self._on_listed(LISTING_DONE)
            self._is_cancelled = True

    def listing(self) -> Listing:
        """Return all endpoints of the account. Raise IncompleteListing if they are not proven complete.

        Of a kind that is not paged, one answer is the listing.
        """
        prefetched, self._prefetched = self._prefetched, None
        return self._list() if prefetched is None else prefetched.result()

    def _list(self) -> Listing:
        try:
            if not self.kind.is_paged:
                return self._list_at_once()
            return list_all(
                self._fetch_page,
                parallelism=self._parallelism,
                pause=self._client.pause,
                confirm=self.get_many,
                on_progress=lambda count, total: self._report(ListingProgress(count=count, total=total)),
            )
        finally:
            self._report(LISTING_DONE)

    def _list_at_once(self) -> Listing:
        try:
            page = self._fetch_page(0)
        except ValueError as error:
            raise IncompleteListing(unreadable_listing(str(error))) from error
        return Listing(
            endpoints=tuple(live for live in page.endpoints if live.is_identified),
            unidentified=tuple(live for live in page.endpoints if not live.is_identified),
            requests=1,
        )

    def list_unverified(self) -> Listing:
        """Return what one pass over the listing shows. If it is not complete, it may lack endpoints."""
        if not self.kind.is_paged:
            return self._list_at_once()
        return list_unverified(self._fetch_page, parallelism=self._parallelism)

    def read_pages(self, pages: Iterable[int]) -> tuple[Live, ...]:
        """Read pages of the listing again, all at once."""
        return read_pages(self._fetch_page, pages, parallelism=self._parallelism)

    def get(self, object_id: str) -> Live | None:
        """Return the endpoint, or None if Novita answers that it does not exist."""
        return self._get(object_id, needs_id=True)

    def get_many(self, object_ids: Iterable[str]) -> tuple[Live, ...]:
        """Return the endpoints with these IDs that exist.

        If an answer has no readable ID, its endpoint gets the requested ID and is not `is_identified`.
        """
        object_ids = tuple(object_ids)
        if not self.kind.is_paged and object_ids:
            return tuple(live for live in self._list_at_once().endpoints if live.id in object_ids)
        with DaemonThreadPool(self._parallelism) as pool:
            futures = [pool.submit(partial(self._get, object_id, needs_id=False)) for object_id in object_ids]
            endpoints = [future.result() for future in futures]
        return tuple(live for live in endpoints if live is not None)

    def _get(self, object_id: str, *, needs_id: bool) -> Live | None:
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
            live = self.kind.find_one(answer, object_id)
        except ValueError as error:
            raise self._unexpected(request, answer, str(error)) from error
        if live is None:
            return None
        (live,) = self._accept(request, [live])
        if not live.is_identified:
            if needs_id:
                raise self._unexpected(request, answer, "its ID cannot be read")
            return replace(live, id=object_id)
        if live.id != object_id:
            raise self._unexpected(request, answer, f"it has the ID {live.id!r}")
        return live

    def probe(self) -> None:
        """Read one endpoint, without retries. Raise the error that prevents it."""
        try:
            self._client.send(self.kind.list_request(0, 1), retries=False)
        except Refused as error:
            if error.status != 400:  # the answer of a server that counts pages from 1
                raise

    def _unexpected(self, request: Request, answer: Json, why: str) -> ApiError:
        """Return the error of a 2xx with unexpected JSON. It counts as a lost answer, and is quoted."""
        failure = errors.answer_lost(request, why=f"it is not the expected answer, {why}")
        detail = f"{failure.problem.detail} It says: {self._client.quote(answer, request)}"
        return replace(failure, problem=replace(failure.problem, detail=detail)).error()

    def _report(self, progress: ListingProgress) -> None:
        with self._progress_lock:
            if self._on_listed is not None and not self._is_cancelled:
                self._on_listed(progress)

    def _accept(self, request: Request, endpoints: Iterable[Live]) -> tuple[Live, ...]:
        """Return endpoints with secrets masked in their messages. Report fields that cannot be parsed."""
        endpoints = tuple(endpoints)
        self.mask_env_values_of(endpoints)
        if self._on_unread is not None:
            for live in endpoints:
                if live.unread:
                    self._on_unread(live)
        key = self._client.api_key.value.strip()
        return tuple(self._mask(request, live, key) if _may_leak(live, key) else live for live in endpoints)

    def _mask(self, request: Request, live: Live, key: str) -> Live:
        """Mask secrets in the messages of an endpoint, which may quote a token, and the key in its URL."""

        def masked(value: Json, name: str = "") -> Json:
            match value:
                case str() if name in _MESSAGE_KEYS or (name == "url" and key in value):
                    return self._client.mask(value, request)
                case Mapping():
                    return {inner: masked(item, inner) for inner, item in value.items()}
                case list():
                    return [masked(item) for item in value]
                case _:
                    return value

        return replace(live, raw=masked(live.raw), url=str(masked(live.url, "url")))

    def _fetch_page(self, number: int) -> Page:
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
            # A failure of the first page is that of the call; a later one makes the listing incomplete.
            if number == 0 or is_past_end(error):
                raise
            raise incomplete_at_page(error, number) from error
        return replace(page, endpoints=self._accept(request, page.endpoints))


class AccountWriter(AccountReader):
    """Read and write access to the account. The caller resolves the outcome of a write without an answer."""

    @cached_property
    def prewarms(self) -> PrewarmTasks:
        """The image prewarm tasks of the account."""
        from reconciler.novita.prewarm_tasks import PrewarmTasks

        return PrewarmTasks(self._client)

    def create(self, request: Request) -> str | None:
        """Create an endpoint and return its ID; None if Novita made it and does not say which it is.

        After AnswerLost or ServerError it may exist.
        """
        answer = self._client.send(request)
        created = self.kind.parse_created(answer)
        if created is None and not self.kind.may_omit_id:
            raise self._unexpected(request, answer, "it holds no ID")
        return created

    def update(self, request: Request) -> None:
        """Send an update. The caller reads back which values Novita kept."""
        self._client.send(request)

    def drain(self, request: Request) -> bool:
        """Drain a worker, unless it is gone. Return False if Novita does not offer draining."""
        try:
            self._client.send(request)
        except ApiError as error:
            if error.status in (404, 405):
                return False
            if "WORKER_NOT_FOUND" not in error.reason:
                raise
        return True

    def delete(self, object_id: str) -> None:
        """Delete an endpoint, unless it is gone."""
        *preferred, last = self.kind.delete_requests(object_id)
        for request in preferred:
            try:
                return self._delete(request)
            except Refused as error:
                # Sources differ on the key that holds the ID. Try another one only if the key was refused.
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
    return replace(problem, code=IN_USE, hint="delete what uses it first, then run `reconciler apply` again")


def _may_leak(live: Live, key: str) -> bool:
    """Return whether the state of the endpoint or of a worker has a message, or its URL has the key."""
    workers = live.raw.get("workers")
    parts = (live.raw, *workers) if isinstance(workers, list) else (live.raw,)
    states = (part.get("state") for part in parts if isinstance(part, Mapping))
    return key in live.url or any(
        isinstance(state, Mapping) and any(map(state.get, _MESSAGE_KEYS)) for state in states
    )
