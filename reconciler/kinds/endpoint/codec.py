"""Normal form <-> wire: lists become maps, digit strings become ints, and back.

Novita answers `freeTimeout`, `maxConcurrent` and `policy.value` as digit strings and may leave out or null
whole objects; what an answer does not report is left out of the normal form, so that it never counts as a
change. Empty `envs` and `volumeMounts` are reported as empty whichever way the answer says it. What has
another form than is known counts as not reported, and is named.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from math import isfinite
from operator import itemgetter
from sys import intern
from typing import Any, Final

from reconciler.kinds.endpoint.paths import CUDA
from reconciler.model.resource import Live
from reconciler.model.values import Fields, Json, Path, Value

WORKER_NUMBERS = ("minNum", "maxNum", "freeTimeout", "maxConcurrent", "gpuNum", "requestTimeout")
UNCOMPARED: Final = ("state", "workers", "createdAt")
"""What is kept of an answer as it came. All the rest has its place in the fields; kept twice, it would double
what ten thousand endpoints take."""
MOUNT_KEYS = ("type", "id", "size", "mountPath")

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

_NEVER_SAID: Final[tuple[Path, ...]] = (
    ("workerConfig",),
    ("policy",),
    ("image",),
    ("healthy",),
    ("volumeMounts",),
    CUDA,
)
"""Objects of which an update may mention a part, and what it sends from the live side alone."""

_OF_AN_ENDPOINT: Final = frozenset({"id", "name", "appName", "workerConfig", "image", "products", "envs"})
_UNREADABLE: Final = Live(id="?", name="", fields={}, unread=(("id",), ("name",)))

_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")
_LARGEST: Final = 2**63 - 1


def parse(answer: Json) -> Live:
    """One endpoint as Novita answers it. `unread` names what cannot be read of it, which is not compared.

    Raises ValueError when it is no object, or has nothing of an endpoint.
    """
    if not is_endpoint(answer):
        raise ValueError("an endpoint without an id")
    read = _Reading()
    fields = read.texts(answer, (), "name", "appName", "clusterID")
    fields |= {
        key: value
        for key, value in (
            ("workerConfig", _worker_config(read, read.object(answer, "workerConfig"))),
            ("policy", _policy(read, read.object(answer, "policy"))),
            ("image", read.texts(read.object(answer, "image"), ("image",), "image", "authId", "command")),
            ("healthy", read.texts(read.object(answer, "healthy"), ("healthy",), "path")),
            ("ports", _ports(read, answer)),
            ("products", _products(read, answer)),
        )
        if value
    }
    if (size := read.number(answer, ("rootfsSize",))) is not None:
        fields["rootfsSize"] = size
    fields |= {"envs": _envs(read, answer), "volumeMounts": _mounts(read, answer)}
    object_id = answer.get("id")
    if not (isinstance(object_id, str) and object_id and object_id.isprintable()):
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
    return not _is_nothing(value)


def number(value: object) -> int | None:
    """An int from an int or a digit string; None from anything that is neither, or beyond 64 bits."""
    found: int | None = None
    if value.__class__ is int:
        found = value
    elif (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, str) and _DIGITS.fullmatch(value)
    ):
        found = int(value)
    return found if found is not None and -_LARGEST <= found <= _LARGEST else None


def text(value: object) -> str | None:
    """A text, also from a number; None from anything else, and from one with half a character in it.

    The same object as the one of the YAML and of the inventory: a tenth of the memory of a large plan.
    """
    if isinstance(value, str):
        return intern(str(value)) if value.isprintable() or _is_whole(value) else None
    is_number = value.__class__ is int and number(value) is not None
    if is_number or (isinstance(value, float) and isfinite(value)):
        return intern(str(value))
    return None


class _Reading:
    """Takes values out of an answer and remembers the paths of those that cannot be read."""

    def __init__(self) -> None:
        self.unread: list[Path] = []

    def texts(self, holder: Mapping[str, Any], at: Path, *keys: str) -> dict[str, Any]:
        """Those of its texts that are some."""
        found: dict[str, Any] = {}
        for key in keys:
            value = holder.get(key)
            if not value:
                continue  # not reported
            said = text(value)
            if said is None:
                self.unread.append((*at, key))
            else:
                found[key] = said
        return found

    def number(self, holder: Mapping[str, Any], path: Path) -> int | None:
        value = holder.get(path[-1])
        found = number(value)
        if found is None and not _is_nothing(value):
            self.unread.append(path)
        return found

    def object(self, holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """An object; an empty one when it is not reported."""
        value = holder.get(key)
        if isinstance(value, dict):
            return value
        if value:
            self.unread.append((key,))
        return {}

    def items(self, holder: Mapping[str, Any], key: str, inner: str) -> list[Mapping[str, Any]]:
        """The objects of a list that have the `inner` key. One that has not must be empty."""
        value = holder.get(key)
        if value.__class__ is not list:
            if not _is_nothing(value):
                self.unread.append((key,))
            return []
        found: list[Mapping[str, Any]] = [item for item in value if item.__class__ is dict and inner in item]
        if len(found) + sum(map(_is_nothing, value)) < len(value):
            self.unread.append((key,))
        return found

    def as_whole(self, key: str, since: int) -> None:
        """Where a part of a list could not be read, nobody knows the list."""
        if len(self.unread) > since:
            self.unread[since:] = [(key,)]


def _is_nothing(value: object) -> bool:
    """Whether an answer says nothing by it; a zero and a false are words."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def _is_whole(value: str) -> bool:
    """Whether it can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _mark_of(answer: Json) -> str:
    try:
        said = repr(answer)
    except RecursionError:
        said = ""
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _worker_config(read: _Reading, config: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: value
        for key in WORKER_NUMBERS
        if (value := read.number(config, ("workerConfig", key))) is not None
    }
    if not is_any_cuda(config.get("cudaVersion")):
        found |= read.texts(config, ("workerConfig",), "cudaVersion")
    return found


def is_any_cuda(version: object) -> bool:
    """`any`, empty and absent all leave the choice to Novita."""
    return version in (None, "", "any")


def _policy(read: _Reading, policy: Mapping[str, Any]) -> dict[str, Any]:
    found = read.texts(policy, ("policy",), "type")
    if (value := read.number(policy, ("policy", "value"))) is not None:
        found["value"] = value
    return found


def _ports(read: _Reading, answer: Mapping[str, Any]) -> list[dict[str, int]]:
    since = len(read.unread)
    found = [read.number(item, ("port",)) for item in read.items(answer, "ports", "port")]
    read.as_whole("ports", since)
    return [{"port": port} for port in found if port is not None]


def _products(read: _Reading, answer: Mapping[str, Any]) -> list[dict[str, str]]:
    since = len(read.unread)
    found = [read.texts(item, (), "id") for item in read.items(answer, "products", "id")]
    read.as_whole("products", since)
    return sorted((product for product in found if product), key=itemgetter("id"))


def _envs(read: _Reading, answer: Mapping[str, Any]) -> dict[str, Any]:
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


def _mounts(read: _Reading, answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    since = len(read.unread)
    found: dict[str, dict[str, Any]] = {}
    for item in read.items(answer, "volumeMounts", "mountPath"):
        if path := read.texts(item, (), "mountPath").get("mountPath"):
            found[path] = read.texts(item, (), "type", "id")
            if size := read.number(item, ("size",)):
                found[path]["size"] = size
    read.as_whole("volumeMounts", since)
    return found


def _state(read: _Reading, answer: Mapping[str, Any]) -> str:
    state = answer.get("state")
    holder, at = (state, ("state",)) if isinstance(state, dict) else (answer, ())
    return str(read.texts(holder, at, "state").get("state", ""))


def _uncompared(read: _Reading, answer: Mapping[str, Any]) -> dict[str, Any]:
    """The rest as it came; what is not of its form is named, and whoever shows it must tolerate it."""
    read.number(answer, ("createdAt",))
    read.items(answer, "workers", "id")
    return {key: answer[key] for key in UNCOMPARED if key in answer}
