"""Run `octodns-sync` without --doit, and fail if its plan has a change."""

from __future__ import annotations

import sys

from octodns.manager import Manager

if __name__ == "__main__":
    sys.exit(Manager(sys.argv[1]).sync(dry_run=True) != 0)
