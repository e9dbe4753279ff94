"""The clusters and the products of the provider, in the first API and in the second one."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from reconciler.simulator.profile import Profile
from reconciler.simulator.validation import invalid, number_of

CLUSTERS: list[dict[str, Any]] = [
    {
        "id": cluster,
        "name": name,
        "availableGpuType": ["RTX 4090", "RTX 5090"],
        "supportNetworkStorage": network_storage,
        "supportInstanceNetwork": False,
    }
    for cluster, name, network_storage in (
        ("us-dallas-nas-2", "US-Dallas-NAS-02 (Dallas)", True),
        ("as-sgp-2", "AS-SGP-02", True),
        ("cn-hongkong-1", "CN-HK-01", False),
        ("eu-de-1", "EU-DE-01", False),
    )
]

# Products of GPU instances; the first API has no public list of serverless products (docs list-products).
INSTANCE_PRODUCTS = [
    {
        "id": "4090.16c62g",
        "name": "RTX 4090 24GB",
        "cpuPerGpu": 16,
        "memoryPerGpu": 62,
        "diskPerGpu": 60,
        "availableDeploy": True,
        "minRootFS": 10,
        "maxRootFS": 255,
        "minLocalStorage": 0,
        "maxLocalStorage": 2048,
        "regions": ["US-Dallas-NAS-02 (Dallas)"],
        "price": "67000",
        "monthlyPrice": [{"price": "36000000", "month": 1}],
        "billingMethods": ["onDemand", "monthly", "spot"],
        "spotPrice": "33500",
        "inventoryState": "normal",
    }
]

# ID, GPU, its memory in GB, regions. Only SL-serverless-3 is known, the others are invented.
_ALL_REGIONS = tuple(str(cluster["id"]) for cluster in CLUSTERS)
_SERVERLESS = (
    ("SL-serverless-1", "RTX 4090", 24, _ALL_REGIONS),
    ("SL-serverless-2", "L40S", 48, ("us-dallas-nas-2", "eu-de-1")),
    ("SL-serverless-3", "RTX 5090", 32, _ALL_REGIONS),
    ("SL-serverless-4", "H100 SXM", 80, ("us-dallas-nas-2",)),
)

STOCK = 64
GPUS_OF_A_MACHINE = 8
LARGEST_PAGE = 100
_TYPES = ("gpu", "cpu")
_CATEGORIES = ("serverless", "instance")


def regions() -> list[dict[str, Any]]:
    """Return the regions as the second API lists them: the clusters under another name."""
    return [
        {
            "id": cluster["id"],
            "name": cluster["name"],
            "gpus": cluster["availableGpuType"],
            "feature": {
                "network_volume": cluster["supportNetworkStorage"],
                "instance_vpc_network": cluster["supportInstanceNetwork"],
            },
        }
        for cluster in CLUSTERS
    ]


def find_products(query: Mapping[str, str], profile: Profile) -> dict[str, Any]:
    """Return the page of products that a query requests. Raise Refusal for an incomplete or invalid query."""
    for name, known in (("type", _TYPES), ("category", _CATEGORIES)):
        if not query.get(name):
            raise invalid(name, "value is required")
        if query[name] not in known:
            raise invalid(name, "value must be one of " + ", ".join(known))
    wanted = {one for one in query.get("region_ids", "").split(",") if one}
    is_serverless = (query["type"], query["category"]) == ("gpu", "serverless")
    found = [
        _product(product_id, gpu, memory, places, profile)
        for product_id, gpu, memory, places in _SERVERLESS
        if is_serverless
        and product_id not in profile.hidden_products
        and (not wanted or wanted & set(places))
    ]
    limit = number_of(query.get("limit") or profile.market_page_size, "limit", minimum=1)
    start = _offset(query.get("cursor", ""))
    stop = start + min(limit, LARGEST_PAGE)
    has_more = stop < len(found)
    return {"data": found[start:stop], "next_cursor": _cursor(stop) if has_more else "", "has_more": has_more}


def _product(
    product_id: str, gpu: str, memory: int, places: tuple[str, ...], profile: Profile
) -> dict[str, Any]:
    available = 0 if profile.no_stock else profile.product_stock.get(product_id, STOCK)
    price = profile.product_prices.get(product_id)
    limits = profile.limits
    return {
        "id": product_id,
        "name": gpu,
        "region_ids": list(places),
        "resource_spec": {
            "gpu": {
                "spec_id": gpu.lower().replace(" ", "-"),
                "name": gpu,
                "memory_gb": memory,
                "min": 1,
                "max": GPUS_OF_A_MACHINE,
                "available": available,
                "max_available": min(available, GPUS_OF_A_MACHINE),
            },
            "cpu": 16,
            "memory_gb": 64,
            "rootfs": {
                "min_gb": limits.get("minRootfsSize", 10),
                "max_gb": limits.get("maxRootfsSize", 100),
                "free_gb": limits.get("freeRootfsSize", 100),
            },
        },
        "pricing": {
            "precision": profile.price_precision,
            "postpaid": None
            if price is None
            else {"base_price": price, "final_price": price, "unit": profile.price_unit},
            "spot": None,
            "storage_price_per_gb": profile.storage_price,
        },
        "billing_methods": ["postpaid"],
        "inventory_state": _inventory_state(available),
        "deployable": available > 0 and product_id not in profile.undeployable,
    }


def _inventory_state(available: int) -> str:
    for least, state in ((32, "high"), (8, "normal"), (1, "low")):
        if available >= least:
            return state
    return "none"


def _cursor(offset: int) -> str:
    return urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(cursor: str) -> int:
    """Return the number of items before a page. Raise Refusal for a cursor that no answer has had."""
    if not cursor:
        return 0
    try:
        word, _, offset = urlsafe_b64decode(cursor).decode().partition(":")
        return number_of(offset if word == "offset" else None, "cursor", minimum=1)
    except ValueError:
        raise invalid("cursor", "unknown cursor") from None
