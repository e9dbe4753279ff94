"""The vocabulary of reports: what a field is called, what it takes, and which name was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.model.text import closest_match
from reconciler.model.values import DataPath
from reconciler.yamlfile.scalars import shortened

OTHER_NAMES: Final[Mapping[str, str]] = {
    # What neighbours call it: Novita's own API, Kubernetes, compose. Too far off for difflib.
    "name": "endpoint",
    "product": "specName",
    "productId": "specName",
    "products": "specName",
    "gpu": "specName",
    "environment": "env",
    "envs": "env",
    "workers": "replicas",
    "minNum": "minReplicas",
    "minWorkers": "minReplicas",
    "maxNum": "maxReplicas",
    "maxWorkers": "maxReplicas",
    "idleTimeout": "freeTimeout",
    "timeout": "requestTimeout",
    "concurrency": "maxConcurrent",
    "volumes": "storage",
    "healthy": "healthPath",
    "healthCheck": "healthPath",
    "authId": "imageAuthId",
    "ports": "port",
    "size": "sizeGb",
    "token": "api_key",
    "url": "base_url",
}

WANTED: Final[Mapping[str, str]] = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "array": "a list",
    "object": "a mapping",
}

HINTS: Final[Mapping[str, str]] = {
    "endpoint": "write `endpoint: NAME`",
    "specName": "write `specName: NAME`, with a name from specs.yaml",
    "image": "write `image: ubuntu:22.04`",
    "sizeGb": "a local volume needs its size: write `sizeGb: 30`",
    "id": "a network volume needs the ID of the storage: write `id: ...`",
    "mountPath": "write `mountPath: /workspace`",
    "name": "write `name: ...`",
}


def spelled(path: DataPath) -> str:
    """A path as people write it: `storage[0].mountPath`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{shortened(step)}" if text else shortened(step)
    return text


def close_to(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or nothing."""
    lower = {name.lower().replace("_", "").replace("-", ""): name for name in known}
    plain = word.lower().replace("_", "").replace("-", "")
    return lower.get(closest_match(plain, lower, cutoff=0.7), "")
