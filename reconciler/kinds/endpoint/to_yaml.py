"""The YAML item that declares a live endpoint: the mapping backwards, without defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from reconciler.kinds.endpoint.codec import UNCOMPARED
from reconciler.kinds.endpoint.fields import (
    DEFAULT_POLICY,
    DEFAULT_PORT,
    DEFAULT_REPLICAS,
    LONGEST_NAME,
    TABLE,
    is_any_cuda,
)
from reconciler.kinds.endpoint.from_yaml import APP_NAME, APP_NAME_MAX, suggested_app_name
from reconciler.kinds.fields import value_of
from reconciler.kinds.image_reference import is_reference
from reconciler.model.resource import Live, Spec
from reconciler.model.secrets import reveal
from reconciler.model.values import Fields, Reference, Value, escaped

_ORDER: Final = {
    name: position
    for position, name in enumerate(
        [
            *("endpoint", "appName", "specName", "image", "command", "imageAuthId", "imageAuth"),
            *("replicas", "minReplicas", "maxReplicas", "freeTimeout", "requestTimeout", "maxConcurrent"),
            *("policy", "port", "healthPath", "storage", "env"),
        ]
    )
}
"""The order of the names in an item; names that are not here come last."""

_NAMES: Final = ("endpoint", "appName", "specName", "imageAuth")
"""Fields that are names, in which `${` is not escaped."""

_UNSETTABLE: Final = "\0"
_ENV_KEY: Final = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]{0,254}\Z")


def item_of(live: Live, spec: str) -> dict[str, Any]:
    """Return the item that declares a live endpoint; `spec` is the name of a spec that fits.

    Its values are literal, with `$${` for `${`. The endpoint must have no `obstacle`.
    """
    fields = live.fields
    item = {
        "endpoint": live.name,
        "appName": _app_name(live),
        "specName": spec,
        **{row.names[0]: _unless(row.default, value_of(fields, row.path)) for row in TABLE.plain},
        **_workers(fields.get("workerConfig", {})),
        "policy": _unless(DEFAULT_POLICY, fields.get("policy")),
        "port": _unless(DEFAULT_PORT, port_of(fields)),
        "storage": storage_of(fields),
        "env": dict(sorted(fields.get("envs", {}).items())),
    }
    if isinstance(used := item["imageAuthId"], Reference):
        item |= {"imageAuthId": None, "imageAuth": used.name}
    return {
        key: value if key in _NAMES else escaped(value)
        for key in sorted(item, key=_position)
        if (value := item[key]) not in (None, [], {})
    }


def ordered(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with its names in the order in which items are written."""
    return {key: item[key] for key in sorted(item, key=_position)}


def named(name: str) -> dict[str, Any]:
    """Return the fields that give an endpoint this name: also `appName`, if the name cannot be one."""
    return {"endpoint": name} | ({} if is_app_name(name) else {"appName": suggested_app_name(name)})


def _position(key: str) -> int:
    return _ORDER.get(key, len(_ORDER))


def obstacle(live: Live) -> str:
    """Return why no YAML can declare the endpoint as it is, as a clause; "" if YAML can."""
    name, app_name = live.name, live.fields.get("appName")
    envs = live.fields.get("envs", {})
    odd = [key for key in envs if not _ENV_KEY.match(key)]
    unsettable = [key for key, value in envs.items() if _UNSETTABLE in value]
    if not name:
        return "it has no name"
    if not name.isprintable() or len(name) > LONGEST_NAME or "${" in name:
        return f"its name is not one of 1 to {LONGEST_NAME} printable characters without `${{`"
    if app_name and not is_app_name(app_name) and not is_app_name(name):
        return f"neither its name nor its appName `{app_name}` can be an `appName`"
    if unread := [path for path in live.unread if path[0] not in (*UNCOMPARED, "url")]:
        head, *rest = unread[0]
        name = f"value of {rest[0]}" if head == "envs" and rest else TABLE.label(unread[0])
        return f"its {name} cannot be read"
    image = live.fields.get("image", {}).get("image")
    if not image:
        return "Novita does not say which image it runs"
    if not is_reference(image):
        return f"its image `{image}` is not the reference of an image"
    if shape_of(live.fields) is None:
        return "Novita does not report one product, a region, GPUs and a rootfs size of it"
    if odd:
        return f"`env` cannot hold a key like {odd[0]!r}"
    if unsettable:
        return f"its value of {unsettable[0]} cannot be read from an environment variable"
    return ""


def shape_of(fields: Fields, name: str = "") -> Spec | None:
    """Return the spec of a live endpoint; None if not all of it is reported."""
    worker, products = fields.get("workerConfig", {}), fields.get("products", [])
    region, gpu, rootfs = fields.get("clusterID"), worker.get("gpuNum"), fields.get("rootfsSize")
    if len(products) != 1 or not (region and gpu and rootfs):
        return None
    return Spec(
        name=name,
        product_id=products[0]["id"],
        region=region,
        gpu=gpu,
        rootfs_gb=rootfs,
        cuda_version=worker.get("cudaVersion", ""),
    )


def spec_of(fields: Fields, specs: Iterable[Spec]) -> Spec | None:
    """Return the first of these specs that gives the live fields, or None."""
    wanted = shape_of(fields)
    return next((spec for spec in specs if wanted is not None and is_same_shape(spec, wanted)), None)


def is_same_shape(one: Spec, other: Spec) -> bool:
    """Return True if two specs make the same endpoint, whatever their names."""
    mine, theirs = (
        reveal([spec.product_id, spec.region, spec.gpu, spec.rootfs_gb, _some_cuda(spec.cuda_version)])
        for spec in (one, other)
    )
    return bool(mine == theirs)


def _some_cuda(version: Value) -> Value:
    return "" if is_any_cuda(version) else version


def is_app_name(name: str) -> bool:
    """Return True if a name can be the app name in a URL."""
    return len(name) <= APP_NAME_MAX and APP_NAME.match(name) is not None


def port_of(fields: Fields) -> int | None:
    """Return the port, if there is exactly one."""
    ports = fields.get("ports", [])
    return ports[0]["port"] if len(ports) == 1 else None


def storage_of(fields: Fields) -> list[dict[str, Any]]:
    """Return the volumes in the order of their paths, without values that Novita fills in."""
    return [dict(_volume(path, mount)) for path, mount in sorted(fields.get("volumeMounts", {}).items())]


def _volume(path: str, mount: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "type", mount.get("type")
    if mount.get("type") == "network":
        used = mount.get("id")
        yield ("name", used.name) if isinstance(used, Reference) else ("id", used)
    elif "size" in mount:
        yield "sizeGb", mount["size"]
    yield "mountPath", path


def _app_name(live: Live) -> str | None:
    """Return the `appName` that keeps the URL; None if the URL has the default name or the ID."""
    app_name = live.fields.get("appName")
    if is_app_name(live.name):
        is_written = app_name not in (None, live.name, live.id) and is_app_name(str(app_name))
        return app_name if is_written else None
    return app_name or suggested_app_name(live.name)


def _workers(worker: Mapping[str, Any]) -> dict[str, int | None]:
    low, high = worker.get("minNum"), worker.get("maxNum")
    if low == high and low != 0:
        return {"replicas": _unless(DEFAULT_REPLICAS, low)}
    return {"minReplicas": low, "maxReplicas": high}


def _unless(default: Value, value: Value) -> Value:
    return None if value == default else value
