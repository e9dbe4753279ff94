"""The fields of a network storage: where each lives on the wire, and its YAML names."""

from __future__ import annotations

import re
from typing import Final

from reconciler.kinds.fields import Field, FieldTable, Shape
from reconciler.model.values import Path

SIZE: Final[Path] = ("storageSize",)
"""GB."""

REGION: Final[Path] = ("clusterId",)

MIN_SIZE: Final = 10
"""GB."""

LONGEST_NAME: Final = 255
"""Characters."""

NAME: Final = re.compile(r"[A-Za-z0-9-]+\Z")

UNCOMPARED: Final = ("clusterName", "price")
"""The parts of an answer that are kept as they came."""

TABLE: Final = FieldTable(
    Field(path=("name",), topic="name", is_ignorable=False, is_public=True),
    Field(path=REGION, names=("region",), replaces=True),
    Field(path=SIZE, shape=Shape.NUMBER, names=("sizeGb",)),
    reading_order=("name", "region", "sizeGb"),
)
"""In the order of the create request. The region of a storage is fixed for its life."""
