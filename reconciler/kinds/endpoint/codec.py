"""Normal form <-> wire: lists become maps, digit strings become ints, and back.

Novita answers `freeTimeout`, `maxConcurrent` and `policy.value` as digit strings and may leave out or null
whole objects; what an answer does not report is left out of the normal form, so that it never counts as a
change. Empty `envs` and `volumeMounts` are reported as empty whichever way the answer says it. What has
another form than is known counts as not reported, and is named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final

from reconciler.kinds.endpoint.answer_reader import Reading, is_id, is_nothing, text
from reconciler.kinds.endpoint.fields import CUDA, TABLE, is_any_cuda
from reconciler.kinds.fields import Shape
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Json, Path, Value

WORKER_NUMBERS: Final = TABLE.leaves("workerConfig", Shape.NUMBER)
UNCOMPARED: Final = ("state", "workers", "createdAt")
"""What is kept of an answer as it came. All the rest has its place in the fields; kept twice, it would double
what ten thousand endpoints take."""
MOUNT_KEYS: Final = ("type", "id", "size", "mountPath")

_TEXTS: Final = tuple((head, TABLE.leaves(head, Shape.TEXT)) for head in ("image", "healthy"))
"""Objects of texts alone, and their keys."""

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
"""What an update must say in full, beside the name."""

_NEVER_SAID: Final[frozenset[Path]] = frozenset(
    {*((head,) for head in TABLE.objects), ("volumeMounts",), CUDA}
)
"""Objects of which an update may mention a part, and what it sends from the live side alone."""

_OF_AN_ENDPOINT: Final = frozenset({"id", "name", "appName", "workerConfig", "image", "products", "envs"})
_UNREADABLE: Final = Live(id="?", name="", fields={}, unread=(("id",), ("name",)))


def parse(answer: Json) -> Live:
    """One endpoint as Novita answers it. `unread` names what cannot be read of it, which is not compared.

    Raises ValueError when it is no object, or has nothing of an endpoint.
    """
    if not is_endpoint(answer):
        raise ValueError("an endpoint without an id")
    read = Reading()
    fields = read.texts(answer, (), "name", "appName", "clusterID")
    fields |= {
        key: value
        for key, value in (
            ("workerConfig", _worker_config(read, read.object(answer, "workerConfig"))),
            ("policy", _policy(read, read.object(answer, "policy"))),
            *((head, read.texts(read.object(answer, head), (head,), *keys)) for head, keys in _TEXTS),
            ("ports", _ports(read, answer)),
            ("products", _products(read, answer)),
        )
        if value
    }
    if (size := read.number(answer, ("rootfsSize",))) is not None:
        fields["rootfsSize"] = size
    fields |= {"envs": _envs(read, answer), "volumeMounts": _mounts(read, answer)}
    object_id = answer.get("id")
    if not is_id(object_id):
        object_id = "?"
        read.unread.append(("id",))
    if "name" not in fields and ("name",) not in read.unread:
        read.unread.append(("name",))
    return Live(
        id=object_id,
        name=fields.get("name", ""),
        fields=fields,
        state=_state(read, answer),
        url=read.texts(answer, (), "url").get("url", ""),
        raw=_uncompared(read, answer),
        unread=tuple(read.unread),
    )


def parse_one(answer: Json) -> Live:
    """Return the endpoint of an answer, which may be wrapped. Raise ValueError if it is not one."""
    if isinstance(answer, Mapping) and isinstance(answer.get("endpoint"), Mapping):
        answer = answer["endpoint"]
    return parse(answer)


def is_endpoint(answer: Json) -> bool:
    """Whether an answer, or a part of one, is about an endpoint, readable or not."""
    return isinstance(answer, dict) and not _OF_AN_ENDPOINT.isdisjoint(answer)


def parse_all(answers: Iterable[Json]) -> tuple[Live, ...]:
    """The endpoints of a page, one for each item, even of what is none that can be read: it counts as one."""
    seen: Counter[str] = Counter()
    found = []
    for answer in answers:
        live = parse(answer) if is_endpoint(answer) else _UNREADABLE
        if not live.is_identified:
            # the same when the page is read again, and another for each item of one page
            mark = _mark_of(answer)
            seen[mark] += 1
            live = replace(live, id=f"unreadable {mark} {seen[mark]}")
        found.append(live)
    return tuple(found)


def create_body(fields: Fields, app_name: str) -> Value:
    """The body of `endpoint/create`: the endpoint wrapped, keys in documented order."""
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


def unsendable(live: Live, fields: Fields) -> tuple[Path, ...]:
    """What an update to `fields` would have to send back as it is, and cannot because it was not readable."""
    return tuple(path for path in live.unread if path[0] in _SENT_BACK and not _is_said(fields, path))


def _is_said(fields: Fields, path: Path) -> bool:
    """Whether `fields` hold a value there, so that the live one is not needed."""
    if path in _NEVER_SAID:
        return False
    value: Any = fields
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return not is_nothing(value)


def _mark_of(answer: Json) -> str:
    try:
        said = repr(answer)
    except RecursionError:
        said = ""
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _worker_config(read: Reading, config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: value
        for key in WORKER_NUMBERS
        if (value := read.number(config, ("workerConfig", key))) is not None
    }
    if not is_any_cuda(config.get("cudaVersion")):
        found |= read.texts(config, ("workerConfig",), "cudaVersion")
    return found


def _policy(read: Reading, policy: Mapping[str, Any]) -> dict[str, Any]:
    found = read.texts(policy, ("policy",), "type")
    if (value := read.number(policy, ("policy", "value"))) is not None:
        found["value"] = value
    return found


def _ports(read: Reading, answer: Mapping[str, Any]) -> list[dict[str, int]]:
    since = len(read.unread)
    found = [read.number(item, ("port",)) for item in read.items(answer, "ports", "port")]
    read.as_whole("ports", since)
    return [{"port": port} for port in found if port is not None]


def _products(read: Reading, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    since = len(read.unread)
    found = [read.texts(item, (), "id") for item in read.items(answer, "products", "id")]
    read.as_whole("products", since)
    return sorted((product for product in found if product), key=itemgetter("id"))


def _envs(read: Reading, answer: Mapping[str, Any]) -> dict[str, Any]:
    since = len(read.unread)
    found: dict[str, Any] = {}
    for item in read.items(answer, "envs", "key"):
        if key := read.texts(item, (), "key").get("key"):
            value = item.get("value")
            found[key] = "" if value is None else text(value)
    read.as_whole("envs", since)
    for key in [key for key, value in found.items() if value is None]:
        del found[key]
        read.unread.append(("envs", key))
    return found


def _mounts(read: Reading, answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    since = len(read.unread)
    found: dict[str, dict[str, Any]] = {}
    for item in read.items(answer, "volumeMounts", "mountPath"):
        if path := read.texts(item, (), "mountPath").get("mountPath"):
            found[path] = read.texts(item, (), "type", "id")
            if size := read.number(item, ("size",)):
                found[path]["size"] = size
    read.as_whole("volumeMounts", since)
    return found


def _state(read: Reading, answer: Mapping[str, Any]) -> str:
    state = answer.get("state")
    holder, at = (state, ("state",)) if isinstance(state, dict) else (answer, ())
    return str(read.texts(holder, at, "state").get("state", ""))


def _uncompared(read: Reading, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The rest as it came; what is not of its form is named, and whoever shows it must tolerate it."""
    read.number(answer, ("createdAt",))
    read.items(answer, "workers", "id")
    return {key: answer[key] for key in UNCOMPARED if key in answer}
