"""A probe: a request to the URL of an endpoint that proves that it serves, and its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from reconciler.model import durations
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import Secret
from reconciler.model.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The answer that a probe expects.

    `status` is None for any from 200 to 299. `json_path` leads to a value that must exist. `contains` must be
    in that value, or else in the body; "" is in all.
    """

    status: int | None = None
    contains: str | Secret = ""
    json_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A declared probe. `timeout` is in seconds, for a cold start and the answer.

    A `body` that is a text is sent as it is, any other one as JSON.
    """

    path: str | Secret
    method: str = "GET"
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    body: Value = None
    expect: Expectation = Expectation()
    timeout: float = durations.PROBE_TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The result of one probe. Times are in seconds.

    `request` is its method and path, `expected` and `got` are clauses; `got` is about what was not as
    expected. `reason` is why workers do not serve, as far as Novita says.
    """

    request: str
    passed: bool
    expected: str
    got: str
    status: int | None = None
    seconds: float = 0.0
    reason: str = ""
