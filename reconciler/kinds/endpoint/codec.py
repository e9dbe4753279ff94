"""Conversion between normal form and wire: lists become maps, digit strings become ints, and back.

Novita answers `freeTimeout`, `maxConcurrent` and `policy.value` as digit strings and may leave out or null
whole objects. What an answer does not report is left out of the normal form, so that it never counts as a
change. `envs` and `volumeMounts` that are absent, null or empty are all reported as empty. A value of an
unknown form counts as not reported, and its path is listed in `unread`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from reconciler.kinds.answer_reader import AnswerReader, is_empty, is_id, text
from reconciler.kinds.endpoint.fields import CUDA, TABLE, is_any_cuda
from reconciler.kinds.fields import Shape
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Json, Path, Value

WORKER_NUMBERS: Final = TABLE.leaves("workerConfig", Shape.NUMBER)
UNCOMPARED: Final = ("state", "workers", "createdAt", "log")
"""The parts of an answer that are kept as they came. All others have a place in the fields; a second copy
would double the memory of ten thousand endpoints."""
MOUNT_KEYS: Final = ("type", "id", "size", "mountPath")

_IMAGE_TEXTS: Final = TABLE.leaves("image", Shape.TEXT)
_HEALTH_TEXTS: Final = TABLE.leaves("healthy", Shape.TEXT)

_SENT_BACK: Final = (
    "workerConfig",
    "ports",
    "policy",
    "image",
    "volumeMounts",
    "clusterID",
    "envs",
    "healthy",
)
"""The fields that an update must send in full, beside the name."""

_NEVER_COMPLETE: Final[frozenset[Path]] = frozenset(
    {*((head,) for head in TABLE.objects), ("volumeMounts",), CUDA}
)
"""Objects of which `fields` may hold a part, and what an update sends from the live side alone."""

_ENDPOINT_KEYS: Final = frozenset({"id", "name", "appName", "workerConfig", "image", "products", "envs"})
_UNREADABLE: Final = Live(id="?", name="", fields={}, unread=(("id",), ("name",)))


def parse(answer: Json) -> Live:
    """Return the endpoint of an answer. `unread` lists what cannot be read of it, which is not compared.

    Raise ValueError if the answer is no object, or has no key of an endpoint.
    """
    if not is_endpoint(answer):
        raise ValueError("an endpoint without an id")
    reader = AnswerReader()
    fields = reader.texts(answer, (), "name", "appName", "clusterID")
    fields |= {
        key: value
        for key, value in (
            ("workerConfig", _worker_config(reader, reader.object(answer, "workerConfig"))),
            ("policy", _policy(reader, reader.object(answer, "policy"))),
            ("image", reader.texts(reader.object(answer, "image"), ("image",), *_IMAGE_TEXTS)),
            ("healthy", reader.texts(reader.object(answer, "healthy"), ("healthy",), *_HEALTH_TEXTS)),
            ("ports", _ports(reader, answer)),
            ("products", _products(reader, answer)),
        )
        if value
    }
    if (size := reader.number(answer, ("rootfsSize",))) is not None:
        fields["rootfsSize"] = size
    fields |= {"envs": _envs(reader, answer), "volumeMounts": _mounts(reader, answer)}
    object_id = answer.get("id")
    if not is_id(object_id):
        object_id = "?"
        reader.unread.append(("id",))
    if "name" not in fields and ("name",) not in reader.unread:
        reader.unread.append(("name",))
    return Live(
        id=object_id,
        name=fields.get("name", ""),
        fields=fields,
        state=_state(reader, answer),
        url=reader.text(answer.get("url"), ("url",)),
        raw=_uncompared(reader, answer),
        unread=tuple(reader.unread),
    )


def parse_one(answer: Json) -> Live:
    """Return the endpoint of an answer, which may be wrapped. Raise ValueError if it is not one."""
    if isinstance(answer, dict) and isinstance(answer.get("endpoint"), dict):
        answer = answer["endpoint"]
    return parse(answer)


def is_endpoint(answer: Json) -> bool:
    """Return True if an answer, or a part of one, is about an endpoint, readable or not."""
    return isinstance(answer, dict) and not _ENDPOINT_KEYS.isdisjoint(answer)


def parse_all(answers: Iterable[Json]) -> tuple[Live, ...]:
    """Return the endpoints of a page, one for each item. An item that cannot be read counts as one too."""
    seen: Counter[str] = Counter()
    endpoints = []
    for answer in answers:
        live = parse(answer) if is_endpoint(answer) else _UNREADABLE
        if not live.is_identified:
            # the same ID if the page is read again, and another for each item of one page
            digest = _digest(answer)
            seen[digest] += 1
            live = replace(live, id=f"unreadable {digest} {seen[digest]}")
        endpoints.append(live)
    return tuple(endpoints)


def create_body(fields: Fields, app_name: str) -> Value:
    """Return the body of `endpoint/create`: the endpoint in a wrapper, keys in documented order."""
    return {
        "endpoint": {
            "name": fields["name"],
            "appName": fields.get("appName", app_name),
            "workerConfig": _non_empty(fields, "workerConfig"),
            "ports": fields["ports"],
            "policy": fields["policy"],
            "image": _non_empty(fields, "image"),
            "products": fields["products"],
            "rootfsSize": fields["rootfsSize"],
            "volumeMounts": wire_mounts(fields["volumeMounts"]),
            "clusterID": fields["clusterID"],
            "envs": wire_envs(fields["envs"]),
            "healthy": fields["healthy"],
        }
    }


def _non_empty(fields: Fields, head: str) -> dict[str, Value]:
    """Return the fields of an object that are not empty, in documented order."""
    return {key: value for key, value in TABLE.in_order(head, fields[head]).items() if value != ""}


def update_body(live: Live, fields: Fields) -> Value:
    """Return the flat and full body of `endpoint/update`: `fields` over the live fields.

    It never has `appName`, `products` or `rootfsSize`, which no source shows to be accepted there. A live
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
    """Return the live volume at a path, or nothing if a volume of another type takes its place."""
    return old if old.get("type") == mount.get("type") else {}


def wire_envs(envs: Mapping[str, Value]) -> list[dict[str, Value]]:
    """Return the list of an update, sorted by key, so that equal maps have equal bodies."""
    return [{"key": key, "value": envs[key]} for key in sorted(envs)]


def wire_mounts(mounts: Mapping[str, Mapping[str, Value]]) -> list[dict[str, Value]]:
    """Return the list of an update in the order of the paths, without empty IDs."""
    return [
        {key: value for key in MOUNT_KEYS if (value := path if key == "mountPath" else mount.get(key))}
        for path, mount in sorted(mounts.items())
    ]


def unsendable(live: Live, fields: Fields) -> tuple[Path, ...]:
    """Return the paths that an update to `fields` must send back unchanged and that could not be read."""
    return tuple(path for path in live.unread if path[0] in _SENT_BACK and not _is_given(fields, path))


def _is_given(fields: Fields, path: Path) -> bool:
    """Return True if `fields` hold a value there, so that the live value is not needed."""
    if path in _NEVER_COMPLETE:
        return False
    value: Any = fields
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return not is_empty(value)


def _digest(answer: Json) -> str:
    """Return twelve hex digits that tell answers apart."""
    from hashlib import sha256

    try:
        text = repr(answer)
    except RecursionError:
        text = ""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _worker_config(reader: AnswerReader, config: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: value
        for key in WORKER_NUMBERS
        if (value := reader.number(config, ("workerConfig", key))) is not None
    }
    if not is_any_cuda(config.get("cudaVersion")):
        values |= reader.texts(config, ("workerConfig",), "cudaVersion")
    return values


def _policy(reader: AnswerReader, policy: Mapping[str, Any]) -> dict[str, Any]:
    values = reader.texts(policy, ("policy",), "type")
    if (value := reader.number(policy, ("policy", "value"))) is not None:
        values["value"] = value
    return values


def _ports(reader: AnswerReader, answer: Mapping[str, Any]) -> list[dict[str, int]]:
    since = len(reader.unread)
    values = [reader.number(item, ("port",)) for item in reader.items(answer, "ports", "port")]
    reader.unread_as_a_whole("ports", since)
    return [{"port": port} for port in values if port is not None]


def _products(reader: AnswerReader, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    since = len(reader.unread)
    ids = [reader.text(item["id"], ("id",)) for item in reader.items(answer, "products", "id")]
    reader.unread_as_a_whole("products", since)
    return [{"id": object_id} for object_id in sorted(filter(None, ids))]


def _envs(reader: AnswerReader, answer: Mapping[str, Any]) -> dict[str, Any]:
    since = len(reader.unread)
    values: dict[str, Any] = {}
    for item in reader.items(answer, "envs", "key"):
        if key := reader.text(item["key"], ("key",)):
            value = item.get("value")
            values[key] = "" if value is None else text(value)
    reader.unread_as_a_whole("envs", since)
    for key in [key for key, value in values.items() if value is None]:
        del values[key]
        reader.unread.append(("envs", key))
    return values


def _mounts(reader: AnswerReader, answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    since = len(reader.unread)
    values: dict[str, dict[str, Any]] = {}
    for item in reader.items(answer, "volumeMounts", "mountPath"):
        if path := reader.text(item["mountPath"], ("mountPath",)):
            values[path] = reader.texts(item, (), "type", "id")
            if size := reader.number(item, ("size",)):
                values[path]["size"] = size
    reader.unread_as_a_whole("volumeMounts", since)
    return values


def _state(reader: AnswerReader, answer: Mapping[str, Any]) -> str:
    state = answer.get("state")
    holder, at = (state, ("state",)) if isinstance(state, dict) else (answer, ())
    return reader.text(holder.get("state"), (*at, "state")).lower()


def _uncompared(reader: AnswerReader, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rest as it came. Unreadable parts are listed; code that shows them must tolerate them."""
    reader.moment(answer, "createdAt")
    reader.items(answer, "workers", "id")
    return {key: answer[key] for key in UNCOMPARED if key in answer}
