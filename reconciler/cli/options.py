"""Options that several commands take, and the `Run` that the shared options describe."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from reconciler.cli.argument_encoding import check_environment, check_folder
from reconciler.cli.shared_options import (
    SECTIONS,
    WITHOUT_ENVIRONMENT,
    SharedOption,
    chosen_environments,
    shared_options,
)
from reconciler.model.inventory_location import parse_location
from reconciler.model.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.workflow.runtime.context import Context

F = TypeVar("F", bound=Callable[..., Any])


def duration_seconds(text: str) -> float:
    """Return the seconds of a duration: a number of seconds, or a number with a unit (60s, 5m)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([sm]?)", text)
    if match is None:
        raise click.BadParameter(f"'{text}' is not a valid duration; use 60, 60s or 5m")
    return float(match[1]) * (60 if match[2] == "m" else 1)


ARGUMENTS: Final = "reconciler.arguments"
"""Key of the arguments of the process in `click.Context.meta`."""


class ReportOption(click.Option):
    """An option about the reports of a run."""

    section: Final = SECTIONS[1]


SHARED_HINT: Final = "Shared options (-C, -e, -f, --target, --json, ...): reconciler help options"


class Command(click.Command):
    """A command whose help has its own options and examples, and refers to the page of the shared options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_options(self, ctx, formatter, SECTIONS[:2])
        if any(isinstance(parameter, SharedOption) for parameter in self.params):
            formatter.write(f"\n{SHARED_HINT}\n")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from reconciler.cli.examples import examples_of

        if lines := examples_of(ctx.command_path):
            with formatter.section("Examples"):
                for line in lines:
                    formatter.write(f"{' ' * formatter.current_indent}{line}\n")
        super().format_epilog(ctx, formatter)


def write_options(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter, titles: Sequence[str]
) -> None:
    """Write the sections of options with these titles."""
    sections: dict[str, list[tuple[str, str]]] = {name: [] for name in SECTIONS}
    for parameter in command.get_params(ctx):
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)):
            sections[getattr(parameter, "section", SECTIONS[0])].append(record)
    for title in titles:
        if sections[title]:
            with formatter.section(title):
                formatter.write_dl(sections[title])


class Group(Command, click.Group):
    """A command with subcommands."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


output_option: Final = click.option(
    "--output",
    type=click.Choice(["name", "wide"]),
    help="Output format: names only, or all columns.",
)
auto_approve: Final = click.option(
    "--auto-approve", "--yes", "approved", is_flag=True, help="Skip interactive approval of the plan."
)
adopt: Final = click.option(
    "--adopt",
    is_flag=True,
    help="Take over live endpoints that have a declared name but differ from the configuration.",
)
allow_delete: Final = click.option(
    "--allow-delete",
    type=click.IntRange(min=0),
    metavar="N",
    help="Allow the plan to delete or replace exactly N endpoints.",
)
allow_storage_delete: Final = click.option(
    "--allow-storage-delete",
    "storage_deletes",
    metavar="NAME",
    multiple=True,
    help="Allow the plan to delete this network storage with all its data.",
)
no_delete: Final = click.option("--no-delete", is_flag=True, help="Skip changes that delete an endpoint.")
create_first: Final = click.option(
    "--create-first",
    is_flag=True,
    help="Replace an endpoint by creating the new one before the old one is deleted, if its appName changes.",
)
other_account: Final = click.option(
    "--allow-other-account",
    "other_account",
    is_flag=True,
    help="Allow writing to an inventory that belongs to another account.",
)
other_files: Final = click.option(
    "--allow-other-files",
    "other_files",
    is_flag=True,
    help="Allow writing to an inventory that was written from other files.",
)
_adopted: Final = click.option(
    "--allow-adopted",
    "adopted",
    is_flag=True,
    help="Allow deleting or replacing endpoints that were only adopted by name.",
)
parallelism: Final = click.option(
    "--parallelism",
    type=click.IntRange(min=1),
    default=10,
    metavar="N",
    help="Limit the number of concurrent API calls. (default: 10)",
)
check_images: Final = click.option(
    "--check-images",
    is_flag=True,
    help="Ask the registries whether tags with a digest have moved, for at most 5 s.",
)
lock_timeout: Final = click.option(
    "--lock-timeout",
    type=duration_seconds,
    default="0",
    metavar="DURATION",
    help="Wait this long for the inventory lock, such as 60s or 5m. (default: 0s)",
)
WAIT_TEXT: Final = "30m"
wait: Final = click.option(
    "--wait",
    type=duration_seconds,
    is_flag=False,
    flag_value=WAIT_TEXT,
    metavar="[DURATION]",
    help="Wait until the endpoints serve requests, for at most this long, such as 90s or 10m. (default: 30m)",
)

prewarm_timeout: Final = click.option(
    "--prewarm-timeout",
    type=duration_seconds,
    metavar="DURATION",
    help="Wait at most this long until images that are warmed first are warm, such as 90s or 15m;"
    " 0 does not wait. (default: prewarm_timeout of config.yaml, 10m)",
)
probe: Final = click.option(
    "--probe",
    is_flag=True,
    help="Send the declared probe of each changed endpoint once it serves. Implies --wait.",
)
rollback_on_failure: Final = click.option(
    "--rollback-on-failure",
    "rollback",
    is_flag=True,
    help="Roll back each endpoint that does not serve or fails its probe, to the version applied before."
    " The plan names the versions. Implies --wait.",
)
DEFAULT_WAIT: Final = duration_seconds(WAIT_TEXT)
"""Seconds."""


over_budget: Final = click.option(
    "--allow-over-budget",
    "over_budget",
    is_flag=True,
    help="Allow a plan that raises the cost beyond the budget of config.yaml, or by an unknown amount.",
)


def guard_options(command: F) -> F:
    """Add the flags that override a guard; their names are those of the fields of `Allowances`."""
    return other_files(other_account(_adopted(over_budget(command))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a command: its context and its output."""

    context: Context
    out: Output

    def list_early(self, context: Context, **options: bool) -> Context:
        """Return the context with a listing of the account that begins now; it ends with the command.

        Call it before the modules of the workflow are imported: they load while the server answers. The
        options are those of `early_listing`.
        """
        from reconciler.cli.early_start import begun_listing

        return click.get_current_context().with_resource(begun_listing(context, **options))


def with_run(command: Callable[..., Any]) -> Callable[..., Any]:
    """Pass a `Run` as first argument, made of the shared options before and after the command name."""

    @shared_options
    @click.pass_context
    @functools.wraps(command)
    def wrapped(ctx: click.Context, /, **arguments: Any) -> Any:
        names = [option.name for option in ctx.command.params if isinstance(option, SharedOption)]
        given = {name: arguments.pop(name) for name in names if name is not None}
        ctx.obj = _merged(ctx.obj or {}, given)  # the subcommands of a group inherit it
        run = _run(ctx, ctx.obj)
        if run.context.names.changes_names and not _needs_no_environment(ctx):
            _render_names(run.context, arguments)
        return command(run, **arguments)

    return wrapped


def variables_of(root: Path, files: Sequence[Path]) -> dict[str, str]:
    """Return the variables of `.env` files, whose paths are relative to `root`.

    Raises UsageError for a file that cannot be read, and InvalidConfig for an invalid line.
    """
    if not files:
        return {}
    from reconciler.config.files.env_files import read_env_files
    from reconciler.yamlfile.files import UnreadableFile

    try:
        return read_env_files(root, files)
    except UnreadableFile as error:
        names = ", ".join(map(str, files))
        raise click.UsageError(f"--env-file {names}: {error.reason}; {error.hint}") from error


def _merged(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in after.items():
        if isinstance(value, tuple):
            merged[name] = (*merged.get(name, ()), *value)
        elif value is not None:
            merged[name] = value
    return merged


def _run(ctx: click.Context, given: dict[str, Any]) -> Run:
    from reconciler.cli.output import Output
    from reconciler.cli.signals import immediate_signals
    from reconciler.model.command import shared_options_in_hints
    from reconciler.planning.selection import Selection
    from reconciler.workflow.runtime.context import STATE, Context
    from reconciler.workflow.runtime.environment import VARIABLE, in_environment

    check_environment(os.environ)
    chosen = chosen_environments(ctx, given)
    root = Path(given.get("directory") or ".")
    if not root.is_dir():
        raise click.UsageError(f"-C {root}: no such directory", ctx)
    check_folder(root)
    ctx.with_resource(immediate_signals())
    out = Output(
        as_json=bool(given.get("as_json")),
        no_color=bool(given.get("no_color")),
        is_verbose=bool(given.get("verbose")),
    )
    ctx.call_on_close(out.close)
    env_files = tuple(Path(file) for file in given.get("env_sources", ()))
    variables = variables_of(root, env_files)
    context = Context(
        root=root,
        environ=os.environ,
        dotenv=variables,
        option_variables=variables,
        env_files=env_files,
        files=tuple(Path(file) for file in given.get("files", ())),
        state=parse_location(given["state"]) if given.get("state") else STATE,
        chosen_environment="".join(chosen[:1]) or os.environ.get(VARIABLE, "").strip(),
        explicit_options=frozenset(name for name in ("directory", "files", "state") if given.get(name)),
        selection=Selection(
            targets=tuple(given.get("targets", ())), excludes=tuple(given.get("excludes", ()))
        ),
        command=ctx.command_path,
        on_wait=lambda text: out.tell(f"{text}\n"),
        on_call=out.log_call if given.get("verbose") else None,
        on_unread=out.unreadable_fields if given.get("verbose") else None,
        on_listed=out.listing_progress if out.shows_progress else None,
    )
    # A subcommand has options of its own. A saved plan and a git repository have environments of their own.
    has_others = any(map(ctx.params.get, ("plan_file", "git_url")))
    if ctx.invoked_subcommand is None and not has_others:
        context = in_environment(
            context,
            is_needed=not (_needs_no_environment(ctx) or ctx.params.get("all_environments")),
            arguments=ctx.meta.get(ARGUMENTS, ()),
        )
    ctx.with_resource(shared_options_in_hints(context.options))
    if "state" in context.explicit_options:
        _check_inventory(context)
    return Run(context=context, out=out)


def _needs_no_environment(ctx: click.Context) -> bool:
    return ctx.command_path.split()[1] in WITHOUT_ENVIRONMENT


def _render_names(context: Context, arguments: dict[str, Any]) -> None:
    """Replace declared names among the operands NAME by the names in the account."""
    from reconciler.workflow.runtime.environment import name_in_account

    if isinstance(name := arguments.get("name"), str):
        arguments["name"] = name_in_account(context, name)
    for key in ("names", "replaced"):
        if isinstance(names := arguments.get(key), tuple):
            arguments[key] = tuple(name_in_account(context, name) for name in names)


def _check_inventory(context: Context) -> None:
    """Raise InvalidConfig if --state names a file that is read as something else."""
    from reconciler.model.errors import InvalidConfig
    from reconciler.workflow.runtime.outputs import state_path_problem

    if (problem := state_path_problem(context)) is not None:
        raise InvalidConfig(problem)
