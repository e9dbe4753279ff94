"""No key of a sample is dropped without a word."""

import json
from typing import Any

import pytest
import yaml

from reconciler.convert.draft import Conversion
from reconciler.convert.notes import Note
from tests.convert.support import converted, leaves, without
from tests.e2e.convert.pages import PAGES, page

OF_DATA = [name for name in PAGES if name != "runpod"]


WITHOUT_EFFECT = {
    "dstack": {("type",), ("probes", 0, "type")},  # what the document is, and the one type of probe
    "waverless": {(1, "registryCredential", "registry")},  # the registry of the image
}
"""Keys that say again what other keys say."""


def outcome(conversion: Conversion) -> Any:
    return conversion.items, conversion.specs, conversion.variables


def is_noted(path: tuple[str | int, ...], notes: list[Note]) -> bool:
    names = {".".join(map(str, path[:end])) for end in range(1, len(path) + 1)}
    return any(note.field in names for note in notes)


@pytest.mark.parametrize("name", OF_DATA)
def test_each_key_is_converted_or_noted(name: str) -> None:
    """A key without a note changes the result if it is removed."""
    shown = page(name)
    data = yaml.safe_load(shown.sample_text)
    whole, notes = converted(json.dumps(data), name)
    paths = list(leaves(data))
    silent = [
        path
        for path in paths
        if not is_noted(path, notes)
        and path not in WITHOUT_EFFECT.get(name, ())
        and outcome(converted(json.dumps(without(data, path)), name)[0]) == outcome(whole)
    ]
    assert silent == []
    assert len(paths) > 15
