"""`reconciler doctor --probe-api`: the reads of a run, and the simulator that behaves as its account does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconciler.model.command import command_line
from reconciler.simulator.profile import Profile, profile_from
from reconciler.workflow.api_probe.reads import read_all
from reconciler.workflow.api_probe.report import Finding, findings
from reconciler.workflow.runtime.account import new_client
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import require_api_key, valid_settings


def probe_api(context: Context, on_read: Callable[[str], None]) -> tuple[Finding, ...]:
    """Read the account and return what was found. Raise ReconcilerError without a key or settings.

    on_read: gets each request line before it is sent.
    """
    settings = valid_settings(context, lenient=True)
    require_api_key(settings)
    with new_client(replace(context, early=None), settings, read_only=True) as client:
        return findings(read_all(client, on_read))


def simulator_command(found: Iterable[Finding]) -> str:
    """Return the command of a simulator that behaves as the account does."""
    profile = Profile()
    options: list[str] = []
    for finding in found:
        if finding.switch and finding.value:
            setting = f"{finding.switch}={finding.value}"
            if profile_from([setting]) != profile:
                options += ["--set", setting]
    return command_line("reconciler", "simulator", *options)
