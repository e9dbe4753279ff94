"""The least that a plan of one page needs: both requests of the listing, with the YAML loaded meanwhile.

`python benchmarks/floor.py URL FILE [BODIES]`, with the standard library's HTTP client and without the
collector. With BODIES, a file with the body of one create in each line, it is the least of an apply: the
creates follow the listing, all at once, and one more request lists what was created. It compares nothing and
proves nothing.
"""

import gc
import http.client
import json
import sys
import threading
from urllib.parse import urlsplit

gc.disable()

API = "/gpu-instance/openapi/v1"
HEADERS = {"Authorization": "Bearer k", "Content-Type": "application/json"}


def main(url: str, file: str, bodies: str = "") -> None:
    address = urlsplit(url)
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection

    def call(method: str, path: str, body: bytes | None = None) -> dict:
        connection = connect(address.hostname or "", address.port)
        connection.request(method, API + path, body, HEADERS)
        return json.loads(connection.getresponse().read())

    def read(number: int) -> None:
        pages[number] = call("GET", f"/endpoints?pageSize=100&pageNum={number}")

    def create(body: bytes) -> None:
        created.append(call("POST", "/endpoint/create", body)["id"])

    pages: dict[int, dict] = {}
    threads = [threading.Thread(target=read, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    import yaml

    with open(file, "rb") as text:  # noqa: PTH123 - without an import of pathlib
        declared = yaml.load(text, Loader=yaml.CSafeLoader)["endpoints"]
    for thread in threads:
        thread.join()
    if bodies:
        created: list[str] = []
        with open(bodies, "rb") as text:  # noqa: PTH123 - the same
            threads = [threading.Thread(target=create, args=(line,)) for line in text]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        read(0)
    print(len(declared), sum(len(page["endpoints"]) for page in pages.values()))


main(*sys.argv[1:])
