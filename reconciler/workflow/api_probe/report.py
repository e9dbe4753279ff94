"""The findings of `doctor --probe-api`: what answers say about the open questions of the API. Pure.

A finding has no name, ID or value of the account, only counts, types and keys. Each switch is one of the
simulator (`reconciler simulator --help`), so that the simulator can behave as the account does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.values import Json
from reconciler.simulator.profile import CONSOLE_LIMITS
from reconciler.workflow.api_probe.reads import SMALL, Reading, items

_DOCUMENTED: Final = frozenset(
    (
        *("id", "name", "appName", "state", "workers", "workerConfig", "policy", "image", "ports", "healthy"),
        *(
            "envs",
            "volumeMounts",
            "rootfsSize",
            "clusterID",
            "clusterIDs",
            "url",
            "log",
            "products",
            "requestTimeout",
        ),
        *("requestTimeout", "type", "cudaVersion", "createdAt", "updatedAt"),
    )
)
"""The keys of an endpoint that a document or a public client names."""

_ID_STYLES: Final = {"hex16": r"[0-9a-f]{16}", "mixed12": r"[0-9A-Za-z]{12}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding. switch: of the simulator, or "". value: its value as text; "" if it is not known.

    evidence: what was seen, in one line.
    """

    question: str
    switch: str
    value: str
    evidence: str


def findings(readings: Mapping[str, Reading]) -> tuple[Finding, ...]:
    """Return the findings, also for what could not be told."""
    endpoints = _endpoints(readings)
    return (
        *_pages(readings),
        *_order(endpoints),
        *_forms(endpoints),
        *_single(readings),
        *_offers(readings),
    )


def page_base(readings: Mapping[str, Reading]) -> int | None:
    """Return the number of the first page of the listing, or None if the account has too few endpoints."""
    zero, one = readings["page 0"], readings["page 1"]
    if zero.is_refused:
        return 1
    first, second = _ids(zero), _ids(one)
    if not first and not second:
        return None
    if first != second:
        return 0
    # A server that counts from 0 may repeat its only page.
    is_repeated = bool(_ids(readings["past end"]))
    return None if is_repeated and len(first) < SMALL else 1


def _pages(readings: Mapping[str, Reading]) -> Iterator[Finding]:
    base = page_base(readings)
    total = _total(readings["page 1"], readings["page 0"])
    compared = f"the account has {total} endpoints, too few to tell" if base is None else "0 and 1 compared"
    yield _finding(
        "number of the first page",
        "page_base",
        base,
        compared,
    )
    if base == 1:
        zero = readings["page 0"]
        answer = str(zero.status) if zero.is_refused else "first"
        yield _finding("page 0", "page_zero", answer, f"status {zero.status}")
    far = readings["past end"]
    if far.is_refused:
        yield _finding("a page past the end", "past_end", far.status, f"status {far.status}")
    else:
        value = "repeat" if _ids(far) else "empty" if total else None
        yield _finding("a page past the end", "past_end", value, f"it has {len(_ids(far))} endpoints")
    large, following = _ids(readings["large page"]), _ids(readings["next large page"])
    is_cut = len(large) < total and bool(set(following) - set(large))
    default = len(_ids(readings["default page"]))
    size = default if default < len(large) else None
    evidence = f"{default} of {total} endpoints"
    yield _finding("page size without pageSize", "default_page_size", size, evidence)
    yield _finding(
        "largest page", "max_page_size", len(large) if is_cut else None, f"{len(large)} of {total} endpoints"
    )
    if not is_cut and base is not None:
        yield _finding("total of listings", "total_offset", total - len(large), f"{total} for {len(large)}")


def _order(endpoints: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    times = [int(one["createdAt"]) for one in endpoints if str(one.get("createdAt", "")).isdecimal()]
    value = None
    if len(set(times)) > 1:
        value = {tuple(sorted(times)): "oldest", tuple(sorted(times, reverse=True)): "newest"}.get(
            tuple(times)
        )
    yield _finding("first in a listing", "list_order", value, f"{len(endpoints)} endpoints")


def _forms(endpoints: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    numbers = {_type(_inside(one, "workerConfig", "freeTimeout")) for one in endpoints}
    yield _finding("numbers", "number_style", _only(numbers), _seen(numbers))
    ports = {_type(port.get("port")) for one in endpoints for port in _dicts(one.get("ports"))}
    yield _finding("ports", "port_style", _only(ports), _seen(ports))
    healthy = {_type(one.get("healthy")) for one in endpoints}
    is_null = None if not healthy else healthy == {"null"}
    yield _finding("the health check", "healthy_null", is_null, _seen(healthy))
    empty = {
        "absent" if key not in one else "null" if one[key] is None else "list"
        for one in endpoints
        for key in ("envs", "volumeMounts", "workers")
        if not one.get(key)
    }
    yield _finding("empty lists", "empty_as", _only(empty), _seen(empty))
    styles = {
        next((name for name, form in _ID_STYLES.items() if re.fullmatch(form, str(one.get("id")))), "other")
        for one in endpoints
    }
    yield _finding("IDs", "id_style", _only(styles - {"other"}), _seen(styles))
    others = sorted({key for one in endpoints for key in one} - _DOCUMENTED)
    value = bool(others) if endpoints else None
    yield _finding("keys that nobody documents", "extra_fields", value, ", ".join(others) or "none")


def _single(readings: Mapping[str, Reading]) -> Iterator[Finding]:
    one = readings.get("endpoint")
    answer = one.json if one is not None and isinstance(one.json, dict) else None
    value = None if answer is None else isinstance(answer.get("endpoint"), dict)
    yield _finding("one endpoint by its ID", "get_wrapped", value, "" if answer else "there is no endpoint")
    unknown = readings["unknown endpoint"]
    yield _finding(
        "an ID that does not exist", "not_found_status", unknown.status if unknown.is_refused else None,
        f"status {unknown.status}, reason {unknown.reason or 'none'}",
    )  # fmt: skip


def _offers(readings: Mapping[str, Reading]) -> Iterator[Finding]:
    limits = readings["limits"]
    keys = limits.json if isinstance(limits.json, dict) else {}
    new = ", ".join(sorted(keys.keys() - CONSOLE_LIMITS.keys())) or "none"
    evidence = f"{len(keys)} keys, new ones: {new}" if keys else f"status {limits.status}"
    yield _finding("limits", "limit_offered", _is_offered(limits), evidence)
    products = readings["products"]
    yield _finding("products", "market_offered", _is_offered(products), f"status {products.status}")
    if (found := items(products, "data")) is not None:
        prices = [_inside(one, "pricing") for one in _dicts(found)]
        units = {str(unit) for price in prices if (unit := _inside(price, "postpaid", "unit"))}
        digits = {value for price in prices if isinstance(value := _inside(price, "precision"), int)}
        yield _finding("unit of prices", "price_unit", _only(units), _seen(units))
        yield _finding("digits of prices", "price_precision", _only(digits), _seen(digits))
        refused = readings["refused products"]
        value = ("reason" if refused.reason else "message") if refused.is_refused else None
        yield _finding("errors of the second API", "v2_errors", value, f"status {refused.status}")
    quota = readings["prewarm quota"]
    yield _finding("prewarm", "prewarm_offered", _is_offered(quota), f"status {quota.status}")
    limit = _inside(quota.json, "limit")
    if isinstance(limit, int):
        yield _finding("prewarm tasks", "prewarm_limit", limit, f"at most {limit}")
    zero, one = (_storage_ids(readings[f"storages {page}"]) for page in (0, 1))
    base = None if not zero and not one else 0 if zero and zero != one else 1
    yield _finding(
        "first page of storages", "storage_page_base", base, f"{len(zero)} and {len(one)} storages"
    )


def _finding(question: str, switch: str, value: object, evidence: str) -> Finding:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return Finding(question=question, switch=switch, value=text, evidence=evidence)


def _endpoints(readings: Mapping[str, Reading]) -> list[dict[str, Any]]:
    """Return the endpoints of the large page, or else of the first pages."""
    for name in ("large page", "page 0", "page 1"):
        if found := _dicts(items(readings[name], "endpoints")):
            return found
    return []


def _ids(reading: Reading) -> list[str]:
    return [str(one.get("id")) for one in _dicts(items(reading, "endpoints"))]


def _storage_ids(reading: Reading) -> list[str]:
    return [str(one.get("storageId")) for one in _dicts(items(reading, "data"))]


def _total(*readings: Reading) -> int:
    for reading in readings:
        total = _inside(reading.json, "total")
        if isinstance(total, int | str) and str(total).isdecimal():
            return int(total)
    return 0


def _inside(value: Json, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _type(value: object) -> str:
    return {str: "string", int: "int", type(None): "null", dict: "map"}.get(type(value), "other")


def _only(values: set[Any]) -> Any:
    return next(iter(values)) if len(values) == 1 else None


def _seen(values: set[Any]) -> str:
    return " and ".join(sorted(map(str, values))) or "nothing to see"


def _is_offered(reading: Reading) -> bool | None:
    return True if reading.status == 200 else False if reading.status in (404, 405, 501) else None
