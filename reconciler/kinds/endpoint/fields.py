"""Where each field lives on the wire, what changing it takes, and what users call it in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from reconciler.model.values import Fields, Path, Value

LONGEST_NAME: Final = 220
"""Characters."""

MIN: Final[Path] = ("workerConfig", "minNum")
MAX: Final[Path] = ("workerConfig", "maxNum")
FREE_TIMEOUT: Final[Path] = ("workerConfig", "freeTimeout")
CUDA: Final[Path] = ("workerConfig", "cudaVersion")
COMMAND: Final[Path] = ("image", "command")
AUTH: Final[Path] = ("image", "authId")

SCALING: Final = frozenset({MIN, MAX})
"""A change of these alone is a scale."""

REPLACING: Final = frozenset({("appName",), ("products",), ("rootfsSize",), ("clusterID",), CUDA})
"""No source shows that `endpoint/update` changes these; `clusterID` would move the endpoint's data."""

OPTIONAL: Final[tuple[Path, ...]] = (AUTH, COMMAND, CUDA)
"""Emitted only when declared; empty and absent are one value."""

KEYED: Final = ("envs", "volumeMounts")
"""Lists on the wire, maps in normal form; the declared map is the whole map."""

OBJECTS: Final = ("workerConfig", "policy", "image", "healthy")
"""Objects on the wire and in normal form; what an update does not mention of them stays."""

WIRE_ORDER: Final[tuple[Path, ...]] = (
    ("appName",),
    ("name",),
    MIN,
    MAX,
    FREE_TIMEOUT,
    ("workerConfig", "maxConcurrent"),
    ("workerConfig", "gpuNum"),
    ("workerConfig", "requestTimeout"),
    CUDA,
    ("ports",),
    ("policy", "type"),
    ("policy", "value"),
    ("image", "image"),
    AUTH,
    COMMAND,
    ("products",),
    ("rootfsSize",),
    ("volumeMounts",),
    ("clusterID",),
    ("envs",),
    ("healthy", "path"),
)
"""The order in which people see fields: that of the create request."""

_RANK: Final = {path: index for index, path in enumerate(WIRE_ORDER)}

YAML_NAMES: Final[Mapping[str, tuple[Path, ...]]] = {
    "appName": (("appName",),),
    "specName": (("products",), ("clusterID",), ("rootfsSize",), ("workerConfig", "gpuNum"), CUDA),
    "image": (("image", "image"),),
    "command": (COMMAND,),
    "imageAuthId": (AUTH,),
    "replicas": (MIN, MAX),
    "minReplicas": (MIN,),
    "maxReplicas": (MAX,),
    "freeTimeout": (FREE_TIMEOUT,),
    "taskTimeout": (FREE_TIMEOUT,),
    "scaleDownIdleTime": (FREE_TIMEOUT,),
    "requestTimeout": (("workerConfig", "requestTimeout"),),
    "maxConcurrent": (("workerConfig", "maxConcurrent"),),
    "policy": (("policy",),),
    "scaleUpThreshold": (("policy",),),
    "port": (("ports",),),
    "healthPath": (("healthy", "path"),),
    "env": (("envs",),),
    "storage": (("volumeMounts",),),
}

WIRE_PATHS: Final[frozenset[Path]] = frozenset(path for paths in YAML_NAMES.values() for path in paths) | {
    ("workerConfig",),
    ("policy", "type"),
    ("policy", "value"),
    ("healthy",),
}


@lru_cache(4096)
def rank(path: Path) -> tuple[int, Path]:
    """A sort key for paths: the order of the wire, then that of keys."""
    return _RANK.get(path, _RANK.get(path[:1], len(_RANK))), path


def replaces(path: Path) -> bool:
    """Return True if a change of that field takes a new endpoint."""
    return path[:1] in REPLACING or path in REPLACING


def is_any_cuda(version: object) -> bool:
    """Return True for `any`, empty and absent: all leave the choice to Novita."""
    return version in (None, "", "any")


def is_blank(path: Path, value: Value) -> bool:
    """Return True if a value means the same as no value. The empty string is a value in `envs` alone."""
    return is_any_cuda(value) if path == CUDA else value == "" and path[0] != "envs"


def partial_fields(declared: Mapping[str, Any]) -> Fields:
    """Return the normal form of some fields by their YAML names, for those sent as they are declared.

    `replicas: 0` scales to zero when idle: a maximum of zero would leave no worker that could ever start.
    """
    fields: dict[str, Any] = {}
    for name, value in declared.items():
        paths: tuple[Path, ...] = YAML_NAMES[name]
        if paths == (MIN, MAX) and value == 0:
            paths = (MIN,)
        for head, *rest in paths:
            if rest:
                fields.setdefault(head, {})[rest[0]] = value
            else:
                fields[head] = value
    return fields


def wire_paths(name: str) -> tuple[Path, ...]:
    """The wire paths that a YAML name (`replicas`, `env.HF_TOKEN`) or a dotted wire path stands for.

    Empty when it names nothing that an endpoint has. A key of `env` or `storage` may itself hold dots.
    """
    if name in YAML_NAMES:
        return YAML_NAMES[name]
    head, dot, rest = name.partition(".")
    keyed = {"env": "envs", "envs": "envs", "storage": "volumeMounts", "volumeMounts": "volumeMounts"}.get(
        head
    )
    if keyed and (rest or not dot):
        return ((keyed, rest),) if rest else ((keyed,),)
    path = tuple(name.split("."))
    return (path,) if path in WIRE_PATHS else ()


def known_names() -> tuple[str, ...]:
    """Every name that `wire_paths` knows, for suggestions."""
    return (*YAML_NAMES, *sorted(".".join(path) for path in WIRE_PATHS))
