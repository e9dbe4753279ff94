"""Shell completion of commands, endpoints and specs. Errors are ignored while a line is typed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

VARIABLE: Final = "_RECONCILER_COMPLETE"
"""Variable that the script of a shell sets to SHELL_complete; COMP_WORDS contains the line."""

PLAIN: Final = re.compile(r"[\w.@%+=-]+")
"""Names that need no quotes in any shell; other names are not completed."""

Items: TypeAlias = "list[CompletionItem[str]]"


def complete(command: click.Command, question: str) -> int:
    """Print the completions of a line, and return the exit code."""
    from click.shell_completion import shell_complete

    with suppress(Exception):
        return shell_complete(command, {}, "reconciler", VARIABLE, question)
    return 1


def completion_script(command: click.Command, shell: str) -> str:
    """Return the completion script for `bash`, `zsh` or `fish`."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    assert completion is not None
    return completion(command, {}, "reconciler", VARIABLE).source()


def install_script(
    command: click.Command, shell: str, environ: Mapping[str, str]
) -> tuple[Path, Path | None]:
    """Write the completion script of a shell, and let each new shell read it. Raise OSError.

    Return the script, and the start-up file that reads it; fish finds the script by itself. The line that is
    added to the start-up file is not added twice.
    """
    home = Path(environ.get("HOME") or Path.home())
    text = completion_script(command, shell)
    if shell == "fish":
        script = Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "fish/completions/reconciler.fish")
        _write(script, text)
        return script, None
    script = Path(environ.get("XDG_DATA_HOME") or home / ".local/share", f"reconciler/completion.{shell}")
    if shell == "zsh":  # a start-up file without the completion system would fail at `compdef`
        text = f"(( $+functions[compdef] )) || {{ autoload -Uz compinit && compinit }}\n{text}"
    _write(script, text)
    start = Path(environ.get("ZDOTDIR") or home, ".zshrc") if shell == "zsh" else home / ".bashrc"
    quoted = shlex.quote(str(script))
    line = f"[ -r {quoted} ] && . {quoted}"
    found = start.read_text(encoding="utf-8", errors="surrogateescape") if start.exists() else ""
    if line not in found.splitlines():
        with start.open("a", encoding="utf-8") as file:
            file.write(f"{'' if found.endswith(chr(10)) or not found else chr(10)}{line}\n")
    return script, start


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def complete_files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete files."""
    return _items([incomplete], kind="file")


def complete_directories(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete directories."""
    return _items([incomplete], kind="dir")


def complete_endpoints(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete endpoints of the environment, the files and the inventory that the line names."""
    from reconciler.workflow.completion import endpoint_names

    files = [_path(file) for file in (*_before_command(ctx, "files"), *(ctx.params.get("files") or ()))]
    state = _option_value(ctx, "state")
    environment = next(
        iter((*(ctx.params.get("environment") or ()), *_before_command(ctx, "environment"))), ""
    )
    return _with_prefix(
        incomplete,
        lambda: endpoint_names(_root(ctx), files, _path(state) if state else None, environment, os.environ),
    )


def complete_specs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete specs of the folder that the line names."""
    from reconciler.workflow.completion import spec_names

    return _with_prefix(incomplete, lambda: spec_names(_root(ctx), os.environ))


def complete_environments(ctx: click.Context, _param: click.Parameter, incomplete: str) -> Items:
    """Complete environments of the folder that the line names."""
    from reconciler.config.environments import read_environments

    return _with_prefix(incomplete, lambda: read_environments(_root(ctx)).by_name)


def complete_commands(known: Iterable[tuple[str, str]], incomplete: str) -> Items:
    """Complete commands, with their descriptions, without importing them."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(name, help=text) for name, text in known if name.startswith(incomplete)]


def _with_prefix(incomplete: str, names: Callable[[], Iterable[str]]) -> Items:
    """Return the names with this prefix, each once, up to the first error."""
    matches: list[str] = []
    with suppress(Exception):
        for name in names():
            if name.startswith(incomplete) and PLAIN.fullmatch(name) and name not in matches:
                matches.append(name)
    return _items(matches)


def _items(values: Iterable[str], kind: str = "plain") -> Items:
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, type=kind) for value in values]


def _root(ctx: click.Context) -> Path:
    return _path(_option_value(ctx, "directory") or ".")


def _path(typed: str | Path) -> Path:
    """Return a path as the shell passes it, with `~` expanded."""
    return Path(typed).expanduser()


def _option_value(ctx: click.Context, name: str) -> Any:
    return ctx.params.get(name) or _before_command(ctx, name)


def _before_command(ctx: click.Context, name: str) -> Any:
    """Return the value of a shared option before the command."""
    return ctx.find_root().params.get(name) or ()
