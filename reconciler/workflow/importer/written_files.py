"""The files that an import reads and writes beside the inventory."""

from __future__ import annotations

from pathlib import Path

from reconciler.config.environments import CONFIG_FILES
from reconciler.config.files.discovery import SUFFIXES, display_path, path_of_display
from reconciler.config.loader import LoadedConfig, find_specs_file
from reconciler.inventory.files import FileSystem, make_directories, replace_file, resolve
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.workflow.importer.files import variables_in
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.outputs import import_path_error
from reconciler.yamlfile.files import RootDirectory, UnreadableFile
from reconciler.yamlfile.reader import MAX_SIZE_MIB


def referenced_variables(context: Context, loaded: LoadedConfig) -> set[str]:
    """Return the variables that the configuration refers to already."""
    root = context.root
    specs = find_specs_file(root, loaded.settings)
    files = [
        *(path_of_display(name, root) for name in loaded.endpoint_files),
        *(root / name for name in CONFIG_FILES),
    ]
    root_directory = RootDirectory(root)
    texts = (read_text(file, root_directory) for file in ([*files, specs] if specs else files))
    return {name for text in texts if text is not None for name in variables_in(text)}


def read_text(path: Path, root_directory: RootDirectory) -> str | None:
    """Return the text of a file with its line ends; None if it does not exist. Raise InvalidConfig."""
    try:
        return root_directory.read(path, MAX_SIZE_MIB * 2**20, named=True).decode()
    except (UnreadableFile, UnicodeDecodeError) as error:
        if getattr(error, "code", "") == "file-not-found":
            return None
        reason = error.reason if isinstance(error, UnreadableFile) else "it is not UTF-8 text"
        raise InvalidConfig(
            Problem(code="unreadable-file", summary=f"cannot read {path.name}: {reason}")
        ) from error


def write_file(disk: FileSystem, root: Path, path: Path, text: str) -> str:
    """Write a file, and return its path as users see it. Raise InvalidConfig."""
    try:
        make_directories(disk, path.parent)
        target = resolve(path)
        replace_file(disk, target, text.encode())
        disk.sync_directory(target.parent)
    except OSError as error:
        name = display_path(path, root)
        raise InvalidConfig(
            Problem(code="cannot-write", summary=f"cannot write {name}: {error.strerror or error}")
        ) from error
    return display_path(path, root)


def check_output(context: Context, out: Path, example: str, code: str) -> None:
    """Raise InvalidConfig unless a YAML file can be created there that replaces nothing."""
    path = context.root / out
    if path.suffix not in SUFFIXES[:2]:
        what, hint = f"{out} has another suffix than .yaml or .yml", "name a YAML file: --out endpoints.yaml"
    elif path.exists() or path.is_symlink():
        what, hint = f"{out} already exists", f"name a new file: --out {example}"
    elif why := import_path_error(context, path):
        what, hint = f"{out}: {why}", f"name a new file: --out {example}"
    else:
        return
    raise InvalidConfig(Problem(code=code, summary=f"nothing was written: {what}", hint=hint))
