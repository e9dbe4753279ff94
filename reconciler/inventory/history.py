"""The history for rollbacks: each version that was applied to an endpoint, beside the map.

It has one line for each version. A secret is written as its reference, never as its value; a secret
without a reference is only named. The last twenty versions of an endpoint are kept; a store
writes the history again when it has more than twice as many lines.

A line may also be a mark of one version: its proof, the probe of `apply --probe`, is missing, was given, or
failed. A mark is appended before the change, and another one after the probe, so a killed run leaves the
first. The last mark of a version holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reconciler.inventory.errors import saying_saved
from reconciler.inventory.history_entries import (
    Mark,
    Version,
    early_marks,
    entries_of,
    is_torn,
    last_numbers,
    latest_versions,
    line_of,
    name_of,
    parse_line,
)
from reconciler.inventory.stores.base import HistoryLine
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Place
from reconciler.model.secrets import Sealed, Secret, map_secrets
from reconciler.model.values import Fields, Json, is_plain_data, leaves, with_path_from
from reconciler.model.values import Path as WirePath

if TYPE_CHECKING:
    from reconciler.inventory.stores.base import Hold, Store


def history(store: Store, names: Collection[str] | None = None) -> Mapping[str, tuple[Version, ...]]:
    """Return the kept versions of each endpoint or of these, oldest first. Skip lines that cannot be read."""
    return latest_versions(_entries(store, names))


def unrecorded_marks(store: Store, names: Collection[str]) -> Mapping[str, Mark]:
    """Return the marks that have no version yet, by name: their run was killed before it recorded one."""
    return early_marks(_entries(store, names))


def find_damage(store: Store, name: str | None = None) -> Place | None:
    """Return the place of the first line that is JSON and not a version: it was edited, not torn.

    With a name, lines that are about another one are left out.
    """
    names = None if name is None else (name,)
    for number, line in enumerate(store.read_history(names).split(b"\n"), 1):
        if name is not None and name_of(line) not in (name, None):
            continue
        if line.strip() and parse_line(line) is None and not is_torn(line):
            return Place(file=history_label(store), line=number, column=1)
    return None


def append_history(store: Store, hold: Hold, entries: Iterable[Version | Mark]) -> None:
    """Append versions and marks. The number 0 stands for the next one of its name."""
    new = list(entries)
    if not new:
        return
    try:
        names = {entry.name for entry in new}
        last = last_numbers(store.read_history(names).splitlines(), names)
        hold.append_history(
            [HistoryLine(name=entry.name, data=line_of(entry, last.get(entry.name, 0) + 1)) for entry in new]
        )
    except InventoryError as error:
        raise saying_saved(error, "The endpoints are recorded; only their history is not") from error


def secrets_to_references(fields: Fields) -> tuple[Json, tuple[WirePath, ...]]:
    """Return the fields with each secret replaced by its reference, and the paths of those without one.

    The values at these paths are left out, as well as fingerprints of secrets.
    """
    if is_plain_data(fields):
        return fields, ()
    hidden = tuple(path for path, value in leaves(fields) if _is_hidden(value))
    for path in hidden:
        fields = with_path_from(fields, {}, path)
    return map_secrets(fields, lambda secret: {"reference": secret.source}), hidden


def _is_hidden(value: Any) -> bool:
    """Return whether a value holds a fingerprint, or a secret without a reference."""
    match value:
        case Secret():
            return not value.is_referenced
        case Sealed():
            return True
        case dict():
            return any(map(_is_hidden, value.values()))
        case list():
            return any(map(_is_hidden, value))
        case _:
            return False


def history_label(store: Store) -> str:
    """Return the name of the history in messages: a file has one of its own."""
    return f"{store.label}.history.jsonl" if store.folder else store.label


def _entries(store: Store, names: Collection[str] | None) -> Iterator[Version | Mark]:
    return entries_of(store.read_history(names).splitlines(), names)


def references_to_secrets(fields: Fields, secret: Any) -> Fields:
    """Return the fields with each reference replaced by `secret(text)`, for its text in the YAML."""

    def restore(value: Any) -> Any:
        match value:
            case {"reference": str(text)} if len(value) == 1:
                restored = secret(text)
                assert isinstance(restored, Secret | str)
                return restored
            case dict():
                return restore_items(value)
            case list():
                return [restore(item) for item in value]
            case _:
                return value

    def restore_items(tree: Any) -> Any:
        return {key: restore(item) for key, item in tree.items()}

    # The user chooses the keys of keyed maps, so a variable may have the name `reference`.
    return {
        key: restore_items(value) if key in ENDPOINT.table.keyed else restore(value)
        for key, value in fields.items()
    }
