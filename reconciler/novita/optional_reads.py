"""Reads that no run depends on: limits, regions, products and balance. Each call is tried once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from reconciler.model.errors import ApiError, KeyRefused
from reconciler.model.request import API_ROOT, Request
from reconciler.model.resource import Limits
from reconciler.model.values import Json
from reconciler.novita.http.client import Client
from reconciler.novita.thread_pool import DaemonThreadPool, Pending

if TYPE_CHECKING:
    from reconciler.model.market.balance import Balance
    from reconciler.model.market.products import Product, Products

T = TypeVar("T")

MAX_PRODUCT_PAGES: Final = 50
"""Pages (count) after which a listing of products does not seem to end."""

_LIMITS = Request(method="GET", path=f"{API_ROOT}/endpoint/limit")
_CLUSTERS = Request(method="GET", path=f"{API_ROOT}/clusters")
_BALANCE = Request(method="GET", path="/openapi/v1/billing/balance/detail")
_PRODUCTS_PATH: Final = "/gpus/v2/products"
_PRODUCTS_PER_PAGE: Final = 100


class OptionalReads:
    """What an account tells besides its resources, each read once. None means that it cannot be read."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._begun: dict[str, Pending[Any]] = {}
        self._has_waited = False

    def begin_limits(self) -> None:
        """Begin to read the limits in the background, unless that has begun."""
        self._begin("limits", self._read_limits)

    def begin_products(self) -> None:
        """Begin to read the products in the background, unless that has begun."""
        self._begin("products", self._read_products)

    def begin_balance(self) -> None:
        """Begin to read the balance in the background, unless that has begun."""
        self._begin("balance", self._read_balance)

    def begin_storage_offers(self) -> None:
        """Begin to read which regions offer network storage in the background, unless that has begun."""
        self._begin("clusters", self._read_clusters)

    def limits(self) -> Limits | None:
        """Return the quotas of the account. Raise KeyRefused if Novita refuses the key."""
        return self._result("limits", self._read_limits)

    def clusters(self) -> frozenset[str] | None:
        """Return the IDs of all clusters, which specs call regions. Raise KeyRefused as `limits` does."""
        found = self._read_clusters()
        return None if found is None else frozenset(found)

    def storage_offers(self, within: float | None = None) -> Mapping[str, bool | None] | None:
        """Return whether each region offers network storage, by its ID; None also after `within` seconds."""
        return self._result("clusters", self._read_clusters, within)

    def products(self, within: float | None = None) -> Products | None:
        """Return the GPU products for serverless endpoints; None also after `within` seconds."""
        return self._result("products", self._read_products, within)

    def balance(self, within: float | None = None) -> Balance | None:
        """Return the balance of the account; None also after `within` seconds."""
        return self._result("balance", self._read_balance, within)

    def _begin(self, name: str, read: Callable[[], object]) -> None:
        if name not in self._begun:
            self._begun[name] = DaemonThreadPool(1).submit(read)

    def _result(self, name: str, read: Callable[[], T], within: float | None = None) -> T | None:
        if self._has_waited and within is not None and name in self._begun:
            within = 0  # it had the time for which the run has waited for another answer, or for this one
        self._begin(name, read)
        pending: Pending[T] = self._begun[name]
        try:
            return pending.result(within)
        except TimeoutError:
            self._has_waited = True
            return None

    def _read_limits(self) -> Limits | None:
        return _unwrap(self._send(_LIMITS, may_refuse_key=True))

    def _read_clusters(self) -> Mapping[str, bool | None] | None:
        """Return whether each cluster supports network storage; None if its entry does not say so."""
        answer = self._send(_CLUSTERS, may_refuse_key=True)
        listed = answer.get("data") if isinstance(answer, Mapping) else answer
        if not isinstance(listed, list):
            return None
        offers = {
            str(cluster["id"]): cluster.get("supportNetworkStorage")
            for cluster in listed
            if isinstance(cluster, Mapping) and cluster.get("id") and isinstance(cluster["id"], str | int)
        }
        return {region: offer if isinstance(offer, bool) else None for region, offer in offers.items()}

    def _read_products(self) -> Products | None:
        """Return all pages, or those before the one that cannot be read; None if that is the first."""
        found: list[Product] = []
        cursor, seen = "", set[str]()
        for number in range(MAX_PRODUCT_PAGES):
            answer = self._send(products_request(cursor))
            # imported after the request has left: `decimal` takes milliseconds
            from reconciler.model.market.products import Products
            from reconciler.novita.market_answers import parse_products

            page = parse_products(answer)
            if page is None:
                return Products(items=tuple(found), is_complete=False) if number else None
            found += page[0]
            cursor = page[1]
            if not cursor:
                return Products(items=tuple(found))
            if cursor in seen:
                break
            seen.add(cursor)
        return Products(items=tuple(dict.fromkeys(found)), is_complete=False)

    def _read_balance(self) -> Balance | None:
        answer = self._send(_BALANCE)
        from reconciler.novita.market_answers import parse_balance  # after the request, as for products

        return parse_balance(answer)

    def _send(self, request: Request, *, may_refuse_key: bool = False) -> Json:
        """Return the answer, or None if the call fails.

        may_refuse_key: raise KeyRefused. A key may lack the permission for products or for bills alone.
        """
        try:
            return self._client.send(request, retries=False)
        except KeyRefused:
            if may_refuse_key:
                raise
        except ApiError:
            pass
        return None


def products_request(cursor: str = "") -> Request:
    """Return the request for one page of the GPU products for serverless endpoints."""
    query = {"type": "gpu", "category": "serverless", "limit": str(_PRODUCTS_PER_PAGE)}
    return Request(method="GET", path=_PRODUCTS_PATH, query={**query, "cursor": cursor} if cursor else query)


def _unwrap(answer: Json) -> Limits | None:
    """Return the flat object, also from inside {"limit": {}} or {"data": {}}."""
    if not isinstance(answer, Mapping):
        return None
    for key in ("limit", "data"):
        inner = answer.get(key)
        if isinstance(inner, Mapping):
            return inner
    return answer
