"""Reads endpoint files: declared items with the layers of each, and removed endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.files.discovery import display_path
from reconciler.config.overlays import Layer, LayerStack
from reconciler.config.resources import LayersByName, read_sections, sections
from reconciler.config.vocabulary import suggest_name
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Removed
from reconciler.model.settings import DECLARED_NAMES, NameTemplate
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.files import NO_OVERRIDES, FileOverrides, RootDirectory
from reconciler.yamlfile.reader import read
from reconciler.yamlfile.scalars import double_quoted, parse_scalar, type_name

if TYPE_CHECKING:
    from reconciler.config.matrix.expansion import Expansion

EXTENSION: Final = "x-"
"""Begins keys that hold anchors, or belong to other tools."""

_TOP_LEVEL_KEYS: Final = ("endpoints", "defaults", "removed", "$schema")
_WRAP_HINT: Final = "write `endpoints:` above it, and indent it below as an item that starts with `- `"
_WRAP_HINT_JSON: Final = 'wrap it: {"endpoints": [...]}'
_OTHER_FILES: Final = {
    "specs": "specs belong in specs.yaml",
    "novita": "settings belong in config.yaml",
    "providers": "settings belong in config.yaml",
}


@dataclass(slots=True)
class EndpointFiles:
    """The content of all endpoint files of a run.

    `unnamed` are items without a name of their own, which give no endpoint. `is_partial` is True if a part
    could not be read, so that values of items may be missing. `names_helpers` is True if a file contains
    `${exec:`. `expansion` is that of items with `matrix`, if there are any.
    """

    defaults: list[Layer] = field(default_factory=list)
    items: dict[str, list[Layer]] = field(default_factory=dict)
    removed: list[Removed] = field(default_factory=list)
    unnamed: list[Layer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_partial: bool = False
    names_helpers: bool = False
    expansion: Expansion | None = None
    files: list[str] = field(default_factory=list)
    others: LayersByName = field(default_factory=dict)


def read_endpoint_files(
    root: Path,
    groups: Iterable[Sequence[Path]],
    overrides: FileOverrides = NO_OVERRIDES,
    names: NameTemplate = DECLARED_NAMES,
) -> EndpointFiles:
    """Read the files. Later groups are merged over earlier ones; within a group, names are unique.

    The names of the result are those that `names` gives; the data of the layers is as it is declared.
    """
    result = EndpointFiles()
    directory = RootDirectory(root)
    for group in groups:
        in_group: dict[str, Layer] = {}
        others_in_group: set[tuple[str, str]] = set()
        for path in group:
            document = read(path, display_path(path, root), overrides, root=directory, named=True)
            result.files.append(document.file)
            result.problems += document.problems
            result.problems += (problem for _, problem in document.ambiguous)
            if document.data is not None:
                result.names_helpers |= "${exec:" in document.source.text
                _read_document(document, in_group, result)
                if isinstance(document.data, dict):
                    result.problems += read_sections(document, result.others, others_in_group)
            elif document.problems:
                result.is_partial = True
            else:
                result.problems.append(_empty(document))
        for name, layer in in_group.items():
            result.items.setdefault(names.rendered(name), []).append(layer)
    if result.removed:
        result.removed = [replace(entry, name=names.rendered(entry.name)) for entry in result.removed]
        from reconciler.config.removals import conflicting_removals

        places = {name: place_of_name(layers[0]) for name, layers in result.items.items()}
        result.problems += conflicting_removals(result.removed, places)
    return result


def texts_of_helpers(files: EndpointFiles, is_selected: Callable[[str], bool]) -> Iterator[str]:
    """Yield the texts of selected endpoints that name a helper and that may hold a secret."""
    fields = ENDPOINT.secret_fields | ENDPOINT.maskable_fields
    for name, layers in files.items.items():
        if is_selected(name):
            merged = LayerStack((*files.defaults, *layers)).merged()
            yield from _texts_with("${exec:", [value for key, value in merged.items() if key in fields])


def _texts_with(word: str, value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if word in value:
            yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_with(word, item)


def _read_document(document: Document, in_group: dict[str, Layer], result: EndpointFiles) -> None:
    data = document.data
    if _may_be_foreign(data):
        from reconciler.config.files.foreign_formats import foreign_format

        if (problem := foreign_format(document)) is not None:
            result.is_partial = True
            result.problems.append(problem)
            return
    if not isinstance(data, dict):
        result.is_partial = True
        result.problems.append(_not_a_mapping(document))
        return
    if "endpoint" in data and "endpoints" not in data:
        result.is_partial = True
        result.problems.append(
            Problem(
                code="lone-endpoint",
                summary="this file is a single deploy request, not a list of endpoints",
                hint=_WRAP_HINT_JSON if document.file.endswith(".json") else _WRAP_HINT,
                place=document.place(("endpoint",), key=True),
            )
        )
        return
    if EXTENSION in document.source.text:
        data = _without_extensions(data)
    known = {*_TOP_LEVEL_KEYS, *sections()}
    for key in data:
        if key not in known:
            meant = suggest_name(key, _TOP_LEVEL_KEYS[:3])
            result.is_partial |= meant != ""
            hint = (
                f"did you mean `{meant}`?"
                if meant
                else _OTHER_FILES.get(key, "known keys: endpoints, defaults, removed")
            )
            place = document.place((key,), key=True)
            result.problems.append(
                Problem(code="unknown-key", summary=f"unknown key `{key}`", hint=hint, place=place)
            )
    defaults = data.get("defaults")
    if isinstance(defaults, dict):
        result.defaults.append(Layer(document.source, defaults, ("defaults",)))
    elif defaults is not None:
        result.is_partial = True
        result.problems.append(
            _wrong_type(document, ("defaults",), "a mapping", "write `key: value` lines below it, indented")
        )
    if "removed" in data:
        from reconciler.config.removals import read_removals

        result.removed += read_removals(document, result.problems)
    if "endpoints" not in data:
        return
    items = data["endpoints"]
    if not isinstance(items, list):
        is_null = items is None
        hint = (
            "write `endpoints: []` for no endpoints"
            if is_null
            else "start each endpoint with `- endpoint: NAME`"
        )
        result.is_partial |= not is_null
        result.problems.append(_wrong_type(document, ("endpoints",), "a list", hint))
        return
    for index, item in enumerate(items):
        _read_item(document, index, item, in_group, result)


def _read_item(
    document: Document, index: int, item: Any, in_group: dict[str, Layer], result: EndpointFiles
) -> None:
    problems = result.problems
    if not isinstance(item, dict):
        problems.append(_wrong_type(document, ("endpoints", index), "a mapping", "write `- endpoint: NAME`"))
        return
    layer = Layer(document.source, item, ("endpoints", index))
    if not isinstance(item.get("endpoint"), str):
        meant = _misspelled_name_key(item)
        problems.append(_missing_name(document, index, item, meant))
        rest = {key: value for key, value in item.items() if key not in ("endpoint", "matrix", meant)}
        result.unnamed.append(Layer(document.source, rest, layer.path))
    elif "matrix" not in item:
        _add_item(layer, in_group, result)
    else:
        from reconciler.config.matrix.expansion import Expansion

        result.expansion = result.expansion or Expansion()
        for expanded in result.expansion.expand(document, layer.path, item, problems):
            _add_item(
                Layer(document.source, expanded.data, layer.path, expanded.combination), in_group, result
            )


def _without_extensions(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a file without keys that begin with `x-`, at the top, in defaults and in items."""
    data = _own_keys(data)
    if isinstance(defaults := data.get("defaults"), dict):
        data["defaults"] = _own_keys(defaults)
    if isinstance(items := data.get("endpoints"), list):
        data["endpoints"] = [_own_keys(item) if isinstance(item, dict) else item for item in items]
    return data


def _own_keys(data: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if not key.startswith(EXTENSION)}


def _add_item(layer: Layer, in_group: dict[str, Layer], result: EndpointFiles) -> None:
    """Add an item with a name, unless its group has that name already."""
    name = layer.data["endpoint"]
    if name in in_group:
        first = place_of_name(in_group[name])
        result.problems.append(
            Problem(
                code="duplicate-endpoint",
                summary=f"the endpoint `{name}` is declared twice",
                hint=f"rename or remove one of the two; the first is at {first}",
                place=place_of_name(layer),
            )
        )
        result.unnamed.append(layer)
        return
    in_group[name] = layer


def place_of_name(layer: Layer) -> Place | None:
    return LayerStack((layer,)).positions.place(("endpoint",))


def _missing_name(document: Document, index: int, item: dict[str, Any], close: str) -> Problem:
    """Return the problem of an item without a name. `close` is the key probably meant as its name."""
    path = ("endpoints", index, "endpoint")
    if item.get("endpoint") is None:
        place = document.place(path) or document.place(path[:-1])
        hint = f"did you mean `endpoint` by `{close}`?" if close else "write `endpoint: NAME`"
        return Problem(
            code="missing-key", summary="this endpoint has no name (`endpoint`)", hint=hint, place=place
        )
    node = document.node(path)
    text = node.value if node is not None and isinstance(node.value, str) else ""
    if text and not isinstance(parse_scalar(text), str):
        return Problem(
            code="not-text",
            summary=f"`endpoint` must be text, and YAML reads {text} as {type_name(item['endpoint'])}",
            hint=f"write {double_quoted(text)}",
            place=document.place(path),
        )
    return _wrong_type(document, path, "text", "write `endpoint: NAME`")


def _misspelled_name_key(item: dict[str, Any]) -> str:
    """Return the key that was probably written for `endpoint`, or ""."""
    others = [key for key in item if key != "endpoint"]
    if not others:
        return ""
    return suggest_name("endpoint", others) or ("name" if "name" in item else "")


def _wrong_type(document: Document, path: tuple[str | int, ...], wanted: str, hint: str) -> Problem:
    data = document.data
    for step in path:
        data = data[step]
    last = path[-1]
    what = f"`{last}`" if isinstance(last, str) else "an item of `endpoints`"
    return Problem(
        code="wrong-type",
        summary=f"{what} must be {wanted}, not {type_name(data)}",
        hint=hint,
        place=document.place(path),
    )


def _may_be_foreign(data: Any) -> bool:
    """Return False at once for what looks like an endpoint file, which is nearly always the case."""
    if not isinstance(data, dict) or "endpoints" not in data:
        return not (isinstance(data, dict) and ("defaults" in data or "removed" in data))
    items = data["endpoints"]
    return (
        isinstance(items, list) and bool(items) and isinstance(items[0], dict) and "endpoint" not in items[0]
    )


def _not_a_mapping(document: Document) -> Problem:
    is_list = isinstance(document.data, list)
    return Problem(
        code="wrong-type",
        summary=f"an endpoint file must be a mapping with `endpoints:`, not {type_name(document.data)}",
        hint="write `endpoints:` above the list"
        if is_list
        else "write `endpoints:` and the endpoints below it",
        place=document.place(),
    )


def _empty(document: Document) -> Problem:
    return Problem(
        code="empty-file",
        summary="this file declares nothing",
        hint="write `endpoints: []` for no endpoints, or delete the file",
        place=Place(file=document.file, line=1, column=1),
    )
