"""Normal form <-> wire: lists become maps, digit strings become ints, and back.

Novita answers `freeTimeout`, `maxConcurrent` and `policy.value` as digit strings and may leave out or null
whole objects; what an answer does not report is left out of the normal form, so that it never counts as a
change. Empty `envs` and `volumeMounts` are reported as empty whichever way the answer says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any

from reconciler.model.resource import Live
from reconciler.model.values import Fields, Json, Value

WORKER_NUMBERS = ("minNum", "maxNum", "freeTimeout", "maxConcurrent", "gpuNum", "requestTimeout")
UNCOMPARED = ("state", "workers", "createdAt")
"""What is kept of an answer as it came. All the rest has its place in the fields; kept twice, it would double
what ten thousand endpoints take."""
MOUNT_KEYS = ("type", "id", "size", "mountPath")


def parse(answer: Json) -> Live:
    """One endpoint as Novita answers it. Raises ValueError when it has no ID."""
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), str) or not answer["id"]:
        raise ValueError("an endpoint without an id")
    if not answer["id"].isprintable():
        raise ValueError("an endpoint whose id is not text")
    fields = _some(answer, "name", "appName", "clusterID")
    fields |= {
        key: value
        for key, value in (
            ("workerConfig", _worker_config(_mapping(answer.get("workerConfig")))),
            ("policy", _policy(_mapping(answer.get("policy")))),
            ("image", _some(_mapping(answer.get("image")), "image", "authId", "command")),
            ("healthy", _some(_mapping(answer.get("healthy")), "path")),
            ("ports", _ports(answer.get("ports"))),
            ("products", _products(answer.get("products"))),
        )
        if value
    }
    if (size := number(answer.get("rootfsSize"))) is not None:
        fields["rootfsSize"] = size
    fields["envs"] = {
        env["key"]: _text(env.get("value")) for env in _items(answer.get("envs")) if env.get("key")
    }
    fields["volumeMounts"] = {
        mount["mountPath"]: _mount(mount)
        for mount in _items(answer.get("volumeMounts"))
        if mount.get("mountPath")
    }
    return Live(
        id=answer["id"],
        name=_text(answer.get("name")),
        fields=fields,
        state=_state(answer.get("state")),
        url=_text(answer.get("url")),
        raw={key: answer[key] for key in UNCOMPARED if key in answer},
    )


def create_body(fields: Fields, app_name: str) -> Value:
    """The body of `endpoint/create`: the endpoint wrapped, keys in documented order."""
    return {
        "endpoint": {
            "name": fields["name"],
            "appName": fields.get("appName", app_name),
            "workerConfig": {key: value for key, value in fields["workerConfig"].items() if value != ""},
            "ports": fields["ports"],
            "policy": fields["policy"],
            "image": {key: value for key, value in fields["image"].items() if value != ""},
            "products": fields["products"],
            "rootfsSize": fields["rootfsSize"],
            "volumeMounts": wire_mounts(fields["volumeMounts"]),
            "clusterID": fields["clusterID"],
            "envs": wire_envs(fields["envs"]),
            "healthy": fields["healthy"],
        }
    }


def update_body(live: Live, fields: Fields) -> Value:
    """The flat and full body of `endpoint/update`: `fields` over what is live.

    Never `appName`, `products` or `rootfsSize`, which no source shows to be accepted there. A live
    `cudaVersion` is sent back unchanged, because an omitted one may be cleared.
    """
    old = live.fields
    worker = {**old.get("workerConfig", {}), **fields.get("workerConfig", {})}
    cuda = old.get("workerConfig", {}).get("cudaVersion")
    mounts = {
        path: {**_same_volume(old.get("volumeMounts", {}).get(path, {}), mount), **mount}
        for path, mount in fields.get("volumeMounts", old.get("volumeMounts", {})).items()
    }
    body: dict[str, Any] = {
        "id": live.id,
        "name": fields.get("name", live.name),
        "workerConfig": {key: worker[key] for key in WORKER_NUMBERS if key in worker}
        | ({"cudaVersion": cuda} if cuda else {}),
    }
    for key in ("ports", "policy"):
        if key in fields or key in old:
            body[key] = fields.get(key, old.get(key))
    body["image"] = {**old.get("image", {}), **fields.get("image", {})}
    body["volumeMounts"] = wire_mounts(mounts)
    if cluster := fields.get("clusterID", old.get("clusterID")):
        body["clusterID"] = cluster
    body["envs"] = wire_envs(fields.get("envs", old.get("envs", {})))
    if healthy := {**old.get("healthy", {}), **fields.get("healthy", {})}:
        body["healthy"] = healthy
    return body


def _same_volume(old: Mapping[str, Value], mount: Mapping[str, Value]) -> Mapping[str, Value]:
    """What is live at a path; nothing of it when a volume of another type takes its place."""
    return old if old.get("type") == mount.get("type") else {}


def wire_envs(envs: Mapping[str, Value]) -> list[dict[str, Value]]:
    """Sorted by key, so that one map has one body."""
    return [{"key": key, "value": envs[key]} for key in sorted(envs)]


def wire_mounts(mounts: Mapping[str, Mapping[str, Value]]) -> list[dict[str, Value]]:
    """In the order of their paths, empty IDs left out."""
    return [
        {key: value for key in MOUNT_KEYS if (value := {**mounts[path], "mountPath": path}.get(key))}
        for path in sorted(mounts)
    ]


def number(value: object) -> int | None:
    """An int from an int or a digit string; None from anything that is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> Iterable[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _some(value: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Those of its texts that are some; a list or an object, which we would not know how to send, is none."""
    return {key: _text(value[key]) for key in keys if value.get(key) and isinstance(value[key], str | int)}


def _text(value: object) -> str:
    """The same text as the one of the YAML and of the inventory: a tenth of the memory of a large plan."""
    return "" if value is None else intern(str(value))


def _worker_config(config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: value for key in WORKER_NUMBERS if (value := number(config.get(key))) is not None
    }
    if not is_any_cuda(config.get("cudaVersion")):
        found["cudaVersion"] = config["cudaVersion"]
    return found


def is_any_cuda(version: object) -> bool:
    """`any`, empty and absent all leave the choice to Novita."""
    return version in (None, "", "any")


def _policy(policy: Mapping[str, Any]) -> dict[str, Any]:
    found = _some(policy, "type")
    if (value := number(policy.get("value"))) is not None:
        found["value"] = value
    return found


def _ports(ports: object) -> list[dict[str, int]]:
    return [{"port": port} for item in _items(ports) if (port := number(item.get("port"))) is not None]


def _products(products: object) -> list[dict[str, str]]:
    return [{"id": product} for product in sorted(_text(p.get("id")) for p in _items(products)) if product]


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {key: _text(mount[key]) for key in ("type", "id") if mount.get(key)}
    if size := number(mount.get("size")):
        found["size"] = size
    return found


def _state(state: object) -> str:
    if isinstance(state, dict):
        state = state.get("state")
    return _text(state)
