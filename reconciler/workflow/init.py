"""`reconciler init`: write the starter files of a new folder. Existing files are not changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from reconciler.config.schema import schema_text
from reconciler.inventory.files import path_under
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import Context

STARTER_FILES = {"endpoints.yaml": "endpoints.yaml", "specs.yaml": "specs.yaml", ".gitignore": "gitignore"}
SCHEMA_FILES = {".reconciler/endpoints.schema.json": "endpoints", ".reconciler/specs.schema.json": "specs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """The files that were written, and those that existed, by their paths relative to the folder."""

    written: tuple[str, ...]
    kept: tuple[str, ...]


def init(context: Context) -> InitResult:
    """Write the starter files and the JSON Schemas. Raise InvalidConfig if a file cannot be written."""
    folder = files("reconciler.workflow") / "starter"
    texts = {name: (folder / source).read_text(encoding="utf-8") for name, source in STARTER_FILES.items()}
    texts |= {name: schema_text(schema) for name, schema in SCHEMA_FILES.items()}
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
    return InitResult(written=tuple(written), kept=tuple(kept))
