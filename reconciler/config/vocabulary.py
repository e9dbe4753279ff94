"""Words for problems: names of types, hints for fields, and suggestions for unknown names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.model.text import closest_match
from reconciler.model.values import DataPath
from reconciler.yamlfile.scalars import truncated

OTHER_NAMES: Final[Mapping[str, str]] = {
    # Names in Novita's API, Kubernetes and Compose, which difflib does not match.
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

TYPE_NAMES: Final[Mapping[str, str]] = {
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
    "sizeGb": "write its size in GB: `sizeGb: 30`",
    "id": "a network volume needs the ID of the storage: write `id: ...`",
    "mountPath": "write `mountPath: /workspace`",
    "name": "write `name: ...`",
}


def path_text(path: DataPath) -> str:
    """Return a path as text: `storage[0].mountPath`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{truncated(step)}" if text else truncated(step)
    return text


def suggest_name(word: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant, or ""."""
    lower = {name.lower().replace("_", "").replace("-", ""): name for name in known}
    plain = word.lower().replace("_", "").replace("-", "")
    return lower.get(closest_match(plain, lower, cutoff=0.7), "")
