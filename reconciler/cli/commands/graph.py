"""The command `reconciler graph`."""

from __future__ import annotations

import click

from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@click.option("--mermaid", is_flag=True, help="Print a Mermaid flowchart, which GitHub and GitLab draw.")
@with_run
def graph(run: Run, mermaid: bool) -> int:
    """Show which declared resources refer to which, in the order in which they are created.

    Works offline and without an API key. A resource that is named by its ID is shown as not declared.
    """
    from reconciler.reports.views.graph import graph_document, graph_mermaid, graph_text
    from reconciler.workflow.graph import declared_graph

    found, problems = declared_graph(run.context)
    if run.out.as_json:
        run.out.document(graph_document(found))
    else:
        run.out.result(graph_mermaid(found) if mermaid else graph_text(found))
    run.out.problems(problems)
    return ExitCode.OK
