"""The lock of a state: taken, freed, and looked at. It never expires."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Final

from reconciler.inventory.lock_holder import LockHolder, locked_problem
from reconciler.inventory.stores.terraform_http.failures import status_problem, unlock_command
from reconciler.inventory.stores.terraform_http.lock_info import Lock, describe, new_lock_id, parse_lock
from reconciler.inventory.stores.terraform_http.server import CONFLICTS, StateServer
from reconciler.model.durations import MAX_STATE_LOCK_POLL, POLL_SHARE, STATE_LOCK_POLL, STATE_PROBE
from reconciler.model.errors import InventoryError, InventoryLocked
from reconciler.model.problem import Problem
from reconciler.novita.http.limits import NotSent, UnusableResponse
from reconciler.novita.http.transport import Response

PROBE: Final = "state lock-info"
"""The command of a lock that is freed at once: the protocol has no other way to learn who holds it."""

NOT_FOUND: Final = 404

GRANTED: Final = frozenset({200, 201, 204})


def acquire(
    server: StateServer, holder: LockHolder, timeout: float, stop: threading.Event | None = None
) -> str:
    """Take the lock, and return its ID. Raise InventoryLocked if it is not free in `timeout` seconds.

    stop: ends the wait when it is set.
    """
    lock_id = new_lock_id(holder, is_gitlab=server.address.is_gitlab)
    started = time.monotonic()
    while (refusal := try_lock(server, lock_id, holder)) is not None:
        held = _described(server, refusal)
        is_probe = held is not None and held.holder.command == PROBE
        waited = time.monotonic() - started
        left = (max(timeout, STATE_PROBE) if is_probe else timeout) - waited
        if left <= 0 or (stop is not None and stop.is_set()):
            raise InventoryLocked(_locked(server, held))
        between = STATE_LOCK_POLL / 4 if is_probe else max(STATE_LOCK_POLL, POLL_SHARE * waited)
        between = min(between, MAX_STATE_LOCK_POLL, left)
        _ = stop.wait(between) if stop is not None else server.sleep(between)
    return lock_id


def try_lock(server: StateServer, lock_id: str, holder: LockHolder) -> Response | None:
    """Ask for the lock once. Return None if it is taken now, or the answer that another run holds it."""
    target = server.address.lock
    try:
        response = server.call_repeatedly(target, describe(lock_id, holder, server.address.label))
    except BaseException:
        with suppress(NotSent, UnusableResponse):
            body, query_id = _unlock_parts(server, lock_id, holder)
            server.call(server.address.unlock, body, lock_id=query_id)  # the lost answer may have been a yes
        raise
    if response.status in GRANTED:
        return None
    if response.status not in CONFLICTS:
        raise status_problem(server.address, target, response.status)
    held = _described(server, response)
    return None if held is not None and held.id == lock_id else response  # an earlier attempt took it


def free(server: StateServer, lock_id: str, holder: LockHolder) -> bool:
    """Free a lock. Return False if it is not held, or by another run. Raise InventoryError."""
    target = server.address.unlock
    body, query_id = _unlock_parts(server, lock_id, holder)
    response = server.call_repeatedly(target, body, lock_id=query_id)
    if response.status in GRANTED:
        return True
    if response.status in CONFLICTS or response.status == NOT_FOUND:
        return False
    raise status_problem(server.address, target, response.status)


def look(server: StateServer, prober: LockHolder) -> tuple[bool, Lock | None]:
    """Return whether the lock is held, and the lock if the server describes it. It is taken for a moment.

    With GitLab, an attempt would make a state that does not exist yet, and that nobody can hold.
    """
    if server.address.is_gitlab and server.read().status == NOT_FOUND:
        return False, None
    lock_id = new_lock_id(prober, is_gitlab=server.address.is_gitlab)
    refusal = try_lock(server, lock_id, prober)
    if refusal is not None:
        return True, _described(server, refusal)
    free(server, lock_id, prober)
    return False, None


def excludes(server: StateServer, prober: LockHolder) -> bool:
    """Return whether the server refuses the lock while it is held, as it is now."""
    second = new_lock_id(prober, is_gitlab=server.address.is_gitlab)
    if try_lock(server, second, prober) is not None:
        return True
    with suppress(InventoryError):
        free(server, second, prober)
    return False


def _unlock_parts(server: StateServer, lock_id: str, holder: LockHolder) -> tuple[bytes, str]:
    """Return the body and the ID of an unlock: GitLab takes the ID in the address, others in the body."""
    address = server.address
    return (b"", lock_id) if address.is_gitlab else (describe(lock_id, holder, address.label), "")


def _described(server: StateServer, refusal: Response) -> Lock | None:
    return parse_lock(refusal.body, is_gitlab=server.address.is_gitlab)


def _locked(server: StateServer, held: Lock | None) -> Problem:
    hint = "Wait for that run with `--lock-timeout 60s`. This lock does not end by itself"
    if held is not None:
        hint += f": if the run is over, free it with `{unlock_command(held.holder.lock_id)}`"
    return locked_problem(server.address.label, held.holder if held else None, hint)
