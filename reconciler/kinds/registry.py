"""The resource kinds that exist, by type. No other module outside `kinds/endpoint` imports one."""

from __future__ import annotations

from typing import Final

from reconciler.kinds.base import Kind
from reconciler.kinds.endpoint.kind import ENDPOINT as ENDPOINT

KINDS: Final[dict[str, Kind]] = {ENDPOINT.type: ENDPOINT}
