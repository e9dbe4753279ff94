"""The start of the command, outside of the package `reconciler`.

Another package of PyPI is imported as `reconciler` too. In one environment, the one that was installed last
has replaced files of the other. This module can still say so.
"""

from __future__ import annotations

import sys
from typing import NoReturn

_REPLACED = """\
Error: the package `reconciler` of PyPI, which has the same import name, replaced files of novita-reconciler
  Install this tool in an environment of its own:
    pipx install novita-reconciler
  Or remove the other package, and repair this one:
    python -m pip uninstall reconciler
    python -m pip install --force-reinstall novita-reconciler"""


def main() -> NoReturn:
    """Run the command, and exit with its code; with 1 if files of the package were replaced."""
    try:
        import reconciler
        from reconciler.cli.entry import main as run
    except ImportError:
        if not _is_other_installed():
            raise
        sys.exit(_REPLACED)
    if "NovitaDeploymentProvider" not in getattr(reconciler, "__all__", ()):
        sys.exit(_REPLACED)
    run()


def _is_other_installed() -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("reconciler")
    except PackageNotFoundError:
        return False
    return True
