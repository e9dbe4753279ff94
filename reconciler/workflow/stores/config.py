"""The inventory that config.yaml names, for `reconciler init --state ADDRESS`."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from reconciler.config.environments import CONFIG_FILES, Environments, config_document
from reconciler.config.files.discovery import display_path, first_existing
from reconciler.config.settings import TRUSTED_HOSTS
from reconciler.config.store_hosts import untrusted_addresses
from reconciler.model.command import command_line, shell_quote
from reconciler.model.errors import InvalidConfig
from reconciler.model.inventory_location import is_address
from reconciler.model.problem import Problem
from reconciler.workflow.runtime.context import STATE, Context
from reconciler.workflow.runtime.files.edits import edit_file, write_file
from reconciler.yamlfile.edits import Set


def steps_to_inventory(context: Context) -> Iterator[str]:
    """Yield the commands that are to be run before the inventory of the run is used from config.yaml."""
    state = str(context.state)
    named = Environments(addresses={"state": state} if is_address(state) else {})
    if any(untrusted_addresses(named, context.environ)):
        yield f"export {TRUSTED_HOSTS}={shell_quote(urlsplit(state).hostname or '')}"
    if context.state != STATE and (context.root / STATE).exists():
        yield command_line("reconciler", "state", "copy", str(STATE), state)


def write_inventory_setting(context: Context) -> str:
    """Write the inventory of this run into config.yaml: for its environment, or for runs without one.

    Return the file that was changed, "" if it names this inventory already. Raise InvalidConfig if it names
    another one, and for an inventory outside of the folder, which a file must not name.
    """
    document, path = config_document(context.root), first_existing(context.root, CONFIG_FILES)
    if document is None or path is None:
        raise InvalidConfig(
            Problem(code="no-config", summary="there is no config.yaml", hint="reconciler init")
        )
    if document.problems:
        raise InvalidConfig(*document.problems)
    environment = context.environment_name
    where = ("environments", environment, "state") if environment else ("novita", "state")
    present: object = document.data
    for key in where:
        present = present.get(key) if isinstance(present, dict) else None
    shown = display_path(path, context.root)
    state = str(context.state)
    if present == state:
        return ""
    if present is not None:
        raise InvalidConfig(
            Problem(
                code="other-inventory-named",
                summary=f"nothing was changed: {shown} names another inventory, {present}",
                hint="edit it there; `reconciler state copy FROM TO` moves what the other one records",
                place=document.place(where),
            )
        )
    write_file(edit_file(path, shown, [Set(path=where, value=state)]))
    return shown
