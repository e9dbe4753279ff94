"""The command `reconciler specs`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.command import add_shared_options
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.argument("name", required=False)
@click.option(
    "--available",
    is_flag=True,
    help="List what Novita offers instead: products, regions, GPUs, stock and price per hour.",
)
@with_run
def specs(run: Run, name: str | None, available: bool) -> int:
    """Show the GPU specs of specs.yaml, or the details of one spec. Works offline without --available."""
    if available:
        return _products(run, name)
    from reconciler.reports.views.documents import spec_document
    from reconciler.reports.views.specs import spec_text, specs_text
    from reconciler.workflow.specs import get_spec, list_specs

    if name is not None:
        spec = get_spec(run.context, name)
        if run.out.as_json:
            run.out.document(spec_document(spec))
        else:
            run.out.result(spec_text(spec, run.out.style))
        return ExitCode.OK
    result = list_specs(run.context)
    if run.out.as_json:
        run.out.document([spec_document(spec) for spec in result.specs])
    elif result.specs:
        run.out.result(specs_text(result.specs, run.out.screen))
    elif result.are_all_known:
        run.out.line(
            f"{result.file or 'specs.yaml'} contains no specs. "
            + add_shared_options("`reconciler init` creates one to start from.")
        )
    run.out.problems(result.problems)
    return ExitCode.ERROR if any(problem.is_error for problem in result.problems) else ExitCode.OK


def _products(run: Run, name: str | None) -> int:
    if name is not None:
        raise click.UsageError("--available lists products; it takes no NAME")
    from reconciler.reports.views.products import products_document, products_text
    from reconciler.workflow.market.products import available_products

    products = available_products(run.context)
    if run.out.as_json:
        run.out.document(products_document(products))
    else:
        run.out.result(products_text(products, run.out.screen))
    return ExitCode.OK
