"""The command `reconciler convert`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.cli.shell_completion import complete_files, complete_specs
from reconciler.model.command import Operand, command_line, shared_options_in_hints
from reconciler.model.problem import ExitCode, Severity
from reconciler.model.text import quantity

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.convert.notes import Note
    from reconciler.workflow.converter.convert import ConvertResult
    from reconciler.workflow.runtime.context import Context

FORMATS: Final = ("waverless", "novita", "docker-compose", "runpod-flash", "dstack", "skypilot")
MAX_NOTES: Final = 1_000
"""Notes that are printed as text."""
MAX_NAMES: Final = 8
"""Variables without a value that the next steps name."""


@click.command(cls=Command)
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, shell_complete=complete_files)
@click.option(
    "--from",
    "format_name",
    type=click.Choice(FORMATS),
    help="Format of the files. By default it is recognized.",
)
@click.option("--out", metavar="FILE", help="Write the endpoints to this file, which must not exist.")
@click.option(
    "--specs-out",
    metavar="FILE",
    help="Append new GPU specs to this file. (default: specs.yaml of the folder)",
)
@click.option(
    "--env-out",
    metavar="FILE",
    help="Write the values of variables to this file, for --env-file. Git must ignore the file.",
)
@click.option(
    "--literal-env",
    "literal",
    metavar="GLOB",
    multiple=True,
    help="Write the values of these variables into the YAML, such as 'MODEL_*'. Others become references.",
)
@click.option(
    "--spec",
    metavar="NAME",
    shell_complete=complete_specs,
    help="Use this spec for endpoints whose GPU is that of no spec.",
)
@with_run
def convert(
    run: Run,
    sources: tuple[str, ...],
    format_name: str | None,
    out: str | None,
    specs_out: str | None,
    env_out: str | None,
    literal: tuple[str, ...],
    spec: str | None,
) -> int:
    """Convert files of other tools to YAML, and say what was left out.

    FILE is a Waverless export, a body or a listing of Novita's API, a docker-compose file, Python code with
    endpoints of RunPod Flash, or a service of dstack or SkyPilot; - reads stdin. Without --out, the YAML is
    printed, and nothing is written. Notes about fields without an equal are written to stderr.
    """
    from reconciler.workflow.converter.convert import Options
    from reconciler.workflow.converter.convert import convert as convert_files

    if out is None and (specs_out or env_out):
        raise click.UsageError("--specs-out and --env-out need --out FILE")
    options = Options(
        format_name=format_name or "",
        out=Path(out) if out else None,
        specs_out=Path(specs_out) if specs_out else None,
        env_out=Path(env_out) if env_out else None,
        literal=literal,
        spec=spec or "",
    )
    result = convert_files(run.context, sources, options, _stdin)
    if run.out.as_json:
        run.out.document(_document(result))
    else:
        _show(run.out, run.context, result)
    return ExitCode.OK


def _stdin(most: int) -> bytes:
    return sys.stdin.buffer.read(most)


def _document(result: ConvertResult) -> dict[str, object]:
    from reconciler.kinds.registry import KINDS
    from reconciler.workflow.converter.convert import as_data

    conversion = result.conversion
    return {
        "format_version": "1.0",
        "documents": [
            {"file": one.file, "line": one.line, "format": one.format.name} for one in result.documents
        ],
        **{KINDS[kind].section: list(items) for kind, items in conversion.items.items()},
        "specs": as_data(conversion.specs),
        "placeholders": list(conversion.placeholders),
        "variables": [
            {"name": one.name, "endpoints": list(one.endpoints), "has_value": bool(one.value)}
            for one in conversion.variables
        ],
        "notes": [note.to_dict() for note in result.notes],
        "written": list(result.written),
        "env_file": result.values or None,
        "exit_code": 0,
    }


def _show(out: Output, context: Context, result: ConvertResult) -> None:
    from reconciler.reports.terminal.escape import plain

    for one in result.documents:
        line = f":{one.line}" if one.line > 1 else ""
        out.tell(f"{plain(one.file)}{line} is read as {one.format.name}.\n")
    _show_notes(out, result.notes)
    if not result.written:
        out.result("---\n".join(result.texts.values()))
        return
    for name in (*result.written, *([result.values] if result.values else [])):
        out.result(f"  {out.style.added('+')} {plain(name)}\n")
    out.result(f"\nDeclared: {_resources(result)}. Nothing was changed in the account.\n\nNext:\n")
    for step in _next(context, result):
        out.result(f"  {step}\n")


def _resources(result: ConvertResult) -> str:
    """Return how many resources of each kind are declared, in words."""
    from reconciler.kinds.registry import KINDS

    counts = {KINDS[kind].noun: len(items) for kind, items in result.conversion.items.items() if items}
    counts |= {"spec": len(result.conversion.specs)} if result.conversion.specs else {}
    return ", ".join(quantity(count, noun) for noun, count in counts.items())


def _show_notes(out: Output, notes: tuple[Note, ...]) -> None:
    from reconciler.convert.notes import Outcome
    from reconciler.reports.terminal.escape import plain

    style = out.error_style
    colour = {Severity.ERROR: style.error, Severity.WARNING: style.changed, Severity.NOTE: style.dim}
    for note in notes[:MAX_NOTES]:
        where = f"{plain(str(note.place))}: {plain(note.field)}: "
        out.tell(f"{where}{colour[note.severity](note.outcome.value)}: {plain(note.reason)}\n")
    if len(notes) > MAX_NOTES:
        out.tell(f"{len(notes) - MAX_NOTES:,} more notes are not listed; --json has all of them.\n")
    if notes:
        left = sum(note.outcome == Outcome.LEFT_OUT for note in notes)
        out.tell(f"{quantity(left, 'field')} left out, {len(notes) - left} changed.\n\n")


def _next(context: Context, result: ConvertResult) -> list[str]:
    """Return the commands that come next, with the files that they need."""
    values = result.values or (str(Path(result.example).with_name(".env")) if result.example else "")
    files = () if result.files == context.files else tuple(map(str, result.files))
    options = context.options
    checked = replace(options, files=files or options.files)
    planned = replace(checked, env_files=(*options.env_files, values)) if values else checked
    with shared_options_in_hints(checked):
        steps = [command_line("reconciler", "validate")]
    if result.conversion.placeholders:
        steps.append(
            f"{command_line('reconciler', 'specs', '--available')}   # choose products for new specs"
        )
    if result.example and not result.values:
        copy = command_line("cp", Operand(result.example), Operand(values))
        steps.append(f"{copy}   # then fill in the values; do not commit this file")
    unset = [one.name for one in result.conversion.variables if not one.value]
    if result.values and unset:
        more = f", and {len(unset) - MAX_NAMES} more of {result.example}" if len(unset) > MAX_NAMES else ""
        words = " ".join(f"{name}=..." for name in unset[:MAX_NAMES])
        steps.append(f"export {words}   # without a value in the files{more}")
    with shared_options_in_hints(planned):
        return [*steps, command_line("reconciler", "plan")]
