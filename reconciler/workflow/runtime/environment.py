"""The environment of a run: one of those that config.yaml declares. Imports little, for an early listing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.environments import Environments, read_environments
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig, ReconcilerError
from reconciler.model.inventory_location import parse_location
from reconciler.model.problem import Problem

if TYPE_CHECKING:
    from reconciler.model.settings import Environment
    from reconciler.workflow.runtime.context import Context

VARIABLE: Final = "RECONCILER_ENV"
"""Variable with the name of the environment of commands without `-e`."""

STATE_VARIABLE: Final = "RECONCILER_STATE"
"""Variable with the inventory of commands without `--state`."""


def in_environment(context: Context, *, is_needed: bool = True, arguments: Sequence[str] = ()) -> Context:
    """Return the context in the environment that the user chose, else in the default one.

    Options of the user take precedence over the files and the inventory of the environment. Variables of the
    `.env` files of config.yaml are added. is_needed: raise an error if config.yaml declares environments and
    none is chosen; otherwise a variable that names an unknown one is ignored. arguments: those of the command
    line, for a hint. Raise InvalidConfig for an unknown environment, and for errors in its settings.
    """
    environments, context = _environments(context), _with_state_variable(context)
    if is_needed and environments.syntax_errors:
        raise InvalidConfig(*environments.syntax_errors)
    name = context.chosen_environment
    if not is_needed and name not in environments.by_name and name == context.environ.get(VARIABLE):
        name = ""
    environment = _named(context, environments, name) or environments.default
    if environment is None and environments.by_name and is_needed:
        raise InvalidConfig(_none_chosen(environments, arguments or context.command.split()[1:]))
    return _with(context, environments, environment)


def in_recorded_environment(context: Context, name: str) -> Context:
    """Return the context in the environment that a saved plan was made in; "" means none."""
    environments, context = _environments(context), _with_state_variable(context)
    return _with(context, environments, _named(context, environments, name))


def every_environment(context: Context, *, has_variables: bool = True) -> tuple[Context, ...]:
    """Return one context for each environment of config.yaml; the context itself if it declares none.

    has_variables: read the `.env` files. Raise InvalidConfig for errors in them.
    """
    environments = _environments(context)
    chosen = environments.by_name.values() or (None,)
    if not has_variables:
        return tuple(_with_paths(context, environments, environment) for environment in chosen)
    return tuple(_with(context, environments, environment) for environment in chosen)


def owners_by_id(context: Context, *, files: bool = True, addresses: bool = True) -> Mapping[str, str]:
    """Return the environment of each endpoint that an inventory of another environment records, by ID.

    The inventory of the run itself is none of them. One that cannot be read is left out: it stops the runs
    of its own environment. files, addresses: which inventories are read; an address may take a connection.
    """
    from reconciler.inventory.session import load
    from reconciler.inventory.stores.address import store_identity

    if context.environment is None:
        return {}
    owners: dict[str, str] = {}
    own = store_identity(context.store)
    for other in every_environment(replace(context, explicit_options=frozenset()), has_variables=False):
        if other.environment_name == context.environment_name:
            continue
        if not (addresses if isinstance(other.state, str) else files):
            continue
        with suppress(ReconcilerError):
            if store_identity(other.store) != own:
                owners |= dict.fromkeys(
                    (record.id for record in load(other.store).every_record()), other.environment_name
                )
    return owners


def neighbors_by_id(context: Context) -> Mapping[str, str]:
    """Return the label of the other inventory that records a resource, by the ID of the resource.

    An inventory that cannot be read is left out: it stops the runs of its own.
    """
    from reconciler.inventory.session import load

    owners: dict[str, str] = {}
    for label, store in context.store.neighbors().items():
        with suppress(ReconcilerError):
            owners |= dict.fromkeys((record.id for record in load(store).every_record()), label)
    return owners


def name_in_account(context: Context, name: str) -> str:
    """Return the name in the account of an endpoint that the user called by its declared or its full name.

    A resource of another kind has its address in place of its name.

    Raise InventoryError if the inventory cannot be read.
    """
    from reconciler.config.endpoint_files import read_endpoint_files
    from reconciler.config.files.discovery import file_groups
    from reconciler.inventory.session import load
    from reconciler.kinds.registry import split_address
    from reconciler.model.resource import key_of

    kind, bare = split_address(name)
    full = key_of(context.names.rendered(bare), kind)
    records = {record.key: record for record in load(context.store).every_record()}
    if name in records or full == name:
        return name
    if full in records:
        return full
    files = read_endpoint_files(context.root, file_groups(context.root, context.files))
    return full if name in files.items or (kind, bare) in files.others else name


def _environments(context: Context) -> Environments:
    environments = read_environments(context.root)
    problems = environments.problems
    if environments.addresses:
        from reconciler.config.store_hosts import untrusted_addresses

        problems = (*problems, *untrusted_addresses(environments, context.environ))
    if problems:
        raise InvalidConfig(*problems)
    return environments


def _with_state_variable(context: Context) -> Context:
    """Return the context with the inventory that the variable names, unless an option names one."""
    state = context.environ.get(STATE_VARIABLE, "").strip()
    if not state or "state" in context.explicit_options:
        return context
    return replace(
        context, state=parse_location(state), explicit_options=context.explicit_options | {"state"}
    )


def _named(context: Context, environments: Environments, name: str) -> Environment | None:
    """Return the environment of that name; None if the name is empty."""
    if name and name not in environments.by_name:
        raise InvalidConfig(_unknown(environments, name, is_variable=name == context.environ.get(VARIABLE)))
    return environments.by_name.get(name)


def _with(context: Context, environments: Environments, environment: Environment | None) -> Context:
    """Return the context with the files, the inventory and the variables of the environment."""
    env_files = (*environments.env_files, *(environment.env_files if environment else ()))
    if env_files:
        existing = [file for file in env_files if os.path.lexists(context.root / file)]
        context = replace(
            context,
            dotenv={**_variables(context.root, existing), **context.option_variables},
            missing_env_files=tuple(file for file in env_files if file not in existing),
        )
    return _with_paths(context, environments, environment)


def _with_paths(context: Context, environments: Environments, environment: Environment | None) -> Context:
    """Return the context with the files and the inventory of the environment, or those without any."""
    if environment is None:
        state = environments.state
        if state is None:
            return context
        is_explicit = "state" in context.explicit_options
        return replace(context, declared_state=state, state=context.state if is_explicit else state)
    return replace(
        context,
        environment=environment,
        files=context.files if "files" in context.explicit_options else environment.files,
        state=context.state if "state" in context.explicit_options else environment.state,
        selection=replace(context.selection, declared_names=environment.names),
    )


def _variables(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """Return the variables of `.env` files. Raise InvalidConfig for one that cannot be read or is invalid."""
    from reconciler.config.files.env_files import read_env_files
    from reconciler.yamlfile.files import UnreadableFile

    try:
        return read_env_files(root, files)
    except UnreadableFile as error:
        names = ", ".join(map(str, files))
        raise InvalidConfig(
            Problem(code=error.code, summary=f"`env_file` {names}: {error.reason}", hint=error.hint)
        ) from error


def _unknown(environments: Environments, name: str, *, is_variable: bool) -> Problem:
    from reconciler.model.text import closest_match

    known = list(environments.by_name)
    close = closest_match(name, known)
    suggestion = f"did you mean `{close}`? " if close else ""
    return Problem(
        code="unknown-environment",
        summary=f"{environments.file} declares no environment `{name}`"
        + (f", which {VARIABLE} names" if is_variable else ""),
        hint=f"{suggestion}Known environments: {', '.join(known)}"
        if known
        else "declare it below `environments:`, or check -C DIR",
    )


def _none_chosen(environments: Environments, arguments: Sequence[str]) -> Problem:
    # A text with `=` may be a variable with its value, which may be a secret.
    shown = (*takewhile(lambda word: not word.startswith("-") and "=" not in word, arguments), "...")
    words = shown if any("=" in word for word in arguments) else arguments
    commands = (command_line("reconciler", "-e", name, *words) for name in environments.by_name)
    return Problem(
        code="no-environment",
        summary=f"no environment is chosen; {environments.file} declares {', '.join(environments.by_name)}",
        hint="\n".join(
            (*commands, f"or set {VARIABLE}, or write `default: true` for one of them in {environments.file}")
        ),
    )
