"""The schema of each document that a command prints with --json, and a check of what was printed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import jsonschema_rs

from reconciler.cli.main import COMMANDS
from reconciler.config.document_schemas import document_schema

SCHEMAS = {
    **dict.fromkeys(("plan", "apply", "destroy", "drift", "drift revert", "rollback", "restart"), "plan"),
    **dict.fromkeys(("deploy", "update", "scale", "delete"), "plan"),
    **{f"state {name}": f"state-{name}" for name in ("list", "show", "rm", "fold", "rebuild", "pull")},
    **{f"state {name}": f"state-{name}" for name in ("push", "copy", "lock-info", "unlock")},
    **{f"env {name}": f"env-{name}" for name in ("list", "diff")},
    **{name: name for name in ("list", "get", "status", "watch", "output", "logs", "open", "cost", "graph")},
    **{name: name for name in ("history", "validate", "doctor", "recover", "preview", "init", "call")},
    **{name: name for name in ("import", "pin", "probe", "specs", "pvcs", "explain", "version", "convert")},
    "drift accept": "drift-accept",
    "show": "plan",
}
"""The command -> the schema of its document."""

OTHERS = {
    ("doctor", "--probe-api"): "doctor-probe",
    ("scale", "--write"): "scale-write",
    ("specs", "--available"): "products",
    ("apply", "--events"): "events",
    ("destroy", "--events"): "events",
    ("rollback", "--events"): "events",
    ("drift revert", "--events"): "events",
}
"""The command with an option that prints another document."""

LINES = ("events", "watch")
"""Streams: each line is a document."""


def check_output(command: str, arguments: Sequence[str], out: str) -> None:
    """Assert that the output of a command with --json or --events is what its schema says.

    command: its words, such as `state list`. A failed command prints a plan without changes.
    """
    name = next(
        (OTHERS[key] for key in OTHERS if key[0] == command and key[1] in arguments), SCHEMAS[command]
    )
    if "--events" in arguments and "--json" in arguments:
        name = "plan"  # refused: both write to stdout
    if command == "state pull" and not {"-o"} & set(arguments):
        name = "inventory"
    for text in out.splitlines() if name in LINES else [out] if out else []:
        document = json.loads(text)
        is_failure = isinstance(document, dict) and {"terraform_version", "errored"} <= document.keys()
        assert_valid("plan" if is_failure else name, document)


def command_of(arguments: Sequence[str]) -> str:
    """Return the words of the command, "" for none or for one that fails before it is known."""
    for number, word in enumerate(arguments):
        if word in COMMANDS:
            pair = f"{word} {arguments[number + 1]}" if number + 1 < len(arguments) else ""
            return pair if pair in SCHEMAS else word if word in SCHEMAS else ""
    return ""


def assert_valid(name: str, document: Any) -> None:
    """Assert that a document is what its schema says."""
    if _validator(name).is_valid(document):
        return
    for error in _validator(name).iter_errors(document):
        where = "".join(f"[{step!r}]" for step in error.instance_path)
        raise AssertionError(f"schemas/json/{name}.schema.json does not allow {where}: {error.message[:300]}")


@cache
def _validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(document_schema(name))
