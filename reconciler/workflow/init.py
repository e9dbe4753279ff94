"""The first files of a new folder; what is there already is left as it is."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from reconciler.config.schema import text_of
from reconciler.inventory.files import path_under
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import Context

STARTERS = {"endpoints.yaml": "endpoints.yaml", "specs.yaml": "specs.yaml", ".gitignore": "gitignore"}
SCHEMAS = {".reconciler/endpoints.schema.json": "endpoints", ".reconciler/specs.schema.json": "specs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Which files were written and which were there, as the user would type them."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def start(context: Context) -> Started:
    """Write the starter files. Raises InvalidConfig when the folder cannot be written."""
    folder = files("reconciler.workflow") / "starter"
    texts = {name: (folder / source).read_text(encoding="utf-8") for name, source in STARTERS.items()}
    texts |= {name: text_of(schema) for name, schema in SCHEMAS.items()}
    written: list[str] = []
    kept: list[str] = []
    for name, text in texts.items():
        path = path_under(context.root, Path(name))
        try:
            path.parent.mkdir(exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            written.append(name)
        except FileExistsError:
            kept.append(name)
        except OSError as error:
            raise InvalidConfig(
                Problem(code="cannot-write", summary=f"cannot write {name}: {error.strerror or error}")
            ) from error
    return Started(written=tuple(written), kept=tuple(kept))
