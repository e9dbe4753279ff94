"""A Novita whose answers are damaged on the way."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from reconciler.simulator.api import Request, Response
from tests.fuzz.mutating import changed, damaged


class Distorted:
    """The world, but for what it says after `begin`. The nth call of a path always meets the same damage."""

    def __init__(self, world: Any) -> None:
        self._world = world
        self._calls: Counter[str] = Counter()
        self._seed: str | None = None
        self._rate = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def begin(self, seed: str | None, rate: float = 0.0) -> None:
        """From now on damage each answer with this probability; None: none."""
        self._calls, self._seed, self._rate = Counter(), seed, rate

    def handle(self, request: Request) -> Response:
        response: Response = self._world.handle(request)
        if self._seed is None:
            return response
        self._calls[request.path] += 1
        dice = Random(f"{self._seed} {request.path} {self._calls[request.path]}")
        return _distorted(dice, response) if dice.random() < self._rate else response


def _distorted(dice: Random, response: Response) -> Response:
    match dice.randrange(12):
        case 0:
            return replace(
                response, status=dice.choice((200, 201, 204, 206, 299, 302, 304, 400, 401, 404, 409))
            )
        case 1:
            name = dice.choice(
                ("content-type", "retry-after", "date", "location", "x-request-id", "content-encoding")
            )
            value = dice.choice(
                ("", "0", "-1", "x", "text/html", "gzip", "\x85\xa0", "a" * 2000, "Mon, 99 Feb 2026")
            )
            return replace(response, headers={**response.headers, name: value})
        case 2 | 3 | 4:
            return replace(response, body=damaged(dice, response.body))
        case _:
            document = changed(dice, json.loads(response.body))
            return replace(response, body=json.dumps(document).encode())
