"""Baselines: scripts that do only one part of the work. Each runs in its own process.

listing URL            every page with bare httpx, pages of 100, ten at once
listings URL           the same, and at the same time the storages and the credentials
creates URL N WIDTH    N creates with bare httpx, WIDTH at once
updates URL N WIDTH    every page, then an update of N endpoints, WIDTH at once
deletes URL N WIDTH    every page, then a delete of N endpoints, WIDTH at once
yaml FILE...           the files with PyYAML's C loader
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.world import live

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


def listings(url: str) -> int:
    """Return the number of endpoints, storages and credentials that were fetched and parsed."""
    import httpx

    def count(path: str, **query: int) -> int:
        return len(client.get(path, params=query).json()["data"])

    with (
        httpx.Client(base_url=url + API, headers={"Authorization": "Bearer k"}) as client,
        ThreadPoolExecutor(2) as pool,
    ):
        storages = pool.submit(count, "/networkstorages/list", pageNo=1, pageSize=PAGE)
        credentials = pool.submit(count, "/repository/auths")
        return listing(url) + storages.result() + credentials.result()


def creates(url: str, count: int, width: int) -> int:
    """Return the number of endpoints that were created."""
    bodies = [{"endpoint": live(number)} for number in range(count)]
    return len({answer["id"] for answer in _posts(url, "create", bodies, width)})


def updates(url: str, count: int, width: int) -> int:
    """Return the number of endpoints that were listed and updated."""
    listing(url)
    return len(_posts(url, "update", [live(number) for number in range(count)], width))


def deletes(url: str, count: int, width: int) -> int:
    """Return the number of endpoints that were listed and deleted."""
    listing(url)
    return len(_posts(url, "delete", [{"id": live(number)["id"]} for number in range(count)], width))


def _posts(url: str, operation: str, bodies: list[dict], width: int) -> list[dict]:
    """Send a POST for each body, `width` at once, and return the parsed answers."""
    import httpx

    contents = [json.dumps(body).encode() for body in bodies]
    limits = httpx.Limits(max_connections=width, max_keepalive_connections=width)
    with (
        httpx.Client(base_url=url + API, headers={"Authorization": "Bearer k"}, limits=limits) as client,
        ThreadPoolExecutor(width) as pool,
    ):
        return list(
            pool.map(lambda body: client.post(f"/endpoint/{operation}", content=body).json(), contents)
        )


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
        case "listing" | "listings":
            print({"listing": listing, "listings": listings}[what](*rest))
        case "creates" | "updates" | "deletes":
            send = {"creates": creates, "updates": updates, "deletes": deletes}[what]
            print(send(rest[0], int(rest[1]), int(rest[2])))
        case "yaml":
            print(load_yaml(*rest))
        case "plan":
            # the two parts that every plan needs, one after the other: the listing and the files
            print(listing(rest[0]), load_yaml(*rest[1:]))
