"""Recognizes data of other tools that was taken for an endpoint file, by its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from reconciler.kinds.foreign_shapes import is_metadata, is_of_novita, is_request, is_spec
from reconciler.model.command import Operand, command_line, command_without_file
from reconciler.model.problem import Problem
from reconciler.yamlfile.document import Document


def foreign_format(document: Document) -> Problem | None:
    """Return the error of a file that is data of an API, or None for any other file.

    The line of the file is not shown, because live data holds the values of env.
    """
    found = _recognized(
        document.data, document.source.file, is_json=document.source.text.lstrip()[:1] in ("[", "{")
    )
    if found is None:
        return None
    what, hint = found
    place = document.place()
    return Problem(
        code="other-format",
        summary=f"this file is {what}, not a list of endpoints to declare",
        hint=hint,
        place=replace(place, text="") if place else None,
    )


def _recognized(data: Any, file: str, *, is_json: bool) -> tuple[str, str] | None:
    everything = command_without_file(file, "reconciler", "import", "--all", "--out", "endpoints.yaml")
    live = f"move it elsewhere; then `{everything}` writes the YAML of live endpoints"
    if isinstance(data, Mapping):
        listed = data.get("endpoints")
        if isinstance(listed, list) and listed and _are(listed, is_of_novita):
            return "a listing of Novita's API", live
        for one in (data.get("endpoint"), data):
            if isinstance(one, Mapping) and is_of_novita(one):
                if "id" in one:
                    return "an endpoint as Novita's API returns it", live
                return "a create request of Novita's API", _convert(file)
        if is_metadata(data):
            return "an endpoint as Waverless returns it (GET /api/v1/endpoints/NAME)", live
        if isinstance(data.get("services"), Mapping):
            return "a docker-compose file", _convert(file)
        if data.get("type") == "service":
            return "a service of dstack", _convert(file)
        if isinstance(data.get("service"), Mapping):
            return "a service of SkyPilot", _convert(file)
        if is_spec(data):
            return "a spec as Waverless returns it", _specs(is_json=is_json)
        return None
    if not isinstance(data, list) or not data:
        return None
    if _are(data, is_of_novita):
        return "a list of endpoints as Novita's API returns them", live
    if _are(data, is_metadata):
        return "a listing of Waverless (GET /api/v1/endpoints)", live
    if _are(data, is_spec):
        return "a listing of specs of Waverless (GET /api/v1/specs)", _specs(is_json=is_json)
    if is_json and _are(data, is_request):
        return "a JSON list of deploy requests", 'wrap it: {"endpoints": [...]}'
    return None


def _are(items: Sequence[Any], is_one: Any) -> bool:
    return is_one(items[0]) and all(map(is_one, items[:10]))


def _specs(*, is_json: bool) -> str:
    wrapped = '{"specs": [...]}' if is_json else "`specs:` above it"
    return f"specs belong in specs.yaml: write {wrapped} there"


def _convert(file: str) -> str:
    """Return the commands that write the YAML of a file that is moved away first."""
    moved = f"source{PurePath(file).suffix}"
    move = command_line("mv", Operand(file), Operand(moved))
    convert = command_without_file(file, "reconciler", "convert", moved, "--out", "endpoints.yaml")
    return f"`{move}`, then `{convert}` writes its YAML"
