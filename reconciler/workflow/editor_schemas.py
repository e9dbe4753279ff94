"""The JSON Schemas that editors read: in .reconciler/, with the specs of the folder, named by modelines."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from reconciler.config.loader import load_specs
from reconciler.config.schema import NAMES, schema_text
from reconciler.config.settings import load_settings
from reconciler.inventory.files import path_under
from reconciler.workflow.runtime.context import Context

FOLDER: Final = Path(".reconciler")

_MAX_SIZE: Final = 2**20
"""Bytes. A schema is smaller."""


def schema_file(name: str) -> Path:
    """Return the file of a schema, relative to the root."""
    return FOLDER / f"{name}.schema.json"


def modeline(name: str, file: Path) -> str:
    """Return the comment that names the schema of a file, which is relative to the root, to editors."""
    path = os.path.relpath(schema_file(name), file.parent)
    return f"# yaml-language-server: $schema={Path(path).as_posix()}\n"


def editor_schema(context: Context, name: str, specs: Sequence[str] | None = None) -> str:
    """Return the text of a schema; that of endpoints offers these names of specs, or those of specs.yaml.

    Other names stay valid in it, so that a spec can be added without an error in the editor.
    """
    text = schema_text(name)
    if name != "endpoints" or not (offered := _spec_names(context) if specs is None else list(specs)):
        return text
    document = json.loads(text)
    field = document["$defs"]["fields"]["properties"]["specName"]
    field["anyOf"] = [{"enum": offered}, {}]
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def stale_schemas(context: Context) -> tuple[str, ...]:
    """Return the names of the schemas in .reconciler/ that another version or other specs wrote."""
    return tuple(
        name for name in NAMES if _path(context, name).exists() and new_schema(context, name) is not None
    )


def new_schema(context: Context, name: str, specs: Sequence[str] | None = None) -> str | None:
    """Return the text to write to .reconciler/; None if it is up to date, or if another program wrote it."""
    path, text = _path(context, name), editor_schema(context, name, specs)
    if not path.exists():
        return text
    written = _own_text(path, name)
    return text if written is not None and written != text else None


def _path(context: Context, name: str) -> Path:
    return path_under(context.root, schema_file(name))


def _own_text(path: Path, name: str) -> str | None:
    """Return the text of a schema that this program wrote; None if there is none, or another file."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_SIZE:
            return None
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return text if re.search(rf'"\$id":\s*"{name}\.schema\.json"', text) else None


def _spec_names(context: Context) -> list[str]:
    settings, _ = load_settings(context.root, environ=context.environ, dotenv=context.dotenv, lenient=True)
    return list(load_specs(context.root, settings).entries)
