"""Where each field lives on the wire, what changing it takes, and what users call it in YAML."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from reconciler.model.values import Path

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


def wire_paths(text: str) -> tuple[Path, ...]:
    """The wire paths that a YAML name (`replicas`, `env.HF_TOKEN`) or a dotted wire path stands for.

    Empty when it names nothing that an endpoint has. A key of `env` or `storage` may itself hold dots.
    """
    if text in YAML_NAMES:
        return YAML_NAMES[text]
    head, dot, rest = text.partition(".")
    keyed = {"env": "envs", "envs": "envs", "storage": "volumeMounts", "volumeMounts": "volumeMounts"}.get(
        head
    )
    if keyed and (rest or not dot):
        return ((keyed, rest),) if rest else ((keyed,),)
    path = tuple(text.split("."))
    return (path,) if path in WIRE_PATHS else ()


def known_names() -> tuple[str, ...]:
    """Every name that `wire_paths` knows, for suggestions."""
    return (*YAML_NAMES, *sorted(".".join(path) for path in WIRE_PATHS))
