"""What an endpoint uses, as far as it costs money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.kinds.endpoint.fields import FREE_TIMEOUT, MAX, MIN
from reconciler.model.market.cost import WorkerUsage
from reconciler.model.secrets import reveal
from reconciler.model.values import Fields


def usage(fields: Fields) -> WorkerUsage:
    """Return what the workers of an endpoint in normal form use."""
    products = fields.get("products") or ()
    ids = (item.get("id") for item in products if isinstance(item, Mapping))
    workers = fields.get("workerConfig", {})
    return WorkerUsage(
        product_ids=tuple(str(reveal(product_id)) for product_id in ids),
        region=str(reveal(fields.get("clusterID", ""))),
        gpus=_count(workers.get("gpuNum")),
        min_workers=_count(workers.get(MIN[1])),
        max_workers=_count(workers.get(MAX[1])),
        idle_seconds=_count(workers.get(FREE_TIMEOUT[1])),
        rootfs_gb=_count(fields.get("rootfsSize")),
        volume_gb=_local_gb(fields.get("volumeMounts") or {}),
    )


def _count(value: object) -> int | None:
    """Return a number from 0 on. Workers and GB below that would have a negative price."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _local_gb(mounts: Mapping[str, Any]) -> int | None:
    """Return the size of the local volumes (GB); None if one is not known."""
    sizes = [_count(mount.get("size")) for mount in mounts.values() if mount.get("type") == "local"]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None
