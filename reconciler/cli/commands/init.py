"""The command `reconciler init`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.command import command_line
from reconciler.model.inventory_location import is_address
from reconciler.model.problem import ExitCode, Problem, Severity


@click.command(cls=Command)
@click.option(
    "--from-market",
    is_flag=True,
    help="Write specs.yaml from the products that Novita offers, with a spec for each product and region.",
)
@with_run
def init(run: Run, from_market: bool) -> int:
    """Create commented endpoints.yaml, specs.yaml and config.yaml files, and .gitignore files.

    Existing files are not changed, except for the schemas in .reconciler/, which are kept up to date. With
    the address of an inventory in --state, it is written into config.yaml, and used from then on.
    """
    from reconciler.workflow.init import SPECS
    from reconciler.workflow.init import init as write_starter_files
    from reconciler.workflow.stores.config import steps_to_inventory

    # the option, and not the variable; a path is written into config.yaml by hand
    has_state = is_address(click.get_current_context().obj.get("state") or "")
    files = write_starter_files(run.context, from_market=from_market, names_inventory=has_state)
    if run.out.as_json:
        run.out.document(
            {
                "written": list(files.written),
                "updated": list(files.updated),
                "kept": list(files.kept),
                "exit_code": 0,
            }
        )
        return ExitCode.OK
    for name in files.written:
        run.out.result(f"  {run.out.style.added('+')} {name}\n")
    for name in files.updated:
        run.out.result(f"  {run.out.style.changed('~')} {name}\n")
    for name in files.kept:
        run.out.result(f"    {name} already exists and was not changed\n")
    has_asked = from_market and SPECS in files.written
    has_account = has_asked or any(
        run.context.environ.get(name) for name in ("NOVITA_API_KEY", "NOVITA_BASE_URL")
    )
    key = "export NOVITA_API_KEY=...            # or NOVITA_BASE_URL=simulator, which needs no account"
    run.out.result("\nNext:\n" + ("" if has_account else f"  {key}\n"))
    if has_state:
        for step in steps_to_inventory(run.context):
            run.out.result(f"  {step}\n")
    run.out.result(f"  {command_line('reconciler', 'plan')}\n")
    if from_market and not has_asked:
        run.out.problems([_kept_specs()])
    return ExitCode.OK


def _kept_specs() -> Problem:
    return Problem(
        code="specs-kept",
        severity=Severity.NOTE,
        summary="specs.yaml exists already, so it was not written from Novita's products",
        hint="reconciler specs --available   shows the products; to get a new file, move this one away first",
    )
