"""The endpoints of all measurements, as YAML and as Novita lists them. They are the same for every tool.

The storages and credentials are in the rows of plans with all kinds.

An endpoint has twelve fields, six variables and one or two mounts: 27 lines of YAML, 1.3 KB in a listing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

REGISTRIES = 20
STORAGES = 50
"""Credentials and storages (count) of an account with all kinds."""

PASSWORD = "BENCH_REGISTRY_PASSWORD"
"""The variable of the environment that the declared credentials reference."""

SPECS = """\
specs:
  - name: bench
    resources: {gpu: "1", ephemeralStorage: "100"}
    platforms:
      novita: {productId: "SL-serverless-3", region: "us-dallas-nas-2"}
"""


def declared(number: int) -> dict[str, Any]:
    """Return one endpoint as the YAML declares it."""
    mounts = [{"type": "local", "sizeGb": 30, "mountPath": "/workspace"}]
    if number % 2:
        mounts.append({"type": "network", "id": f"ns-{number:05}", "mountPath": "/network"})
    return {
        "endpoint": f"endpoint-{number:05}",
        "specName": "bench",
        "image": f"registry.example.com/team/model-{number % 100}:1.{number % 10}.{number % 7}",
        "command": f"serve --model model-{number % 100} --port 8000",
        "minReplicas": number % 2,
        "maxReplicas": 2 + number % 5,
        "freeTimeout": 300 + number % 60,
        "requestTimeout": 600,
        "maxConcurrent": 1 + number % 4,
        "policy": {"type": "queue", "value": 4 + number % 56},
        "port": 8000,
        "healthPath": "/health",
        "env": {
            "MODEL_NAME": f"model-{number % 100}",
            "REVISION": f"r{number}",
            "LOG_LEVEL": "info",
            "MAX_BATCH": "16",
            "CACHE_DIR": "/workspace/cache",
            "REGION_HINT": "us-dallas-nas-2",
        },
        "storage": mounts,
    }


def yaml_of(number: int) -> str:
    """Return the same as text, in block style."""
    lines: list[str] = []

    def put(value: Any, indent: int, first: str = "") -> None:
        for key, inner in value.items():
            head = first or " " * indent
            first = ""
            if isinstance(inner, dict):
                lines.append(f"{head}{key}:")
                put(inner, indent + 2)
            elif isinstance(inner, list):
                lines.append(f"{head}{key}:")
                for item in inner:
                    put(item, indent + 4, " " * (indent + 2) + "- ")
            else:
                lines.append(f"{head}{key}: {json.dumps(inner)}")

    put(declared(number), 4, "  - ")
    return "\n".join(lines) + "\n"


def write_repo(folder: Path, count: int) -> None:
    """Write an infrastructure repository that declares the first `count` endpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "specs.yaml").write_text(SPECS)
    (folder / "endpoints.yaml").write_text("endpoints:\n" + "".join(map(yaml_of, range(count))))


def add_other_kinds(folder: Path) -> None:
    """Declare the storages and the credentials of `other_kinds` too."""
    with (folder / "endpoints.yaml").open("a") as file:
        file.write("storages:\n")
        for number in range(STORAGES):
            file.write(f"  - name: storage-{number:02}\n")
            file.write(f"    region: us-dallas-nas-2\n    sizeGb: {100 + number}\n")
        file.write("registries:\n")
        for number in range(REGISTRIES):
            file.write(f"  - name: registry-{number:02}\n    username: user-{number}\n")
            file.write(f'    password: "${{env:{PASSWORD}}}"\n')


def other_kinds() -> dict[str, list[dict[str, Any]]]:
    """Return the storages and the credentials as Novita lists them, by the path of their listing."""
    storages = [
        {
            "storageId": f"ns-{number:05}",
            "storageName": f"storage-{number:02}",
            "storageSize": 100 + number,
            "clusterId": "us-dallas-nas-2",
            "clusterName": "US-Dallas-NAS-02",
        }
        for number in range(STORAGES)
    ]
    credentials = [
        {
            "id": f"auth-{number:02}",
            "name": f"registry-{number:02}",
            "username": f"user-{number}",
            "password": "p",
        }
        for number in range(REGISTRIES)
    ]
    return {"/networkstorages/list": storages, "/repository/auths": credentials}


def edit(folder: Path) -> None:
    """Give each declared endpoint another image, as a release does."""
    file = folder / "endpoints.yaml"
    file.write_text(file.read_text().replace("registry.example.com", "registry.example.net"))


def live(number: int) -> dict[str, Any]:
    """Return the endpoint as Novita lists it after its create: digit strings, filled-in defaults."""
    want = declared(number)
    object_id = f"{number:016x}"
    return {
        "id": object_id,
        "name": want["endpoint"],
        "appName": want["endpoint"],
        "state": {"state": "serving", "error": "", "message": ""},
        "url": f"https://{object_id}-{want['endpoint']}.runsync.novita.dev",
        "workerConfig": {
            "minNum": want["minReplicas"],
            "maxNum": want["maxReplicas"],
            "freeTimeout": str(want["freeTimeout"]),
            "maxConcurrent": str(want["maxConcurrent"]),
            "gpuNum": 1,
            "requestTimeout": want["requestTimeout"],
            "cudaVersion": "",
        },
        "policy": {"type": want["policy"]["type"], "value": str(want["policy"]["value"])},
        "image": {"image": want["image"], "authId": "", "command": want["command"]},
        "rootfsSize": 100,
        "volumeMounts": [
            {
                "type": one["type"],
                "id": one.get("id", ""),
                "size": one.get("sizeGb", 0),
                "mountPath": one["mountPath"],
            }
            for one in want["storage"]
        ],
        "envs": [{"key": key, "value": value} for key, value in want["env"].items()],
        "ports": [{"port": want["port"]}],
        "workers": [
            {"id": f"w-{number}", "state": {"state": "running", "error": "", "message": ""}, "healthy": True}
        ],
        "products": [{"id": "SL-serverless-3"}],
        "healthy": {"path": want["healthPath"], "initialDelay": 10, "period": 10, "timeout": 10},
        "clusterID": "us-dallas-nas-2",
        "createdAt": "1750000000",
    }
