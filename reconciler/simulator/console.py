"""Somebody in the web console: changes to the world that no reconciler asked for."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from reconciler.simulator.validation import Settings

# The form's defaults, as far as they are known, and a product and an image that pass.
FORM: Mapping[str, Any] = {
    "name": "",
    "appName": "",
    "workerConfig": {
        "minNum": 1,
        "maxNum": 3,
        "freeTimeout": 60,
        "maxConcurrent": 1,
        "gpuNum": 1,
        "requestTimeout": 120,
        "cudaVersion": "",
    },
    "ports": [{"port": 8000}],
    "policy": {"type": "queue", "value": 4},
    "image": {"image": "ubuntu:22.04", "authId": "", "command": ""},
    "products": [{"id": "SL-serverless-3"}],
    "rootfsSize": 100,
    "volumeMounts": [],
    "clusterID": "us-dallas-nas-2",
    "envs": [],
    "healthy": {"path": "/"},
}


def merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> Settings:
    """A copy of the settings with the changes laid over: objects merge by key, all else replaces."""
    result: Settings = copy.deepcopy(dict(settings))
    for name, value in changes.items():
        old = result.get(name)
        result[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return copy.deepcopy(result)


def edited(settings: Settings, mutate: Callable[[Settings], object]) -> Settings:
    """A copy of the settings after `mutate` changed it in place."""
    result = copy.deepcopy(settings)
    mutate(result)
    return result
