"""The command `reconciler validate`."""

from __future__ import annotations

from collections import Counter

import click

from reconciler.cli.github_output import annotate
from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode, limit_problems
from reconciler.model.text import quantity


@click.command(cls=Command)
@with_run
def validate(run: Run) -> int:
    """Check the configuration files. Works offline and without an API key.

    Without -e, every environment of config.yaml is checked. A reference to an unset variable is a warning
    here and an error in plan and apply.
    """
    from reconciler.kinds.registry import KINDS
    from reconciler.reports.terminal.escape import plain
    from reconciler.workflow.runtime.config import load_for_check

    loaded, environments = load_for_check(run.context)
    errors = sum(problem.is_error for problem in loaded.problems)
    code = ExitCode.ERROR if errors else ExitCode.OK
    annotate(run, loaded.problems)
    if run.out.as_json:
        run.out.document(
            {
                "format_version": "1.0",
                "valid": not errors,
                **({"environments": list(environments)} if environments else {}),
                "error_count": errors,
                "warning_count": sum(problem.severity == "warning" for problem in loaded.problems),
                "endpoints": [endpoint.name for endpoint in loaded.desired],
                **({"resources": [one.address for one in loaded.others]} if loaded.others else {}),
                "files": list(loaded.endpoint_files),
                "problems": [problem.to_dict() for problem in limit_problems(loaded.problems)],
                "exit_code": int(code),
            }
        )
        return code
    if loaded.problems:
        run.out.problems(loaded.problems)
        run.out.tell("\n")
    if errors:
        run.out.line(run.out.error_style.error(f"{quantity(errors, 'error')}."))
    else:
        files = plain(", ".join(loaded.endpoint_files))
        nouns = Counter(KINDS[one.kind].noun for one in (*loaded.desired, *loaded.others))
        counts = [quantity(count, noun) for noun, count in nouns.items()] or [quantity(0, "endpoint")]
        run.out.result(run.out.style.added("Success!") + " The configuration is valid.\n")
        where = f" ({', '.join(environments)})" if environments else ""
        run.out.result(f"  {', '.join(counts)} in {files}{where}\n")
    return code
