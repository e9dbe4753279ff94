"""`reconciler doctor`: check configuration, account and inventory one by one. Reads only.

A failed check does not prevent the later ones, unless they depend on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from reconciler.config.loader import LoadedConfig
from reconciler.config.settings import missing_key_problem
from reconciler.inventory.snapshot import Snapshot, read_snapshot
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Inventory
from reconciler.model.run_report import Check, CheckStatus
from reconciler.model.text import quantity
from reconciler.workflow.doctor.account import account_checks, skipped_checks
from reconciler.workflow.doctor.files import environment_check, literal_key_check, schemas_check
from reconciler.workflow.doctor.helpers import helpers_check
from reconciler.workflow.doctor.installation import installation_check
from reconciler.workflow.doctor.inventory import inventory_checks
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.overdue import at_risk
from reconciler.workflow.runtime.settings import base_url

_ADDRESS_CODES: Final = frozenset({"bad-base-url", "untrusted-host", "not-enabled"})
_CODES_OF_OTHER_CHECKS: Final = _ADDRESS_CODES | {"bad-api-key"}
"""Codes of problems that the checks of key and address report."""

_WEAK_STATE_KEY: Final = Check(
    name="state key",
    status=CheckStatus.WARN,
    detail="RECONCILER_STATE_KEY does not look random; stretching it takes 0.1 s in each run",
    hint="generate one with `openssl rand -base64 32`; the next apply renews the fingerprints",
)
_NOT_READ: Final = "config.yaml cannot be read"


def run_checks(context: Context, *, now: Callable[[], float] = time.time) -> Iterator[Check]:
    """Yield each check as it is made; `now` returns the time of this machine in epoch seconds."""
    loaded = load_files(context, lenient=True, needs_endpoints=False)
    yield from installation_check()
    yield from environment_check(context)
    yield _files(loaded)
    yield from schemas_check(context)
    key, address = _key(context, loaded), _address(loaded)
    yield key
    yield from literal_key_check(context)
    yield from helpers_check(context)
    if loaded.settings.is_key_weak:
        yield _WEAK_STATE_KEY
    yield address
    snapshot: Snapshot | InventoryError
    try:
        snapshot = read_snapshot(context.store)
    except InventoryError as error:
        snapshot = error
    inventory = snapshot.inventory() if isinstance(snapshot, Snapshot) else Inventory()
    if not loaded.settings.is_complete:
        yield from skipped_checks(_NOT_READ)
    elif CheckStatus.FAIL in (key.status, address.status):
        yield from skipped_checks("the account was not read, because the API key or the address is missing")
    else:
        yield from account_checks(context, loaded, inventory.records, now, at_risk(inventory))
    yield from inventory_checks(context, snapshot, base_url(loaded.settings))


def _files(loaded: LoadedConfig) -> Check:
    problems = [problem for problem in loaded.problems if problem.code not in _CODES_OF_OTHER_CHECKS]
    for status, severity in ((CheckStatus.FAIL, Severity.ERROR), (CheckStatus.WARN, Severity.WARNING)):
        matches = [problem for problem in problems if problem.severity is severity]
        if matches:
            return Check(
                name="files",
                status=status,
                detail=f"{quantity(len(matches), severity.value)}, the first at {_at(matches[0])}",
                hint="reconciler validate   lists all problems",
            )
    if not loaded.has_endpoint_files:
        return Check(
            name="files",
            status=CheckStatus.SKIP,
            detail="there is no endpoints.yaml and no endpoints/*.yaml",
            hint="reconciler init   creates one",
        )
    count = quantity(len(loaded.desired), "endpoint")
    files = ", ".join(loaded.endpoint_files)
    return Check(
        name="files",
        status=CheckStatus.OK,
        detail=f"{count} in {files}, {quantity(len(loaded.specs.entries), 'spec')}",
    )


def _key(context: Context, loaded: LoadedConfig) -> Check:
    """Return whether there is an API key, and its source; never its value."""
    settings = loaded.settings
    if settings.api_key is not None:
        source = settings.api_key.source
        has_own_key = context.environment is not None and context.environment.has_api_key
        setting = f"environments.{context.environment_name}.api_key" if has_own_key else "novita.api_key"
        place = {"${env:NOVITA_API_KEY}": "NOVITA_API_KEY", setting: f"`{setting}`"}
        detail = f"from {place.get(source, f'a reference in `{setting}`')}"
        return Check(name="key", status=CheckStatus.OK, detail=detail)
    if settings.is_simulator:
        return Check(name="key", status=CheckStatus.OK, detail="none; the simulator needs none")
    if not settings.is_complete:
        return Check(name="key", status=CheckStatus.SKIP, detail=_NOT_READ)
    wrong = next(
        (problem for problem in loaded.problems if problem.code == "bad-api-key"), missing_key_problem()
    )
    return Check(name="key", status=CheckStatus.FAIL, detail=wrong.summary, hint=wrong.hint)


def _address(loaded: LoadedConfig) -> Check:
    for problem in loaded.problems:
        if problem.code in _ADDRESS_CODES:
            return Check(name="address", status=CheckStatus.FAIL, detail=_at(problem), hint=problem.hint)
    if not loaded.settings.is_complete:
        return Check(name="address", status=CheckStatus.SKIP, detail=_NOT_READ)
    if loaded.settings.is_simulator:
        return Check(name="address", status=CheckStatus.OK, detail="the embedded simulator")
    return Check(name="address", status=CheckStatus.OK, detail=base_url(loaded.settings))


def _at(problem: Problem) -> str:
    return f"{problem.place}: {problem.summary}" if problem.place else problem.summary
