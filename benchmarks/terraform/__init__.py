"""Terraform with minimal work: as many built-in `terraform_data` resources as there are endpoints.

No provider, no network, no refresh of anything: a lower bound of what users would run instead.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import Timing, run_measured

ENVIRON = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
OPTIONS = ("-input=false", "-no-color", "-lock=false", "-parallelism=10")


def applied(folder: Path, count: int) -> Timing:
    """Write a folder with that many resources, apply it, and return the time of the apply."""
    folder.mkdir()
    resource = 'resource "terraform_data" "endpoint-{number:05}" {{\n  input = "endpoint-{number:05}"\n}}\n'
    (folder / "main.tf").write_text("".join(resource.format(number=number) for number in range(count)))
    run_measured(["terraform", "init", "-no-color"], cwd=folder, environ=ENVIRON)
    return run_measured(["terraform", "apply", "-auto-approve", *OPTIONS], cwd=folder, environ=ENVIRON)


def no_change(folder: Path) -> Callable[[], Timing]:
    """Return a plan that must be empty; it fails if there is a change."""
    command = ["terraform", "plan", "-detailed-exitcode", *OPTIONS]
    return lambda: run_measured(command, cwd=folder, environ=ENVIRON)
