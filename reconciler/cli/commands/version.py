"""The command `reconciler version`."""

from __future__ import annotations

import click

from reconciler.cli.extras import PACKAGES, missing_packages
from reconciler.cli.options import Command, Run, with_run
from reconciler.model.problem import ExitCode


@click.command(cls=Command)
@with_run
def version(run: Run) -> int:
    """Print the version of reconciler, of Python and of the platform, and the installed extras."""
    import platform

    from reconciler import __version__

    extras = {name: not missing_packages(name) for name in sorted(PACKAGES)}
    facts = {"python": platform.python_version(), "platform": platform.platform()}
    if run.out.as_json:
        run.out.document({"version": __version__, **facts, "extras": extras})
        return ExitCode.OK
    installed = ", ".join(name for name, is_there in extras.items() if is_there) or "none"
    lines = [f"reconciler {__version__}", *(f"{name} {text}" for name, text in facts.items())]
    run.out.result("".join(f"{line}\n" for line in (*lines, f"extras {installed}")))
    return ExitCode.OK
