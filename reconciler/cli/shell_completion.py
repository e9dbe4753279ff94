"""What the Tab key finds: commands, and names from the files at hand. Silent, whatever is wrong with them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

VARIABLE: Final = "_RECONCILER_COMPLETE"
"""How the script of a shell asks: set to SHELL_complete, with the line in COMP_WORDS."""

PLAIN: Final = re.compile(r"[\w.@%+=-]+")
"""What no shell splits, expands or wants quoted, each in its own way. Other names have to be typed."""

Found: TypeAlias = "list[CompletionItem[str]]"


def answer(command: click.Command, question: str) -> int:
    """Print what completes the line, and return the exit code. A line being typed is no place for errors."""
    from click.shell_completion import shell_complete

    with suppress(Exception):
        return shell_complete(command, {}, "reconciler", VARIABLE, question)
    return 1


def script(command: click.Command, shell: str) -> str:
    """What `bash`, `zsh` or `fish` has to read."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    return found(command, {}, "reconciler", VARIABLE).source()


def complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Found:
    """The shell's own completion of files."""
    return _items([incomplete], kind="file")


def complete_directories(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Found:
    """The shell's own completion of directories."""
    return _items([incomplete], kind="dir")


def complete_endpoints(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Found:
    """Endpoints of the files and the inventory that this line is about."""
    from reconciler.workflow.completion import endpoint_names
    from reconciler.workflow.runtime.context import STATE

    files = [_path(file) for file in (*_before(ctx, "files"), *(ctx.params.get("files") or ()))]
    state = _path(_given(ctx, "state") or STATE)
    return _beginning(incomplete, lambda: endpoint_names(_root(ctx), files, state))


def complete_specs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Found:
    """Specs of the folder that this line is about."""
    from reconciler.workflow.completion import spec_names

    return _beginning(incomplete, lambda: spec_names(_root(ctx), os.environ))


def commands(known: Iterable[tuple[str, str]], incomplete: str) -> Found:
    """Commands with their help, of which none needs to be imported."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=text) for name, text in known if name.startswith(incomplete)]


def _beginning(incomplete: str, names: Callable[[], Iterable[str]]) -> Found:
    """Those of the names that could be read, each once."""
    found: list[str] = []
    with suppress(Exception):
        for name in names():
            if name.startswith(incomplete) and PLAIN.fullmatch(name) and name not in found:
                found.append(name)
    return _items(found)


def _items(values: Iterable[str], kind: str = "plain") -> Found:
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, type=kind) for value in values]


def _root(ctx: click.Context) -> Path:
    return _path(_given(ctx, "directory") or ".")


def _path(typed: str | Path) -> Path:
    """A path as the shell would hand it over once the line is entered."""
    return Path(typed).expanduser()


def _given(ctx: click.Context, name: str) -> Any:
    return ctx.params.get(name) or _before(ctx, name)


def _before(ctx: click.Context, name: str) -> Any:
    """A shared option that stands before the command."""
    return ctx.find_root().params.get(name) or ()
