"""The fields of a registry credential, and their limits."""

from __future__ import annotations

from typing import Final

from reconciler.kinds.fields import Field, FieldTable
from reconciler.model.values import Path

USERNAME: Final[Path] = ("username",)
PASSWORD: Final[Path] = ("password",)

LONGEST_NAME: Final = 255
"""Characters."""

LONGEST: Final = {"username": 511, "password": 1024}
"""Characters of a value behind a reference; the schema checks literals."""

TABLE: Final = FieldTable(
    Field(path=("name",), topic="name", is_ignorable=False, is_public=True),
    Field(path=USERNAME, names=("username",)),
    Field(path=PASSWORD, names=("password",), is_secret=True),
    reading_order=("name", "username", "password"),
)
"""In the order of the save request. Novita has no call that changes one of them."""
