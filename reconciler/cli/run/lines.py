"""The log of `reconciler run`: a line for each event, and for the beginning and the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from reconciler.controller.events import Event, EventKind
from reconciler.controller.files import Files
from reconciler.model.command import SharedOptions, command_line
from reconciler.model.sync.policy import DEFAULT_SYNC, ApplyPolicy, DriftPolicy, SyncPolicy
from reconciler.reports.terminal.progress import duration_text

MAX_DETAILS: Final = 10
"""Details (count) in a line."""

LAST_LINE: Final = "stopped"
"""The end of a process that finished what it had begun."""

_DRIFT: Final = {
    DriftPolicy.REPORT: "drift is reported",
    DriftPolicy.REVERT: "drift is reverted",
    DriftPolicy.ACCEPT_SCALE: "drift is reported, except of worker counts",
}


def event_line(event: Event, options: SharedOptions) -> str:
    """Return an event in one line. options: of this process, for a command."""
    details = list(event.details[:MAX_DETAILS])
    if event.kind is EventKind.WAITING:
        given = replace(options, environment=event.environment).arguments_for("approve")
        details = [command_line("reconciler", *given, "approve", event.digest)]
    elif len(event.details) > MAX_DETAILS:
        details.append(f"and {len(event.details) - MAX_DETAILS} more")
    line = "; ".join((event.summary.rstrip("."), *details))
    return _prefixed(event.environment, f"{line} (since a day)" if event.is_repeated else line)


def first_line(files: Files, where: str, policy: SyncPolicy, poll: float, interval: float) -> str:
    """Return what is followed, and how. where: the folder, or the git repository."""
    changes = "are applied" if policy.apply is ApplyPolicy.AUTO else "wait for an approval"
    deletes = "are made" if policy.prune else "are left to you"
    return _prefixed(
        files.context.environment_name,
        f"following {where} every {_period(poll)}, and the account every {_period(interval)};"
        f" the inventory is {files.context.store.label}; changes {changes}, {_DRIFT[policy.drift]},"
        f" deletes {deletes}",
    )


def policy_in(files: Files) -> SyncPolicy:
    """Return the policy of the settings, or the default if they cannot be read."""
    from reconciler.workflow.runtime.settings import valid_settings

    return DEFAULT_SYNC.merged(valid_settings(files.context, lenient=True).sync)


def _period(seconds: float) -> str:
    """Return a duration without a last part of zero: `10m`, `1m30s`."""
    text = duration_text(seconds)
    for zero in ("m0s", "h0m"):
        if text.endswith(zero):
            text = text[:-2]
    return text


def _prefixed(environment: str, line: str) -> str:
    return f"{environment}: {line}" if environment else line
