"""The options that every command shares, before or after its name, and the run that they describe."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reconciler.cli.argument_encoding import check_environment, check_folder
from reconciler.cli.shell_completion import a_directory, a_file, an_endpoint

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.workflow.runtime.context import Context

F = TypeVar("F", bound=Callable[..., Any])


def seconds(text: str) -> float:
    """A time to wait: a number of seconds, or one with its unit as Terraform spells it (60s, 5m)."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([sm]?)", text)
    if found is None:
        raise click.BadParameter(f"'{text}' is no time to wait; write 60, 60s or 5m")
    return float(found[1]) * (60 if found[2] == "m" else 1)


_OPTIONS = (
    click.option(
        "-C", "directory", metavar="DIR", shell_complete=a_directory, help="Work in DIR, as make does."
    ),
    click.option(
        "-f",
        "files",
        metavar="FILE|DIR",
        multiple=True,
        shell_complete=a_file,
        help="Read endpoints from here; later ones override.",
    ),
    click.option(
        "--state",
        metavar="PATH",
        shell_complete=a_file,
        help="The inventory.  [default: state/novita.json]",
    ),
    click.option(
        "--env-file",
        "env_sources",
        metavar="FILE",
        multiple=True,
        shell_complete=a_file,
        help="A .env file for ${env:NAME}; what is set wins.",
    ),
    click.option(
        "--target",
        "targets",
        metavar="GLOB",
        multiple=True,
        shell_complete=an_endpoint,
        help="Only these endpoints.",
    ),
    click.option(
        "--exclude",
        "excludes",
        metavar="GLOB",
        multiple=True,
        shell_complete=an_endpoint,
        help="All but these endpoints.",
    ),
    click.option("--json", "as_json", is_flag=True, default=None, help="One JSON document on stdout."),
    click.option(
        "--no-color", "no_color", is_flag=True, default=None, help="No colour. NO_COLOR does the same."
    ),
    click.option("-v", "--verbose", "verbose", is_flag=True, default=None, help="Tell every call on stderr."),
)
_NAMES = (
    "directory",
    "files",
    "state",
    "env_sources",
    "targets",
    "excludes",
    "as_json",
    "no_color",
    "verbose",
)


output_option = click.option(
    "--output",
    type=click.Choice(["name", "wide"]),
    help="Names alone, or all columns.",
)
auto_approve: Final = click.option("--auto-approve", "--yes", "approved", is_flag=True, help="Do not ask.")
adopt: Final = click.option(
    "--adopt", is_flag=True, help="Take over endpoints of declared names that differ."
)
allow_delete: Final = click.option(
    "--allow-delete", type=click.IntRange(min=0), metavar="N", help="Agree to N deletes and replaces."
)
no_delete: Final = click.option("--no-delete", is_flag=True, help="Leave out whatever deletes.")
create_first: Final = click.option(
    "--create-first", is_flag=True, help="Replace by creating first, where the appName differs."
)
other_account: Final = click.option(
    "--allow-other-account",
    "other_account",
    is_flag=True,
    help="Write an inventory that seems to be another account's.",
)
other_files: Final = click.option(
    "--allow-other-files",
    "other_files",
    is_flag=True,
    help="Write an inventory that other files wrote.",
)
_adopted: Final = click.option(
    "--allow-adopted", "adopted", is_flag=True, help="Delete or replace what was only adopted by its name."
)
parallelism: Final = click.option(
    "--parallelism",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Calls at once.",
)
lock_timeout: Final = click.option(
    "--lock-timeout", type=seconds, default="0", metavar="SECONDS", help="Wait for the lock (60, 60s, 5m)."
)
wait: Final = click.option(
    "--wait",
    type=seconds,
    is_flag=False,
    flag_value="30m",
    metavar="[DURATION]",
    help="Wait until it serves (90, 90s, 10m; 30m if not said).",
)


def guard_options(command: F) -> F:
    """Give a command the flags that agree to what a guard asks about; named as in `Allowances`."""
    return other_files(other_account(_adopted(command)))


def shared_options(command: F) -> F:
    """Give a command the shared options as keyword arguments."""
    return functools.reduce(lambda found, option: option(found), reversed(_OPTIONS), command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One call of the command line: where it works, what it may touch, and how it speaks."""

    context: Context
    out: Output


def with_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass a `Run` made of the shared options, those before the command included, as first argument."""

    @shared_options
    @click.pass_context
    @functools.wraps(command)
    def wrapped(ctx: click.Context, /, **arguments: Any) -> Any:
        own = {name: arguments.pop(name, None) for name in _NAMES}
        ctx.obj = _merged(ctx.obj or {}, own)  # which the commands of a group inherit
        return command(_run(ctx, ctx.obj), **arguments)

    return wrapped


def variables_of(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """What `.env` files say, by their paths relative to `root`.

    Raises UsageError for one that cannot be read, and InvalidConfig for lines that say nothing.
    """
    if not files:
        return {}
    from reconciler.config.files.env_files import variables
    from reconciler.yamlfile.root_check import Unreadable

    try:
        return variables(root, files)
    except Unreadable as error:
        names = ", ".join(map(str, files))
        raise click.UsageError(f"--env-file {names}: {error.why}; {error.way_out}") from error


def _merged(before: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in own.items():
        if isinstance(value, tuple):
            merged[name] = (*merged.get(name, ()), *value)
        elif value is not None:
            merged[name] = value
    return merged


def _run(ctx: click.Context, given: dict[str, Any]) -> Run:
    from reconciler.cli.output import Output
    from reconciler.cli.signals import heard_at_once
    from reconciler.model.command import shared_options_in_hints
    from reconciler.planning.selection import Selection
    from reconciler.workflow.runtime.context import STATE, Context

    check_environment(os.environ)
    root = Path(given.get("directory") or ".")
    if not root.is_dir():
        raise click.UsageError(f"-C {root}: no such directory", ctx)
    check_folder(root)
    ctx.with_resource(heard_at_once())
    out = Output(as_json=bool(given.get("as_json")), no_color=bool(given.get("no_color")))
    ctx.call_on_close(out.close)
    env_files = tuple(Path(file) for file in given.get("env_sources", ()))
    context = Context(
        root=root,
        environ=os.environ,
        dotenv=variables_of(root, env_files),
        env_files=env_files,
        files=tuple(Path(file) for file in given.get("files", ())),
        state=Path(given["state"]) if given.get("state") else STATE,
        explicit_options=frozenset(name for name in ("directory", "files", "state") if given.get(name)),
        selection=Selection(
            targets=tuple(given.get("targets", ())), excludes=tuple(given.get("excludes", ()))
        ),
        command=ctx.command_path,
        on_call=out.call if given.get("verbose") else None,
        on_unread=out.unread if given.get("verbose") else None,
        on_listed=out.listed if out.is_watched else None,
    )
    ctx.with_resource(shared_options_in_hints(context.options))
    if "state" in context.explicit_options:
        _check_inventory(context)
    return Run(context=context, out=out)


def _check_inventory(context: Context) -> None:
    """Raises InvalidConfig when --state names what is read for something else."""
    from reconciler.model.errors import InvalidConfig
    from reconciler.workflow.runtime.outputs import state_path_problem

    if (problem := state_path_problem(context)) is not None:
        raise InvalidConfig(problem)
