"""The fields of an endpoint: where each lives on the wire, its YAML names, and what a change of it takes.

A new plain YAML field touches `schemas/endpoints.schema.json` and one row here. The mapping, `import`,
`drift accept`, quotas, the check of stored fields and the order in reports follow from the row; texts of
`image` and `healthy` and numbers of `workerConfig` are read by it too. A field of another form also touches
`from_yaml`, `to_yaml`, `yaml_edits` and `codec`. In either case add it to the simulator and to the README.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from reconciler.kinds.fields import Field, FieldTable, Shape
from reconciler.model.values import Fields, Path

LONGEST_NAME: Final = 220
"""Characters."""

MIN: Final[Path] = ("workerConfig", "minNum")
MAX: Final[Path] = ("workerConfig", "maxNum")
FREE_TIMEOUT: Final[Path] = ("workerConfig", "freeTimeout")
REQUEST_TIMEOUT: Final[Path] = ("workerConfig", "requestTimeout")
CUDA: Final[Path] = ("workerConfig", "cudaVersion")
COMMAND: Final[Path] = ("image", "command")
AUTH: Final[Path] = ("image", "authId")

UNSUPPORTED: Final = frozenset(
    {
        *("maxPendingTasks", "scaleUpCooldown", "scaleDownCooldown", "priority", "enableDynamicPrio"),
        *("highLoadThreshold", "priorityBoost", "labels", "imagePrefix", "validateImage", "gpuCount"),
        *("volumeMounts", "shmSize", "enablePtrace"),
    }
)
"""YAML names of Waverless that Novita does not have; `waverless_fields` has the problems about them."""

CREDENTIAL: Final = "registryCredential"
"""The YAML name of Waverless that declares a registry credential, see `waverless_credential`."""

IMAGE_WITHOUT_VERSION: Final = "image-without-version"
"""Code of the warning about `latest`."""

DEFAULT_MIN, DEFAULT_MAX, DEFAULT_REPLICAS = 0, 10, 1
DEFAULT_PORT: Final = 8000
DEFAULT_POLICY: Final[Mapping[str, Any]] = {"type": "queue", "value": 60}

TABLE: Final = FieldTable(
    Field(path=("appName",), names=("appName",), replaces=True, is_public=True),
    Field(path=("name",), topic="endpoint", is_ignorable=False, is_public=True),
    Field(path=("workerConfig",), shape=Shape.OBJECT),
    Field(
        path=MIN,
        shape=Shape.NUMBER,
        names=("replicas", "minReplicas"),
        label="minReplicas",
        topic="replicas",
        scales=True,
    ),
    Field(
        path=MAX,
        shape=Shape.NUMBER,
        names=("replicas", "maxReplicas"),
        label="maxReplicas",
        topic="replicas",
        scales=True,
        quota=("", "maxWorkerNum"),
    ),
    Field(
        path=FREE_TIMEOUT,
        shape=Shape.NUMBER,
        names=("freeTimeout", "taskTimeout", "scaleDownIdleTime"),
        default=300,
        is_plain=True,
        quota=("minFreeTimeout", "maxFreeTimeout"),
    ),
    Field(
        path=("workerConfig", "maxConcurrent"),
        shape=Shape.NUMBER,
        names=("maxConcurrent",),
        default=1,
        is_plain=True,
        quota=("minConcurrencyNum", "maxConcurrencyNum"),
    ),
    Field(
        path=("workerConfig", "gpuNum"),
        shape=Shape.NUMBER,
        names=("specName",),
        label="specName.gpu",
        quota=("minGPUNum", "maxGPUNum"),
    ),
    Field(
        path=REQUEST_TIMEOUT,
        shape=Shape.NUMBER,
        names=("requestTimeout",),
        default=3600,
        is_plain=True,
        quota=("minRequestTimeout", "maxRequestTimeout"),
    ),
    Field(
        path=CUDA,
        names=("specName",),
        label="specName.cudaVersion",
        replaces=True,
        is_optional=True,
        blanks=("", "any"),
    ),
    Field(path=("ports",), shape=Shape.LIST, names=("port",), item_key="port", is_public=True),
    Field(path=("policy",), shape=Shape.OBJECT, names=("policy", "scaleUpThreshold")),
    Field(path=("policy", "type"), topic="policy", is_public=True),
    Field(path=("policy", "value"), shape=Shape.NUMBER, topic="policy"),
    Field(path=("image",), shape=Shape.OBJECT),
    Field(path=("image", "image"), names=("image",), is_plain=True),
    Field(path=AUTH, names=("imageAuthId", "imageAuth"), is_plain=True, is_optional=True),
    Field(path=COMMAND, names=("command",), is_plain=True, is_optional=True, is_doubtful=True),
    Field(
        path=("products",),
        shape=Shape.LIST,
        names=("specName",),
        label="specName.productId",
        item_key="id",
        replaces=True,
    ),
    Field(
        path=("rootfsSize",),
        shape=Shape.NUMBER,
        names=("specName",),
        label="specName.ephemeralStorage",
        replaces=True,
        quota=("minRootfsSize", "maxRootfsSize"),
    ),
    Field(
        path=("volumeMounts",),
        shape=Shape.OBJECTS,
        names=("storage",),
        item_names={"size": "sizeGb"},
        optional_items=("id",),
    ),
    Field(path=("clusterID",), names=("specName",), label="specName.region", replaces=True),
    Field(path=("envs",), shape=Shape.TEXTS, names=("env",), is_secret=True),
    Field(path=("healthy",), shape=Shape.OBJECT),
    Field(path=("healthy", "path"), names=("healthPath",), default="/health", is_plain=True),
    reading_order=(
        "endpoint",
        "appName",
        "image",
        "command",
        "imageAuthId",
        "imageAuth",
        "specName",
        "minReplicas",
        "maxReplicas",
        "freeTimeout",
        "requestTimeout",
        "maxConcurrent",
        "policy",
        "port",
        "healthPath",
        "env",
        "storage",
    ),
)
"""In the order of the create request. No source shows that `endpoint/update` changes what `replaces`;
`clusterID` would move the endpoint's data."""


def is_any_cuda(version: object) -> bool:
    """Return True for `any`, empty and absent: all leave the choice to Novita."""
    return version is None or version in TABLE.by_path[CUDA].blanks


def partial_fields(declared: Mapping[str, Any]) -> Fields:
    """Return the normal form of some fields by their YAML names, for those sent as they are declared.

    `replicas: 0` scales to zero when idle: a maximum of zero would leave no worker that could ever start.
    """
    values: dict[Path, Any] = {}
    for name, value in declared.items():
        paths = TABLE.names[name]
        values |= dict.fromkeys((MIN,) if paths == (MIN, MAX) and value == 0 else paths, value)
    return TABLE.nested(values)
