"""What endpoint files declare: the items by name, each with the layers it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from reconciler.config.files.discovery import shown
from reconciler.config.overlays import Layer, Layers
from reconciler.config.removals import contradictions, removals
from reconciler.config.vocabulary import close_to
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Removed
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.overlay import NO_TEXTS, Texts
from reconciler.yamlfile.reader import read
from reconciler.yamlfile.root_check import Fence
from reconciler.yamlfile.scalars import kind_of, plain, quoted

_TOP: Final = ("endpoints", "defaults", "removed", "$schema")
_WRAP: Final = "write `endpoints:` above it, and indent it below as an item that starts with `- `"
_WRAP_JSON: Final = 'wrap it: {"endpoints": [...]}'
_ELSEWHERE: Final = {
    "specs": "specs belong in specs.yaml",
    "novita": "settings belong in config.yaml",
    "providers": "settings belong in config.yaml",
}


@dataclass(slots=True)
class Declared:
    """All endpoint files of a run, taken together.

    `unnamed` are items that no endpoint can be made of, for want of a name of their own. A set that
    `is_partial` lacks what could not be read: what seems to be missing from an item may be there.
    """

    defaults: list[Layer] = field(default_factory=list)
    items: dict[str, list[Layer]] = field(default_factory=dict)
    removed: list[Removed] = field(default_factory=list)
    unnamed: list[Layer] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    is_partial: bool = False
    files: list[str] = field(default_factory=list)


def declared(root: Path, groups: Iterable[Sequence[Path]], instead: Texts = NO_TEXTS) -> Declared:
    """Reads the files. A later group is laid over an earlier one; inside a group names are unique."""
    result = Declared()
    fence = Fence(root)
    for group in groups:
        own: dict[str, Layer] = {}
        for path in group:
            document = read(path, shown(path, root), instead, fence=fence, named=True)
            result.files.append(document.file)
            result.problems += document.problems
            result.problems += (problem for _, problem in document.bent)
            if document.data is not None:
                _read_top(document, own, result)
            elif document.problems:
                result.is_partial = True
            else:
                result.problems.append(_empty(document))
        for name, layer in own.items():
            result.items.setdefault(name, []).append(layer)
    if result.removed:
        places = {name: place_of_name(layers[0]) for name, layers in result.items.items()}
        result.problems += contradictions(result.removed, places)
    return result


def _read_top(document: Document, own: dict[str, Layer], result: Declared) -> None:
    data = document.data
    if not isinstance(data, dict):
        result.is_partial = True
        result.problems.append(_no_mapping(document))
        return
    if "endpoint" in data and "endpoints" not in data:
        result.is_partial = True
        result.problems.append(
            Problem(
                code="lone-endpoint",
                summary="this file is a single deploy request, not a list of endpoints",
                hint=_WRAP_JSON if document.file.endswith(".json") else _WRAP,
                place=document.place(("endpoint",), key=True),
            )
        )
        return
    for key in data:
        if key not in _TOP:
            meant = close_to(key, _TOP[:3])
            result.is_partial |= meant != ""
            hint = (
                f"did you mean `{meant}`?"
                if meant
                else _ELSEWHERE.get(key, "known keys: endpoints, defaults, removed")
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
            _wrong(document, ("defaults",), "a mapping", "write `key: value` lines below it, indented")
        )
    result.removed += removals(document, result.problems)
    if "endpoints" not in data:
        return
    items = data["endpoints"]
    if not isinstance(items, list):
        none = items is None
        hint = (
            "write `endpoints: []` if there shall be none"
            if none
            else "start each endpoint with `- endpoint: NAME`"
        )
        result.is_partial |= not none
        result.problems.append(_wrong(document, ("endpoints",), "a list", hint))
        return
    for index, item in enumerate(items):
        _read_item(document, index, item, own, result)


def _read_item(document: Document, index: int, item: Any, own: dict[str, Layer], result: Declared) -> None:
    problems = result.problems
    if not isinstance(item, dict):
        problems.append(_wrong(document, ("endpoints", index), "a mapping", "write `- endpoint: NAME`"))
        return
    name = item.get("endpoint")
    layer = Layer(document.source, item, ("endpoints", index))
    if not isinstance(name, str):
        meant = _meant_as_name(item)
        problems.append(_unnamed(document, index, item, meant))
        rest = {key: value for key, value in item.items() if key not in ("endpoint", meant)}
        result.unnamed.append(Layer(document.source, rest, layer.spot))
        return
    if name in own:
        first = place_of_name(own[name])
        problems.append(
            Problem(
                code="duplicate-endpoint",
                summary=f"the endpoint `{name}` is declared twice",
                hint=f"rename or remove one of the two; the first is at {first}",
                place=place_of_name(layer),
            )
        )
        result.unnamed.append(layer)
        return
    own[name] = layer


def place_of_name(layer: Layer) -> Place | None:
    return Layers((layer,)).place(("endpoint",))


def _unnamed(document: Document, index: int, item: dict[str, Any], close: str) -> Problem:
    """What an item is told that has no name. `close` is the key that was probably meant for it."""
    path = ("endpoints", index, "endpoint")
    if item.get("endpoint") is None:
        place = document.place(path) or document.place(path[:-1])
        hint = f"did you mean `endpoint` by `{close}`?" if close else "write `endpoint: NAME`"
        return Problem(
            code="missing-key", summary="this endpoint has no `endpoint`, its name", hint=hint, place=place
        )
    node = document.node(path)
    text = node.value if node is not None and isinstance(node.value, str) else ""
    if text and not isinstance(plain(text), str):
        return Problem(
            code="not-text",
            summary=f"`endpoint` must be text, and YAML reads {text} as {kind_of(item['endpoint'])}",
            hint=f"write {quoted(text)}",
            place=document.place(path),
        )
    return _wrong(document, path, "text", "write `endpoint: NAME`")


def _meant_as_name(item: dict[str, Any]) -> str:
    """The key that was probably written for `endpoint`, or nothing."""
    others = [key for key in item if key != "endpoint"]
    if not others:
        return ""
    return close_to("endpoint", others) or ("name" if "name" in item else "")


def _wrong(document: Document, path: tuple[str | int, ...], wanted: str, hint: str) -> Problem:
    data = document.data
    for step in path:
        data = data[step]
    last = path[-1]
    what = f"`{last}`" if isinstance(last, str) else "an item of `endpoints`"
    return Problem(
        code="wrong-type",
        summary=f"{what} must be {wanted}, not {kind_of(data)}",
        hint=hint,
        place=document.place(path),
    )


def _no_mapping(document: Document) -> Problem:
    listed = isinstance(document.data, list)
    return Problem(
        code="wrong-type",
        summary=f"an endpoint file must be a mapping with `endpoints:`, not {kind_of(document.data)}",
        hint="write `endpoints:` above the list"
        if listed
        else "write `endpoints:` and the endpoints below it",
        place=document.place(),
    )


def _empty(document: Document) -> Problem:
    return Problem(
        code="empty-file",
        summary="this file declares nothing",
        hint="write `endpoints: []` if there shall be no endpoints, or delete the file",
        place=Place(file=document.file, line=1, column=1),
    )
