"""The least that a plan of one page needs: both requests of the listing, with the YAML loaded meanwhile.

`python benchmarks/floor.py URL FILE`, with the standard library's HTTP client and without the collector. It
compares nothing and proves nothing.
"""

import gc
import http.client
import json
import sys
import threading
from urllib.parse import urlsplit

gc.disable()


def main(url: str, file: str) -> None:
    address = urlsplit(url)
    connect = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    pages = {}

    def read(number: int) -> None:
        connection = connect(address.hostname or "", address.port)
        target = f"/gpu-instance/openapi/v1/endpoints?pageSize=100&pageNum={number}"
        connection.request("GET", target, headers={"Authorization": "Bearer k"})
        pages[number] = json.loads(connection.getresponse().read())

    threads = [threading.Thread(target=read, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    import yaml

    with open(file, "rb") as text:  # noqa: PTH123 - without an import of pathlib
        declared = yaml.load(text, Loader=yaml.CSafeLoader)["endpoints"]
    for thread in threads:
        thread.join()
    print(len(declared), sum(len(page["endpoints"]) for page in pages.values()))


main(*sys.argv[1:])
