"""The configuration of a run: specs, endpoint files and their settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.config.files.discovery import note_hidden_files
from reconciler.config.loader import LoadedConfig, load
from reconciler.model.errors import InvalidConfig
from reconciler.planning.selection import NONE
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import every_environment

if TYPE_CHECKING:
    from reconciler.workflow.runtime.files.edits import EditedFile


def load_files(
    context: Context,
    *,
    lenient: bool = False,
    needs_endpoints: bool = True,
    is_selected: Callable[[str], bool] = lambda _name: True,
    edited: Iterable[EditedFile] = (),
    is_offline: bool = False,
) -> LoadedConfig:
    """Return the configuration with all its problems. No error is raised.

    lenient: an unset reference is a warning. needs_endpoints: a folder without endpoint files is an error.
    is_selected: selects the endpoints whose errors count. edited: files to read with their new text.
    is_offline: no key is needed, so no secret helper runs for it.
    """
    loaded = load(
        context.root,
        context.files,
        environ=context.environ,
        dotenv=context.dotenv,
        lenient=lenient,
        needs_endpoints=needs_endpoints,
        environment=context.environment_name,
        names=context.names,
        is_selected=is_selected,
        helper_calls=None if is_offline else context.helper_calls,
        on_wait=context.on_wait,
        overrides={file.file.absolute(): file.after for file in edited},
    )
    is_verbose = context.on_call is not None
    if not is_verbose:
        return loaded
    return replace(loaded, problems=(*loaded.problems, *note_hidden_files(loaded.hidden_files)))


def load_for_check(context: Context) -> tuple[LoadedConfig, tuple[str, ...]]:
    """Return the endpoints and the problems of the chosen environment, else of all; and the names of those.

    The default environment counts as not chosen. Unset references are warnings, and no helper runs. The
    settings are those of the first environment.
    """
    from reconciler.config.loader import sort_problems

    contexts = (context,) if context.chosen_environment else every_environment(context)
    names = tuple(one.environment_name for one in contexts if one.environment)
    first, *others = (load_files(one, lenient=True, is_offline=True) for one in contexts)
    if not others:
        return first, names
    loaded = (first, *others)
    files = dict.fromkeys(file for one in loaded for file in one.endpoint_files)
    merged = replace(
        first,
        desired=tuple(desired for one in loaded for desired in one.desired),
        others=tuple(desired for one in loaded for desired in one.others),
        problems=sort_problems([problem for one in loaded for problem in one.problems]),
        endpoint_files=tuple(files),
    )
    return merged, names


def load_config(
    context: Context, *, lenient: bool = False, needs_endpoints: bool = True, is_offline: bool = False
) -> LoadedConfig:
    """Return the configuration of the selected endpoints. Raise InvalidConfig with all errors about them."""
    loaded = load_files(
        context,
        lenient=lenient,
        needs_endpoints=needs_endpoints,
        is_selected=context.selection.has,
        is_offline=is_offline,
    )
    if loaded.errors:
        raise InvalidConfig(*loaded.problems)
    return loaded


def load_declared_names(context: Context) -> LoadedConfig:
    """Return the configuration of a run that creates nothing, so that it needs no references or specs."""
    return load_config(replace(context, selection=NONE), needs_endpoints=False)
