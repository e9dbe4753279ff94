"""The checks of a plan against products, stock, limits, balance and storages. What is unknown is not checked.

Novita documents the address of the products and not their answer, and nobody has seen that the IDs of both
APIs are the same. So a check warns, and refuses a plan only if the user asked for a preflight.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from typing import Final, TypeAlias, cast

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.market.balance import Balance
from reconciler.model.market.cost import NOTHING, PlanCost, WorkerUsage
from reconciler.model.market.products import Product, Products
from reconciler.model.market.text import usd
from reconciler.model.plan import Adopt, Change, Create, Replace, Scale, Update
from reconciler.model.problem import ExitCode, Problem, Severity
from reconciler.model.resource import STORAGE, Limits, Live
from reconciler.model.review.preflight import Preflight, PreflightCheck, Result
from reconciler.model.secrets import mask, reveal
from reconciler.model.text import quantity
from reconciler.model.values import Fields, Reference, value_at
from reconciler.planning.cost.current import runway
from reconciler.planning.cost.plan_cost import usages
from reconciler.planning.review.storage_regions import new_storages, storage_region_checks

SHORT_RUNWAY_HOURS: Final = 72
"""Hours. After three days without a balance, Novita releases network storages."""

OUT_OF_STOCK: Final = "none"
"""Novita's word for an inventory without a free GPU."""

_CUDA: Final = ("workerConfig", "cudaVersion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What Novita has told. None: it was not read, or could not be.

    live: the resources of the account. images: checks of images that were made elsewhere. beyond_limits: the
    problems of values that exceed `limits`. storage_offers: those of regions, by ID.
    """

    limits: Limits | None = None
    beyond_limits: Sequence[Problem] = ()
    products: Products | None = None
    balance: Balance | None = None
    cost: PlanCost | None = None
    live: Sequence[Live] = ()
    images: Sequence[PreflightCheck] = field(default=())
    storage_offers: Mapping[str, bool | None] | None = None


_Write: TypeAlias = Create | Update | Scale | Replace | Adopt


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demand:
    """What changes need of one product in one region. gpus: those of workers to start (count).

    shown_product, shown_region: both as people may see them; a reference may have given them.
    """

    product_id: str
    region: str
    shown_product: str
    shown_region: str
    gpus: int
    changes: tuple[_Write, ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(change.address for change in self.changes)

    @property
    def is_new(self) -> bool:
        """Return True if an endpoint with this product is to be created."""
        return any(isinstance(change, Create | Replace) for change in self.changes)


def preflight(changes: Iterable[Change], known: Facts) -> tuple[PreflightCheck, ...]:
    """Return the checks of what a plan creates or changes: endpoints, and new storages; none without any."""
    changes = tuple(changes)
    created = new_storages(changes)
    written = [
        change
        for change in changes
        if change.kind == ENDPOINT.type
        and isinstance(change, _Write)
        and (change.fields or not isinstance(change, Adopt))
    ]
    checks = tuple(_checks(written, known)) if written else ()
    if not created:
        return checks
    return (*(checks or (_balance(known),)), *storage_region_checks(created, known.storage_offers))


def preflight_problems(found: Preflight) -> Iterator[Problem]:
    """Yield a warning for each check that did not pass, or an error if a requested one failed.

    Values beyond a limit have warnings of their own, and how long a balance lasts is told by `doctor`.
    """
    for check in found.checks:
        is_refused = found.is_requested and check.result is Result.FAIL
        is_told = check.result is Result.WARN and check.name not in ("limits", "balance")
        if not is_told and check.result is not Result.FAIL:
            continue
        yield Problem(
            code=f"preflight-{check.name}",
            severity=Severity.ERROR if is_refused else Severity.WARNING,
            summary=check.detail,
            hint=check.hint,
            address=check.addresses[0] if len(check.addresses) == 1 else None,
            exit_code=ExitCode.GUARD if is_refused else ExitCode.ERROR,
        )


def _checks(written: Sequence[_Write], known: Facts) -> Iterator[PreflightCheck]:
    demands = tuple(_demands(written, known.cost))
    yield _limits(known)
    yield from (_product(demand, known) for demand in demands)
    yield from (_stock(demand, known.products) for demand in demands)
    yield from _cuda(written, known.limits)
    yield from known.images
    yield from _storages(written, known.live)
    yield _balance(known)


def _demands(written: Iterable[_Write], cost: PlanCost | None) -> Iterator[_Demand]:
    used = {one.name: one.usages for one in cost.changes} if cost else {}
    gpus: dict[tuple[str, str], int] = {}
    changes: dict[tuple[str, str], list[_Write]] = {}
    for change in written:
        before, after = cast("tuple[WorkerUsage | None, WorkerUsage]", used.get(change.key) or usages(change))
        had = before.min_workers if before and not isinstance(change, Replace) else 0
        for product_id in after.product_ids:
            key = product_id, after.region
            started = max(0, (after.min_workers or 0) - (had or 0))
            gpus[key] = gpus.get(key, 0) + started * (after.gpus or 1)
            changes.setdefault(key, []).append(change)
    for key, concerned in changes.items():
        fields = _written_fields(concerned[0])
        ids = [item.get("id") for item in fields.get("products", ()) if isinstance(item, Mapping)]
        (shown, *_) = [mask(one) for one in ids if str(reveal(one)) == key[0]] or [key[0]]
        yield _Demand(
            product_id=key[0],
            region=key[1],
            shown_product=str(shown),
            shown_region=str(mask(fields.get("clusterID", key[1]))),
            gpus=gpus[key],
            changes=tuple(concerned),
        )


def _limits(known: Facts) -> PreflightCheck:
    if known.limits is None:
        return _check("limits", Result.NOT_CHECKED, "the limits of the account could not be read")
    beyond = [found for found in known.beyond_limits if found.code == "limit"]
    if not beyond:
        return _check("limits", Result.OK, "all values are within the limits of the account")
    addresses = tuple(dict.fromkeys(found.address for found in beyond if found.address))
    what = f"{quantity(len(beyond), 'value')} beyond the account's limits"
    return _check("limits", Result.WARN, what, addresses=addresses)


def _product(demand: _Demand, known: Facts) -> PreflightCheck:
    name, where = f"product {demand.shown_product}", f"in {demand.shown_region}"
    if known.products is None:
        return _check(
            "product", Result.NOT_CHECKED, f"{name} {where}: Novita did not list its products", demand
        )
    product = known.products.find(demand.product_id, demand.region)
    hint = "reconciler specs --available   lists the products and their regions"
    if product is None and not known.products.is_complete:
        return _check(
            "product", Result.NOT_CHECKED, f"{name} {where}: the list of products is incomplete", demand
        )
    if product is None:
        is_used = any(one.fields.get("products") == [{"id": demand.product_id}] for one in known.live)
        result = Result.WARN if is_used or not demand.is_new else Result.FAIL
        return _check("product", result, f"{name} is not in Novita's list of products", demand, hint=hint)
    if not product.regions:
        return _check("product", Result.NOT_CHECKED, f"{name}: Novita does not tell its regions", demand)
    if demand.region not in product.regions:
        result = Result.FAIL if demand.is_new else Result.WARN
        offered = ", ".join(product.regions)
        return _check(
            "product", result, f"{name} is not offered {where}, but in {offered}", demand, hint=hint
        )
    return _check(
        "product", Result.OK, f"{name} {where}{f': {product.name}' if product.name else ''}", demand
    )


def _stock(demand: _Demand, products: Products | None) -> PreflightCheck:
    name = f"{demand.shown_product} in {demand.shown_region}"
    product = products.find(demand.product_id, demand.region) if products else None
    if product is None or (product.available is None and not product.inventory_state):
        return _check("stock", Result.NOT_CHECKED, f"{name}: Novita does not tell its stock", demand)
    hint = "new workers wait until there is one; reconciler specs --available   lists the stock"
    if product.available == 0 or product.inventory_state == OUT_OF_STOCK or product.is_deployable is False:
        return _check("stock", Result.WARN, f"{name}: no GPU is available now", demand, hint=hint)
    needed = f", {demand.gpus} needed now" if demand.gpus else ""
    found = f"{name}: {stock_text(product)}{needed}"
    if product.available is not None and product.available < demand.gpus:
        return _check("stock", Result.WARN, found, demand, hint=hint)
    return _check("stock", Result.OK, found, demand)


def stock_text(product: Product) -> str:
    """Return the stock of a product in words: how many GPUs are available, and Novita's word for it."""
    count = None if product.available is None else f"{quantity(product.available, 'GPU')} available"
    return (
        " ".join(filter(None, (count, product.inventory_state and f"({product.inventory_state})")))
        or "unknown"
    )


def _cuda(written: Sequence[_Write], limits: Limits | None) -> Iterator[PreflightCheck]:
    wanted: dict[str, list[str]] = {}
    for change in written:
        version = value_at(_written_fields(change), _CUDA)  # a secret is no text, and is not told
        if isinstance(version, str) and version not in ("", "any"):
            wanted.setdefault(version, []).append(change.address)
    offered = (limits or {}).get("cudaVersionList")
    if not wanted:
        yield _check("cuda", Result.OK, "no CUDA version is required")
    for version, addresses in wanted.items():
        what = f"CUDA {version}"
        if not isinstance(offered, list) or not offered:
            yield _check(
                "cuda",
                Result.NOT_CHECKED,
                f"{what}: the versions that Novita offers could not be read",
                addresses=tuple(addresses),
            )
        elif version in map(str, offered):
            yield _check("cuda", Result.OK, f"{what} is offered", addresses=tuple(addresses))
        else:
            known = ", ".join(map(str, offered))
            yield _check(
                "cuda", Result.FAIL, f"{what} is not offered, but {known}", addresses=tuple(addresses)
            )


def _storages(written: Sequence[_Write], live: Iterable[Live]) -> Iterator[PreflightCheck]:
    regions = {one.id: one.fields.get("clusterId") for one in live if one.kind == STORAGE}
    mounted = unknown = elsewhere = 0
    for change in written:
        fields = _written_fields(change)
        region = reveal(fields.get("clusterID"))
        for path, used_type in ENDPOINT.links(fields):
            if used_type != STORAGE:
                continue
            used = value_at(fields, path)
            mounted += 1
            if isinstance(used, Reference):
                continue  # declared here, so `validate` has compared the regions
            used_id = reveal(used)
            if used_id not in regions or region is None:
                unknown += 1
            elif regions[used_id] != region:
                elsewhere += 1
                yield _check(
                    "storage",
                    Result.FAIL,
                    f"storage {mask(used)} is in {regions[used_id]}, and `{change.name}` in"
                    f" {mask(fields['clusterID'])}",
                    hint="an endpoint mounts only storages of its own region",
                    addresses=(change.address,),
                )
    if not mounted:
        yield _check("storage", Result.OK, "no network storage is mounted")
    elif unknown:
        what = f"the region of {quantity(unknown, 'mounted storage')} is not known"
        yield _check("storage", Result.NOT_CHECKED, what)
    elif not elsewhere:
        yield _check(
            "storage", Result.OK, f"{quantity(mounted, 'mounted storage')} in the region of the endpoint"
        )


def _balance(known: Facts) -> PreflightCheck:
    if known.balance is None:
        return _check("balance", Result.NOT_CHECKED, "the balance could not be read")
    available = usd(Fraction(known.balance.available))
    hint = "recharge it in Novita Console (https://console.novita.ai)"
    if known.balance.available <= 0:
        what = f"the balance is {available}: Novita refuses creates and changes of such an account"
        return _check("balance", Result.FAIL, what, hint=hint)
    hours = runway(known.balance, known.cost.after.floor if known.cost else NOTHING).hours
    if hours is None:
        return _check("balance", Result.OK, available)
    if hours < SHORT_RUNWAY_HOURS:
        what = f"{available} lasts {quantity(int(hours), 'hour')} at the floor of the plan"
        return _check("balance", Result.WARN, what, hint=hint)
    days = quantity(int(hours) // 24, "day")
    return _check("balance", Result.OK, f"{available} lasts {days} at the floor of the plan")


def _written_fields(change: _Write) -> Fields:
    return change.desired.fields if isinstance(change, Create) else change.target


def _check(
    name: str,
    result: Result,
    detail: str,
    demand: _Demand | None = None,
    *,
    hint: str = "",
    addresses: tuple[str, ...] = (),
) -> PreflightCheck:
    return PreflightCheck(
        name=name,
        result=result,
        detail=detail,
        hint=hint,
        addresses=demand.addresses if demand else addresses,
    )
