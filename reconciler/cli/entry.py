"""The entry point of the process. The command line is imported while the account may be listed already."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

from reconciler import check_platform


def main() -> NoReturn:
    """Run the command of the command line, and exit with its code; with 1 and one line on Windows."""
    try:
        check_platform()
    except ImportError as error:
        sys.exit(f"Error: {error}")
    # Most objects live until the end of the run. Garbage collection took a tenth of a plan of 10,000,
    # and a twentieth of the imports.
    gc.set_threshold(100_000, 20, 20)
    from reconciler.cli.early_start import begin

    begin(sys.argv[1:])
    from reconciler.cli.main import main as run

    run()
