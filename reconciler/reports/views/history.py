"""Applied versions of endpoints as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.model.values import Fields, Json
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style


class Version(Protocol):
    """The shown parts of an applied version; `fields` contains references in place of secrets."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def at(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def fields(self) -> Fields: ...
    @property
    def who(self) -> str: ...


def versions_text(by_name: Mapping[str, Sequence[Version]], style: Style = PLAIN) -> str:
    """Return the versions of each endpoint, newest first, ending in a newline."""
    return "\n".join(_block(name, versions, style) for name, versions in by_name.items())


def version_document(version: Version) -> Json:
    """Return one element of `history --json`."""
    return {
        "name": version.name,
        "version": version.number,
        "at": version.at,
        "action": version.action,
        "id": version.id,
        **({"who": version.who} if version.who else {}),
        "fields": dict(version.fields),
    }


def _block(name: str, versions: Sequence[Version], style: Style) -> str:
    lines = [style.bold(plain(name))]
    for version in reversed(versions):
        low, high = (_value(version.fields, "workerConfig", bound) for bound in ("minNum", "maxNum"))
        workers, image = (
            plain(f"{low or '?'}-{high or '?'} workers"),
            plain(_value(version.fields, "image", "image")),
        )
        by = f"  by {plain(version.who)}" if version.who else ""
        facts = f"{plain(version.at)}  {plain(version.action):<8} {workers:<14} {image}{by}"
        lines.append(f"  {version.number:>4}  {facts}")
    return "\n".join(lines) + "\n"


def _value(fields: Fields, head: str, leaf: str) -> str:
    """Return the value of a nested field as text; "" if it is missing."""
    inner = fields.get(head)
    value = inner.get(leaf, "") if isinstance(inner, Mapping) else ""
    return str(value.get("reference", "") if isinstance(value, Mapping) else value)
