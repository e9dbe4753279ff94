"""The document that a state consists of: a JSON object with a serial number and the inventory.

    {"serial": 7, "novita_inventory": {"format": 1, "map": "...", "journal": "...", "history": "...",
     "documents": {"approved": "..."}}}

`serial` counts up with each write, as servers of Terraform's states expect. The parts are texts, so that
their bytes come out as they went in.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

from reconciler.inventory.history_entries import is_too_long, kept_lines, name_of
from reconciler.inventory.stores.base import Content
from reconciler.model.encoding import json_bytes
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem

FORMAT: Final = 1

KEY: Final = "novita_inventory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that is kept of an inventory, as one value. `serial` 0: nothing was written yet."""

    serial: int = 0
    content: Content = Content()
    history: bytes = b""
    documents: Mapping[str, bytes] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the JSON text."""
        parts = {
            "format": FORMAT,
            "map": _text(self.content.map),
            "journal": _text(self.content.journal),
            "history": _text(self.history),
            "documents": {name: _text(data) for name, data in self.documents.items()},
        }
        return json_bytes({"serial": self.serial, KEY: parts})

    def with_line(self, line: bytes) -> Document:
        """Return the document with one more line of the journal."""
        journal = (self.content.journal or b"") + line
        return replace(self, content=Content(map=self.content.map, journal=journal))

    def with_history(self, lines: Sequence[bytes]) -> Document:
        """Return the document with more lines of the history, and without those that are too old."""
        is_cut = is_too_long(self.history, [name_of(line) or "" for line in lines])
        history = self.history + b"".join(lines)
        return replace(self, history=kept_lines(history) if is_cut else history)

    def with_document(self, name: str, data: bytes | None) -> Document:
        """Return the document with a small document replaced, or removed by None."""
        others = {key: value for key, value in self.documents.items() if key != name}
        return replace(self, documents=others if data is None else {**others, name: data})

    def with_short_history(self, count: int) -> Document:
        """Return the document with only the last lines of the history of each name, at most `count`."""
        seen: Counter[str | None] = Counter()
        kept = []
        for line in reversed(self.history.splitlines(keepends=True)):
            name = name_of(line.rstrip())
            seen[name] += 1
            if seen[name] <= count:
                kept.append(line)
        return replace(self, history=b"".join(reversed(kept)))

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of each part, the largest first."""
        sizes = {
            "map": len(self.content.map or b""),
            "journal": len(self.content.journal or b""),
            "history": len(self.history),
            "approved plan": sum(map(len, self.documents.values())),
        }
        return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def parse_document(data: bytes, label: str) -> Document:
    """Return the document of a JSON text, an empty one for none.

    Raise InventoryError if it is something else, or too new.
    """
    if not data:
        return Document()
    try:
        value = json.loads(data)
        parts = value.get(KEY) if isinstance(value, dict) else None
        if isinstance(parts, dict):
            if type(parts["format"]) is int and parts["format"] > FORMAT:
                raise _unusable("inventory-too-new", label, _NEWER, _UPGRADE)
            return _document(value["serial"], parts)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unusable("inventory-unreadable", label, "it is no inventory in JSON", _OTHER) from None
    if isinstance(value, dict) and ("resources" in value or "lineage" in value):
        raise _unusable("not-an-inventory", label, "it is a state of Terraform", _OTHER)
    raise _unusable("not-an-inventory", label, "it is not an inventory of reconciler", _OTHER)


_NEWER: Final = "a newer release of reconciler wrote it"
_UPGRADE: Final = "Upgrade: `pip install --upgrade novita-reconciler`"
_OTHER: Final = "Nothing was changed. Name another state: the last part of the address is its name"


def _document(serial: Any, parts: Mapping[str, Any]) -> Document:
    if type(serial) is not int or serial < 0:
        raise ValueError(serial)
    return Document(
        serial=serial,
        content=Content(map=_data(parts["map"]), journal=_data(parts["journal"])),
        history=_data(parts["history"]) or b"",
        documents={_name(name): _data(text) or b"" for name, text in parts["documents"].items()},
    )


def _name(text: str) -> str:
    text.encode()  # raises ValueError for half a character, which could not be written again
    return text


def _text(data: bytes | None) -> Any:
    """Return bytes as JSON: a text, or base64 for those that are not UTF-8."""
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _data(value: Any) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return value.encode()
    return base64.b64decode(value["base64"], validate=True)


def _unusable(code: str, label: str, what: str, hint: str) -> InventoryError:
    return InventoryError(Problem(code=code, summary=f"{label} is not used: {what}", hint=hint))
