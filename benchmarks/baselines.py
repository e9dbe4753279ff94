"""Baselines: scripts that do only one part of the work. Each runs in its own process.

listing URL            every page with bare httpx, pages of 100, ten at once
creates URL N WIDTH    N creates with bare httpx, WIDTH at once
yaml FILE...           the files with PyYAML's C loader
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PAGE = 100
API = "/gpu-instance/openapi/v1"


def listing(url: str) -> int:
    """Return the number of endpoints that were fetched and parsed."""
    import httpx

    with httpx.Client(base_url=url + API, headers={"Authorization": "Bearer k"}) as client:

        def page(number: int) -> dict:
            return client.get("/endpoints", params={"pageSize": PAGE, "pageNum": number}).json()

        first = page(0)
        pages = range(1, -(-first["total"] // PAGE))
        with ThreadPoolExecutor(10) as pool:
            rest = list(pool.map(page, pages))
    return sum(len(page["endpoints"]) for page in [first, *rest])


def creates(url: str, count: int, width: int) -> int:
    """Return the number of endpoints that were created."""
    import httpx

    from benchmarks.world import live

    bodies = [json.dumps({"endpoint": live(number)}).encode() for number in range(count)]
    limits = httpx.Limits(max_connections=width, max_keepalive_connections=width)
    headers = {"Authorization": "Bearer k"}
    with (
        httpx.Client(base_url=url + API, headers=headers, limits=limits) as client,
        ThreadPoolExecutor(width) as pool,
    ):
        created = list(pool.map(lambda body: client.post("/endpoint/create", content=body).json(), bodies))
    return len({endpoint["id"] for endpoint in created})


def load_yaml(*files: str) -> int:
    """Return the number of endpoints in the files."""
    import yaml

    return sum(
        len(yaml.load(Path(file).read_bytes(), Loader=yaml.CSafeLoader).get("endpoints", ()))
        for file in files
    )


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    match what:
        case "listing":
            print(listing(*rest))
        case "creates":
            print(creates(rest[0], int(rest[1]), int(rest[2])))
        case "yaml":
            print(load_yaml(*rest))
        case "plan":
            # the two parts that every plan needs, one after the other: the listing and the files
            print(listing(rest[0]), load_yaml(*rest[1:]))
