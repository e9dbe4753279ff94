"""The JSON Schemas of the documents that commands print and write. A published schema is whole in itself."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from reconciler.config.schema import schema_folder

FOLDER: Final = "json"

_SUFFIX: Final = ".schema.json"
_COMMON: Final = "common"
"""Parts of several documents, which is none by itself."""


def document_names() -> tuple[str, ...]:
    """Return the names of all documents, sorted."""
    files = schema_folder().joinpath(FOLDER).glob(f"*{_SUFFIX}")
    return tuple(sorted({file.name.removesuffix(_SUFFIX) for file in files} - {_COMMON}))


def document_schema(name: str) -> dict[str, Any]:
    """Return the schema of a document, with the parts that it has from other files. Raise KeyError."""
    if name not in document_names():
        raise KeyError(name)
    schema = dict(_load(name))
    own: dict[str, Any] = schema.pop("$defs", {})
    bundle = _Bundle()
    whole: dict[str, Any] = bundle.of(schema, name)
    for key in own:
        bundle.add(name, key)
    return {**whole, "$defs": bundle.parts} if bundle.parts else whole


def document_schema_text(name: str) -> str:
    """Return the text of that schema, as `reconciler schema json/NAME` prints it. Raise KeyError."""
    return json.dumps(document_schema(name), indent=2, ensure_ascii=False) + "\n"


class _Bundle:
    """Collects the definitions that a schema refers to, under the names that they have in their files."""

    def __init__(self) -> None:
        self.parts: dict[str, Any] = {}
        self._origins: dict[str, str] = {}

    def of(self, part: Any, file: str) -> Any:
        """Return a part of a file with references to this bundle."""
        if isinstance(part, list):
            return [self.of(one, file) for one in part]
        if not isinstance(part, dict):
            return part
        kept = {key: self.of(value, file) for key, value in part.items() if key != "$ref"}
        if "$ref" not in part:
            return kept
        there, _, pointer = part["$ref"].partition("#/")
        there = there.removesuffix(_SUFFIX) or file
        place, key = pointer.split("/")
        if place != "$defs":  # a property of another document
            return {**self.of(_load(there)[place][key], there), **kept}
        self.add(there, key)
        return {**kept, "$ref": f"#/$defs/{key}"}

    def add(self, file: str, key: str) -> None:
        """Add a definition of a file, unless it is there."""
        if self._origins.setdefault(key, file) != file:
            raise ValueError(f"{file} and {self._origins[key]} both define {key}")
        if key not in self.parts:
            self.parts[key] = {}  # so that definitions may refer to one another
            self.parts[key] = self.of(_load(file)["$defs"][key], file)


@cache
def _load(name: str) -> dict[str, Any]:
    text = schema_folder().joinpath(FOLDER, f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
