"""`reconciler import`"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import options
from reconciler.cli.options import Run, with_run
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import ExitCode, limit_problems

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.workflow.importer.run import Imported
    from reconciler.workflow.runtime.context import Context


@click.command("import")
@click.argument("name", required=False)
@click.argument("object_id", metavar="[ID]", required=False)
@click.option("--all", "everything", is_flag=True, help="All that is neither recorded nor declared.")
@click.option("--match", "matches", metavar="GLOB", multiple=True, help="Of all, only these names.")
@click.option("--out", metavar="FILE", help="The YAML file to write; it must not exist yet.")
@click.option(
    "--env-out",
    metavar="FILE",
    help="Write the live values of env here, for --env-file; git must ignore it.",
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
    """Record endpoints that were made elsewhere. The account is only read.

    With NAME and ID it records one. With --all and --out it also writes the YAML that declares them, and
    only once the plan after it is proven to be empty; values of env stand in it as references.
    """
    from reconciler.model.settings import Allowances

    allow = Allowances(other_account=other_account)
    context = replace(run.context, allow=allow, lock_timeout=lock_timeout)
    if everything and out is not None and name is None:
        return _import_all(run.out, context, Path(out), matches, Path(env_out) if env_out else None)
    if everything or env_out is not None or out is not None or matches or name is None or object_id is None:
        raise click.UsageError("give NAME and ID, or --all with --out FILE")
    return _import_one(run.out, context, name, object_id)


def _import_one(out: Output, context: Context, name: str, object_id: str) -> int:
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.state import import_record

    taken = import_record(context, name, object_id)
    if out.as_json:
        out.document(
            {
                "written": [],
                "env_file": None,
                "imported": [{"name": name, "id": object_id, "spec": None}],
                "variables": [],
                "problems": [problem.to_dict() for problem in limit_problems(taken.problems)],
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    what = "is recorded" if taken.is_new else "was recorded already"
    out.result(f"{plain(name)} {what} as {plain(object_id)}.\n")
    out.problems(taken.problems)
    return ExitCode.OK


def _import_all(
    out: Output, context: Context, file: Path, matches: tuple[str, ...], env_out: Path | None
) -> int:
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.importer.run import import_all

    done = import_all(context, file, matches, env_out=env_out)
    if out.as_json:
        out.document(
            {
                "written": list(done.written),
                "env_file": done.values or None,
                "imported": [{"name": one.name, "id": one.id, "spec": one.spec} for one in done.endpoints],
                "variables": [{"name": one.name, "endpoints": list(one.endpoints)} for one in done.variables],
                "problems": [problem.to_dict() for problem in limit_problems(done.problems)],
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    if not done.endpoints:
        out.result("Nothing to import.\n")
        out.problems(done.problems)
        return ExitCode.OK
    for name in (*done.written, *([done.values] if done.values else [])):
        out.result(f"  {out.style.added('+')} {plain(name)}\n")
    count, state = len(done.endpoints), plain(str(context.state))
    out.result(f"\n{count} endpoint{'' if count == 1 else 's'} declared, and recorded in {state}.\n")
    if done.problems:
        out.tell("\n")
        out.problems(done.problems)
    out.result(f"\nNext:\n{_next(done)}")
    return ExitCode.OK


def _next(done: Imported) -> str:
    if not done.variables or done.values:
        return f"  {done.plan}   # shows no changes\n"
    count = len(done.variables)
    example = Path(done.example)
    copy = command_line("cp", Operand(example), Operand(example.with_name(".env")))
    return (
        f"  {copy}   # and fill in {count} value{'' if count == 1 else 's'}; not for git\n"
        f"  {done.plan}   # shows no changes\n"
    )
