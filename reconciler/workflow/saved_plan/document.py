"""`reconciler show`: the document of a plan file, read without a network and without a key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reconciler.inventory.files import read_regular_file
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.values import Json


def read_plan_document(path: Path) -> dict[str, Json]:
    """Return the JSON document of a plan that `plan --out` saved. Raise InvalidConfig if the file is none."""
    try:
        document = json.loads(read_regular_file(path, follow=True))
        _check(document)
    except OSError as error:
        raise _refused("no-such-plan", f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused("not-a-plan", f"{path} is not a plan file") from error
    del document["saved_plan"]
    checked: dict[str, Json] = document
    return checked


def _check(document: Any) -> None:
    """Raise KeyError or TypeError unless the parts that are shown have the form of a plan."""
    if not isinstance(document["saved_plan"], dict):
        raise TypeError
    for change in [*document["resource_changes"], *document["resource_drift"]]:
        for field in change["fields"]:
            if not all(isinstance(step, str) for step in field["path"]):
                raise TypeError
            field["before"], field["after"], field["cause"], field["forces_replacement"], field["sensitive"]
        for key in ("address", "name"):
            if not isinstance(change[key], str):
                raise TypeError
    for problem in document["problems"]:
        problem["severity"], problem["summary"]
    document["timestamp"], document["tool_version"], document["summary"]


def _refused(code: str, summary: str) -> InvalidConfig:
    save = command_line("reconciler", "plan", "--out", "FILE")
    return InvalidConfig(Problem(code=code, summary=summary, hint=f"{save}   saves a plan"))
