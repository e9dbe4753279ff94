"""The validation of the bodies of create and update, and of page numbers. Settings have numbers as int."""

import re
from collections.abc import Mapping
from typing import Any

from reconciler.simulator.api import Refusal
from reconciler.simulator.profile import Profile

Settings = dict[str, Any]

APP_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
MOUNT_PATH = re.compile(r"/[A-Za-z0-9_./-]*")
RESERVED_PORTS = frozenset({2222, 2223, 2224})
FIXED = ("appName", "products", "rootfsSize", "type")


def create_settings(body: Mapping[str, Any], request_timeout: int = 0) -> Settings:
    """Return the settings of `{"endpoint": {...}}`; `appName` may be empty (docs create-endpoint).

    `request_timeout` (seconds) is filled in if there is none. If it is 0, there must be one.
    """
    endpoint = _object(body, "endpoint", "endpoint")
    settings = _required(endpoint, request_timeout)
    settings["name"] = _text(endpoint, "name", max_length=220)
    settings["appName"] = _app_name(endpoint)
    settings["products"] = _products(endpoint)
    settings["rootfsSize"] = _number(endpoint, "rootfsSize", minimum=1)
    settings["clusterID"] = _text(endpoint, "clusterID", max_length=255)
    settings["volumeMounts"] = _mounts(endpoint)
    settings["envs"] = _envs(endpoint)
    settings["healthy"] = _healthy(_object(endpoint, "healthy", "healthy"))
    if endpoint.get("clusterIDs") is not None:
        settings["clusterIDs"] = texts_of(endpoint, "clusterIDs")
    if endpoint.get("type") is not None:
        settings["type"] = _choice(endpoint, "type", "type", ("sync", "async"))
    if settings.get("type") == "async" and settings["policy"]["type"] != "concurrency":
        raise invalid("policy.type", "an async endpoint takes only concurrency")
    return settings


def update_settings(
    body: Mapping[str, Any], current: Settings, *, keep: bool, request_timeout: int = 0
) -> tuple[Settings, list[str]]:
    """Return the settings after an update with a flat body, and the fixed fields that it tried to change.

    appName, products, rootfsSize, type and cudaVersion never change; clients that leave them out of updates
    have working endpoints. Other omitted fields are cleared, or kept with `keep`. `request_timeout`: see
    `create_settings`.
    """
    settings = {**current, **_required(body, request_timeout)}
    refused = [field for field in FIXED if _changes(body, current, field)]
    cuda = settings["workerConfig"]["cudaVersion"]
    settings["workerConfig"]["cudaVersion"] = current["workerConfig"]["cudaVersion"]
    if cuda and cuda != current["workerConfig"]["cudaVersion"]:
        refused.append("workerConfig.cudaVersion")
    if keep:
        settings["image"] = {**current["image"], **_given(body["image"], settings["image"])}
    optional: dict[str, Any] = {
        "name": _text(body, "name", max_length=220),
        "clusterID": _text(body, "clusterID", max_length=255),
        "volumeMounts": _mounts(body),
        "envs": _envs(body),
        "healthy": None if body.get("healthy") is None else _healthy(_object(body, "healthy", "healthy")),
    }
    settings |= _given(body, optional) if keep else optional
    if body.get("clusterIDs") is not None:
        settings["clusterIDs"] = texts_of(body, "clusterIDs")
    return settings, refused


def invalid(field: str, why: str) -> Refusal:
    return Refusal("VALIDATOR_PARAM", f"invalid {field}: {why}")


def text_of(body: Mapping[str, Any], field: str, *, max_length: int) -> str:
    """Return a required, non-empty string of a body."""
    value = _text(body, field, max_length=max_length)
    if not value:
        raise invalid(field, "value is required")
    return value


def require_cluster(cluster_id: str, field: str, profile: Profile) -> None:
    """Raise Refusal for a cluster that the profile does not know. No cluster at all is valid."""
    if profile.known_clusters and cluster_id not in ("", *profile.known_clusters):
        raise invalid(field, f"unknown cluster {cluster_id!r}")


def optional_text(body: Mapping[str, Any], field: str, *, max_length: int) -> str:
    """Return a string of a body, empty if it has none."""
    return _text(body, field, max_length=max_length)


def choice_of(values: Mapping[str, Any], field: str, choices: tuple[str, ...]) -> str:
    """Return a value of a body or of a query that is one of the choices."""
    return _choice(values, field, field, choices)


def number_of(value: Any, field: str, *, minimum: int, maximum: int | None = None) -> int:
    """Return an integer within limits. A string of digits is valid too; clients send both."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(field, "value must be an integer")
    if value < minimum or (maximum is not None and value > maximum):
        raise invalid(
            field, f"value must be at least {minimum}" + (f" and at most {maximum}" if maximum else "")
        )
    return value


def _given(body: Mapping[str, Any], settings: Mapping[str, Any]) -> Settings:
    return {field: value for field, value in settings.items() if body.get(field) is not None}


def _changes(body: Mapping[str, Any], current: Settings, field: str) -> bool:
    if body.get(field) in (None, ""):
        return False
    if field == "products":
        return {one["id"] for one in _products(body)} != {one["id"] for one in current["products"]}
    return str(body[field]) != str(current.get(field, "sync"))


def _required(body: Mapping[str, Any], request_timeout: int) -> Settings:
    given = _object(body, "workerConfig", "workerConfig")
    if request_timeout and given.get("requestTimeout") is None:
        given = {**given, "requestTimeout": request_timeout}
    return {
        "workerConfig": _worker_config(given),
        "ports": _ports(body),
        "policy": _policy(_object(body, "policy", "policy")),
        "image": _image(_object(body, "image", "image")),
    }


def _worker_config(given: Mapping[str, Any]) -> Settings:
    config: Settings = {
        field: _number(given, field, minimum=minimum, maximum=maximum, where="workerConfig.")
        for field, minimum, maximum in (
            ("minNum", 0, None),
            ("maxNum", 1, None),
            ("freeTimeout", 1, None),
            ("maxConcurrent", 1, None),
            ("gpuNum", 1, 8),
            ("requestTimeout", 1, None),
        )
    }
    if config["minNum"] > config["maxNum"]:
        raise invalid("workerConfig.minNum", "value must not exceed maxNum")
    config["cudaVersion"] = _text(given, "cudaVersion", max_length=32, where="workerConfig.")
    return config


def _ports(body: Mapping[str, Any]) -> list[Settings]:
    ports = _objects(body, "ports")
    if len(ports) != 1:
        raise invalid("ports", "exactly one port is required")
    port = _number(ports[0], "port", minimum=1, maximum=65535, where="ports[0].")
    if port in RESERVED_PORTS:
        raise invalid("ports[0].port", f"{port} is reserved")
    return [{"port": port}]


def _policy(given: Mapping[str, Any]) -> Settings:
    kind = _choice(given, "type", "policy.type", ("queue", "concurrency"))
    return {"type": kind, "value": _number(given, "value", minimum=1, where="policy.")}


def _image(given: Mapping[str, Any]) -> Settings:
    image = _text(given, "image", max_length=511, where="image.")
    if not image:
        raise invalid("image.image", "value is required")
    return {
        "image": image,
        "authId": _text(given, "authId", max_length=255, where="image."),
        "command": _text(given, "command", max_length=2047, where="image."),
    }


def _app_name(body: Mapping[str, Any]) -> str:
    # 46 characters: with an ID of 16 and a hyphen it fits into a DNS label of 63.
    name = _text(body, "appName", max_length=46)
    if name and not APP_NAME.fullmatch(name):
        raise invalid("appName", "lower-case letters, digits and inner hyphens only")
    return name


def _products(body: Mapping[str, Any]) -> list[Settings]:
    products: list[Settings] = [
        {"id": _text(one, "id", max_length=255, where=f"products[{index}].")}
        for index, one in enumerate(_objects(body, "products"))
    ]
    if not products:
        raise invalid("products", "value is required")
    for product in products:
        # IDs of GPU instances are refused. No list of serverless IDs is public, but their form is known.
        if not product["id"].startswith("SL-serverless-") and product["id"] not in ("1", "2"):
            raise Refusal("SERVERLESS_PRODUCT_NOT_FOUND", f"product {product['id']!r} not found")
    return products


def _mounts(body: Mapping[str, Any]) -> list[Settings]:
    mounts: list[Settings] = []
    for index, given in enumerate(_objects(body, "volumeMounts")):
        where = f"volumeMounts[{index}]."
        kind = _choice(given, "type", where + "type", ("local", "network"))
        mount: Settings = {
            "type": kind,
            "id": _text(given, "id", max_length=255, where=where),
            "size": _number(given, "size", minimum=1, where=where) if kind == "local" else 0,
            "mountPath": _text(given, "mountPath", max_length=255, where=where),
        }
        if not MOUNT_PATH.fullmatch(mount["mountPath"]):
            raise invalid(where + "mountPath", "an absolute path of letters, digits, _ . - / is required")
        if kind == "network" and not mount["id"]:
            raise invalid(where + "id", "value is required")
        mounts.append(mount)
    return mounts


def _envs(body: Mapping[str, Any]) -> list[Settings]:
    envs = []
    for index, given in enumerate(_objects(body, "envs")):
        key = _text(given, "key", max_length=511, where=f"envs[{index}].")
        if not key:
            raise invalid(f"envs[{index}].key", "value is required")
        envs.append({"key": key, "value": _text(given, "value", max_length=65536, where=f"envs[{index}].")})
    return envs


def _healthy(given: Mapping[str, Any]) -> Settings:
    # Only the path can be set; the timings are the server's own.
    path = _text(given, "path", max_length=255, where="healthy.")
    if not path.startswith("/"):
        raise invalid("healthy.path", "an absolute path is required")
    return {"path": path}


def _object(body: Mapping[str, Any], key: str, field: str) -> Mapping[str, Any]:
    value = body.get(key)
    if value is None:
        raise invalid(field, "value is required")
    if not isinstance(value, dict):
        raise invalid(field, "value must be an object")
    return value


def _objects(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise invalid(key, "value must be a list of objects")
    return value


def texts_of(body: Mapping[str, Any], key: str) -> list[str]:
    """Return a list of strings of a body."""
    value = body[key]
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise invalid(key, "value must be a list of strings")
    return value


def _text(body: Mapping[str, Any], key: str, *, max_length: int, where: str = "") -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(where + key, "value must be a string")
    if len(value) > max_length:
        raise invalid(where + key, f"value must be at most {max_length} characters")
    return value


def _number(
    body: Mapping[str, Any], key: str, *, minimum: int, maximum: int | None = None, where: str = ""
) -> int:
    if body.get(key) is None:
        raise invalid(where + key, "value is required")
    return number_of(body[key], where + key, minimum=minimum, maximum=maximum)


def _choice(body: Mapping[str, Any], key: str, field: str, choices: tuple[str, ...]) -> str:
    value = body.get(key)
    if value not in choices:
        raise invalid(field, "value must be one of " + ", ".join(choices))
    return str(value)


def page_bounds(
    query: Mapping[str, str], key: str, total: int, profile: Profile, *, base: int
) -> tuple[int, int]:
    """Return start and stop of the page that `pageSize` and `key` request among `total` items.

    `base` is the number of the first page.
    """
    size = number_of(query.get("pageSize") or profile.default_page_size, "pageSize", minimum=0)
    size = min(size or profile.default_page_size, profile.max_page_size)
    page = number_of(query.get(key) or base, key, minimum=0) - base
    if page < 0:
        if profile.page_zero == "400":
            raise invalid(key, "pages count from 1")
        page = 0
    pages = max(1, -(-total // size))
    if page >= pages and profile.past_end == "400":
        raise invalid(key, "page past the end")
    if page >= pages and profile.past_end == "repeat":
        page = pages - 1
    return page * size, page * size + size
