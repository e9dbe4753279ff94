"""The formats, and how a document is recognized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reconciler.convert import docker_compose, dstack, novita, runpod_flash, skypilot, waverless
from reconciler.convert.candidates import Parts
from reconciler.convert.source import Origin
from reconciler.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format: its name for `--from`, the test for its documents, and their conversion."""

    name: str
    recognizes: Callable[[Any], bool]
    convert: Callable[[Origin], Parts]


FORMATS: Final = {
    module.NAME: Format(name=module.NAME, recognizes=module.recognizes, convert=module.convert)
    for module in (skypilot, dstack, docker_compose, runpod_flash, novita, waverless)
}
"""In the order in which they are asked: a spec of Waverless looks like many other documents."""


def recognized(data: Any) -> Format | None:
    """Return the format of a document, or None."""
    return next((one for one in FORMATS.values() if one.recognizes(data)), None)
