"""`reconciler init`: write the starter files of a new folder. Files of the user are not changed."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from reconciler.config.environments import CONFIG_FILES
from reconciler.config.files.discovery import first_existing
from reconciler.config.schema import NAMES
from reconciler.inventory.files import path_under
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.workflow.editor_schemas import new_schema, schema_file, stale_schemas
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.stores.config import write_inventory_setting

ENDPOINTS: Final = "endpoints.yaml"
SPECS: Final = "specs.yaml"
STARTER_SPEC: Final = "novita-5090-single"
"""The spec of the starter files."""

STARTER_FILES: Final = {
    ENDPOINTS: "endpoints.yaml",
    SPECS: "specs.yaml",
    "config.yaml": "config.yaml",
    ".gitignore": "gitignore",
    "state/.gitignore": "state.gitignore",
    ".reconciler/.gitignore": "reconciler.gitignore",
}
"""File -> its text in the folder `starter`. git obeys the last two also in a repository with a .gitignore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitResult:
    """The files that were written, those that were updated, and those that were not changed.

    All are paths relative to the folder.
    """

    written: tuple[str, ...]
    updated: tuple[str, ...]
    kept: tuple[str, ...]


def init(context: Context, *, from_market: bool = False, names_inventory: bool = False) -> InitResult:
    """Write the starter files and the JSON Schemas. Raise InvalidConfig if a file cannot be written.

    from_market: write the specs of what Novita offers, unless there is a specs.yaml. names_inventory: write
    the inventory of the run into config.yaml.
    """
    folder = files("reconciler.workflow") / "starter"
    texts = {name: (folder / source).read_text(encoding="utf-8") for name, source in STARTER_FILES.items()}
    if from_market and not path_under(context.root, Path(SPECS)).exists():
        texts |= _market_texts(context, texts[ENDPOINTS])
    written: list[str] = []
    kept: list[str] = []
    for name, text in texts.items():
        has_config = name == "config.yaml" and first_existing(context.root, CONFIG_FILES)
        if has_config or not _write(context, name, text, "x"):
            kept.append(name)
        else:
            written.append(name)
    stale = stale_schemas(context)
    changed = write_inventory_setting(context) if names_inventory else ""
    kept = [name for name in kept if name != changed]
    for schema in NAMES:
        name, schema_text = str(schema_file(schema)), new_schema(context, schema)
        if schema_text is None or not _write(context, name, schema_text, "w" if schema in stale else "x"):
            kept.append(name)
        elif schema not in stale:
            written.append(name)
    updated = [str(schema_file(schema)) for schema in stale]
    if changed and changed not in written:
        updated.append(changed)
    return InitResult(written=tuple(written), updated=tuple(updated), kept=tuple(kept))


def _market_texts(context: Context, endpoints: str) -> dict[str, str]:
    """Return specs.yaml from Novita's products, and endpoints.yaml with one of these specs."""
    from reconciler.workflow.market.products import available_products
    from reconciler.workflow.market.specs_file import market_specs, specs_yaml, starter_spec

    specs = market_specs(available_products(context))
    starter = starter_spec(specs)
    if starter is None:
        raise InvalidConfig(
            Problem(
                code="no-products",
                summary="Novita lists no product with a region, so no specs.yaml can be made from it",
                hint="reconciler init   writes an example instead",
            )
        )
    return {
        SPECS: specs_yaml(specs, context.now()),
        ENDPOINTS: endpoints.replace(f"{STARTER_SPEC:<27}", f"{starter.name:<26} ", 1),
    }


def _write(context: Context, name: str, text: str, mode: str) -> bool:
    """Write a file, with mode "x" only if there is none. Return True if it was written."""
    path = path_under(context.root, Path(name))
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {name}: {error.strerror or error}")
        ) from error
    return True
