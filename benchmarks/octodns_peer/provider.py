"""An octoDNS provider: each endpoint of the account as a TXT record that holds its image."""

from __future__ import annotations

import json
import logging
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from octodns.provider.base import BaseProvider
from octodns.record import Record

from benchmarks.baselines import API, PAGE


class AccountProvider(BaseProvider):
    """List with the standard library, one page of 100 after the other; write nothing."""

    SUPPORTS_GEO = False
    SUPPORTS_DYNAMIC = False
    SUPPORTS = frozenset({"TXT"})

    def __init__(self, id: str, url: str, *args: Any, **options: Any) -> None:  # noqa: A002 - octoDNS's name
        self.log = logging.getLogger(f"AccountProvider[{id}]")  # which octoDNS asks of a provider
        super().__init__(id, *args, **options)
        self.url = url

    def populate(self, zone: Any, target: bool = False, lenient: bool = False) -> bool:  # noqa: ARG002 - octoDNS calls it so
        connection = HTTPConnection(urlsplit(self.url).netloc)
        found: list[Any] = []
        total = 1
        while len(found) < total:
            connection.request("GET", f"{API}/endpoints?pageSize={PAGE}&pageNum={len(found) // PAGE}")
            answer = json.load(connection.getresponse())
            found, total = found + answer["endpoints"], answer["total"]
        connection.close()
        for one in found:
            data = {"type": "TXT", "ttl": 300, "value": one["image"]["image"]}
            zone.add_record(
                Record.new(zone, one["name"], data, source=self, lenient=lenient), lenient=lenient
            )
        return True

    def _apply(self, plan: Any) -> None:  # noqa: ARG002 - octoDNS calls it so
        raise AssertionError("a measurement writes nothing")
