"""The entry point of the process. It imports the command line after the garbage collector is set."""

from __future__ import annotations

import gc
from typing import NoReturn


def main() -> NoReturn:
    """Run the command of the command line, and exit with its code."""
    # Most objects live until the end of the run. Garbage collection took a tenth of a plan of 10,000,
    # and a twentieth of the imports.
    gc.set_threshold(100_000, 20, 20)
    from reconciler.cli.main import main as run

    run()
