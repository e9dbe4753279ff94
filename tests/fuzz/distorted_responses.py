"""A simulated account whose responses are damaged."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from reconciler.simulator.api import Request, Response
from tests.fuzz.mutations import change_values, damage_bytes


class DistortedWorld:
    """The world with damaged responses after `begin`. The nth call of a path always gets the same damage."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._calls: Counter[str] = Counter()
        self._seed: str | None = None
        self._rate = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def begin(self, seed: str | None, rate: float = 0.0) -> None:
        """Damage each further response with this probability; without a seed, none."""
        self._calls, self._seed, self._rate = Counter(), seed, rate

    def handle(self, request: Request) -> Response:
        response: Response = self._world.handle(request)
        if self._seed is None:
            return response
        self._calls[request.path] += 1
        rng = Random(f"{self._seed} {request.path} {self._calls[request.path]}")
        return _distorted(rng, response) if rng.random() < self._rate else response


def _distorted(rng: Random, response: Response) -> Response:
    match rng.randrange(12):
        case 0:
            return replace(
                response, status=rng.choice((200, 201, 204, 206, 299, 302, 304, 400, 401, 404, 409))
            )
        case 1:
            name = rng.choice(
                ("content-type", "retry-after", "date", "location", "x-request-id", "content-encoding")
            )
            value = rng.choice(
                ("", "0", "-1", "x", "text/html", "gzip", "\x85\xa0", "a" * 2000, "Mon, 99 Feb 2026")
            )
            return replace(response, headers={**response.headers, name: value})
        case 2 | 3 | 4:
            return replace(response, body=damage_bytes(rng, response.body))
        case _:
            document = change_values(rng, json.loads(response.body))
            return replace(response, body=json.dumps(document).encode())
