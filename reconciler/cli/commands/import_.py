"""The command `reconciler import`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.options import Command, Run, with_run
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import ExitCode, limit_problems
from reconciler.model.text import quantity

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.workflow.importer.import_all import ImportResult
    from reconciler.workflow.runtime.context import Context


@click.command("import", cls=Command)
@click.argument("name", required=False)
@click.argument("object_id", metavar="[ID]", required=False)
@click.option(
    "--all", "everything", is_flag=True, help="Import all endpoints that are neither recorded nor declared."
)
@click.option(
    "--match",
    "matches",
    metavar="GLOB",
    multiple=True,
    help="With --all: import only endpoints whose name matches this pattern.",
)
@click.option("--out", metavar="FILE", help="With --all: write the YAML to this file, which must not exist.")
@click.option(
    "--env-out",
    metavar="FILE",
    help="With --all: write the live env values to this file, for --env-file. Git must ignore the file.",
)
@options.other_account
@options.lock_timeout
@with_run
def import_(
    run: Run,
    name: str | None,
    object_id: str | None,
    everything: bool,
    matches: tuple[str, ...],
    out: str | None,
    env_out: str | None,
    other_account: bool,
    lock_timeout: float,
) -> int:
    """Record existing endpoints in the inventory, without changing the account.

    With NAME and ID, import records one endpoint. With --all and --out, import also writes the YAML that
    declares the endpoints, after checking that a plan with it is empty. Values of env become references.
    """
    from reconciler.model.settings import Allowances

    allow = Allowances(other_account=other_account)
    context = replace(run.context, allow=allow, lock_timeout=lock_timeout)
    if everything and out is not None and name is None:
        return _import_all(
            run.out, run.list_early(context), Path(out), matches, Path(env_out) if env_out else None
        )
    if everything or env_out is not None or out is not None or matches or name is None or object_id is None:
        raise click.UsageError("specify NAME and ID, or --all with --out FILE")
    return _import_one(run.out, context, name, object_id)


def _import_one(out: Output, context: Context, name: str, object_id: str) -> int:
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.importer.import_one import import_record

    result = import_record(context, name, object_id)
    if out.as_json:
        out.document(
            {
                "written": [],
                "env_file": None,
                "imported": [{"name": name, "id": object_id, "spec": None}],
                "variables": [],
                "problems": [problem.to_dict() for problem in limit_problems(result.problems)],
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    verb = "is recorded" if result.is_new else "was already recorded"
    out.result(f"{plain(name)} {verb} as {plain(object_id)}.\n")
    out.problems(result.problems)
    return ExitCode.OK


def _import_all(
    out: Output, context: Context, file: Path, matches: tuple[str, ...], env_out: Path | None
) -> int:
    from reconciler.kinds.registry import KINDS, split_address
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.importer.import_all import import_all

    result = import_all(context, file, matches, env_out=env_out)
    if out.as_json:
        out.document(
            {
                "written": list(result.written),
                "env_file": result.values or None,
                "imported": [
                    {"name": endpoint.name, "id": endpoint.id, "spec": endpoint.spec}
                    for endpoint in result.endpoints
                ],
                "variables": [
                    {"name": variable.name, "endpoints": list(variable.endpoints)}
                    for variable in result.variables
                ],
                "problems": [problem.to_dict() for problem in limit_problems(result.problems)],
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    if not result.endpoints:
        out.result("Nothing to import.\n")
        out.problems(result.problems)
        return ExitCode.OK
    for name in (*result.written, *([result.values] if result.values else [])):
        out.result(f"  {out.style.added('+')} {plain(name)}\n")
    kinds = {split_address(one.name)[0] for one in result.endpoints}
    noun = KINDS[kinds.pop()].noun if len(kinds) == 1 else "resource"
    count, state = quantity(len(result.endpoints), noun), plain(str(context.state))
    out.result(f"\n{count} declared and recorded in {state}.\n")
    if result.problems:
        out.tell("\n")
        out.problems(result.problems)
    out.result(f"\nNext:\n{_next(result)}")
    return ExitCode.OK


def _next(result: ImportResult) -> str:
    if not result.variables or result.values:
        return f"  {result.plan}   # expected result: no changes\n"
    count = quantity(len(result.variables), "value")
    example = Path(result.example)
    copy = command_line("cp", Operand(example), Operand(example.with_name(".env")))
    return (
        f"  {copy}   # then fill in {count}; do not commit this file\n"
        f"  {result.plan}   # expected result: no changes\n"
    )
