"""Applied versions for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.model.values import Fields, Json
from reconciler.reports.terminal.escape import plain
from reconciler.reports.terminal.style import PLAIN, Style


class Version(Protocol):
    """What is shown of an applied version; secrets in `fields` stand as their references."""

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


def versions_text(found: Mapping[str, Sequence[Version]], style: Style = PLAIN) -> str:
    """A block for each endpoint, newest first, ending in a newline."""
    return "\n".join(_block(name, versions, style) for name, versions in found.items())


def version_document(version: Version) -> Json:
    """One element of `history --json`."""
    return {
        "name": version.name,
        "version": version.number,
        "at": version.at,
        "action": version.action,
        "id": version.id,
        "fields": dict(version.fields),
    }


def _block(name: str, versions: Sequence[Version], style: Style) -> str:
    lines = [style.bold(plain(name))]
    for version in reversed(versions):
        low, high = (_said(version.fields, "workerConfig", bound) for bound in ("minNum", "maxNum"))
        workers, image = (
            plain(f"{low or '?'}-{high or '?'} workers"),
            plain(_said(version.fields, "image", "image")),
        )
        lines.append(
            f"  {version.number:>4}  {plain(version.at)}  {plain(version.action):<8} {workers:<14} {image}"
        )
    return "\n".join(lines) + "\n"


def _said(fields: Fields, head: str, leaf: str) -> str:
    """What the file says there; "" when it does not."""
    inner = fields.get(head)
    found = inner.get(leaf, "") if isinstance(inner, Mapping) else ""
    return str(found.get("reference", "") if isinstance(found, Mapping) else found)
