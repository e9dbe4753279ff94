"""The failures of a state server as problems for the user: the call, its status, and what to do.

The text of an answer is not shown, because a server may repeat what it was sent.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Final

from reconciler.inventory.stores.terraform_http.address import StateAddress, Target
from reconciler.inventory.stores.terraform_http.document import Document
from reconciler.inventory.stores.terraform_http.lock_info import Lock
from reconciler.model.command import command_line
from reconciler.model.errors import InventoryError
from reconciler.model.problem import Problem
from reconciler.model.text import quantity
from reconciler.novita.http.transport import MAX_BODY_SIZE

DOCTOR: Final = "reconciler doctor"

_AGAIN: Final = "Run the command again: it finds what this run has done, and completes it"
_CREDENTIAL: Final = (
    "Set TF_HTTP_USERNAME and TF_HTTP_PASSWORD; with GitLab, the password is a token with the scope `api` of "
    "a maintainer. In a job of GitLab CI, CI_JOB_TOKEN is used if both are unset"
)


def status_problem(address: StateAddress, target: Target, status: int) -> InventoryError:
    """Return the error for an answer that is no success."""
    try:
        text = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        text = str(status)
    code, hint = _explain(address, status)
    return _error(code, f"{target} was answered with {text}", hint)


def _explain(address: StateAddress, status: int) -> tuple[str, str]:
    what = "project" if address.is_gitlab else "address"
    match status:
        case 401:
            return "store-refused", _CREDENTIAL
        case 403:
            return (
                "store-refused",
                "The credential does not allow it. With GitLab, a plan needs the role Developer; what writes "
                "or locks needs Maintainer",
            )
        case 404:
            return "store-not-found", f"Check the {what} of the state, and that the credential may see it"
        case 405 | 501:
            return (
                "store-cannot-lock",
                "Set TF_HTTP_LOCK_ADDRESS, TF_HTTP_LOCK_METHOD, TF_HTTP_UNLOCK_ADDRESS and "
                "TF_HTTP_UNLOCK_METHOD as the server expects them",
            )
        case _ if 300 <= status < 400:
            return (
                "store-refused",
                "Write the address that the server redirects to; redirects are not followed, because they "
                "would send the credential to another place",
            )
        case 429 | 500 | 502 | 503 | 504:
            return "store-unavailable", f"Run the command again in a minute; `{DOCTOR}` shows the state"
        case _:
            return "store-failed", f"Check the address and the server; `{DOCTOR}` shows more"


def unreachable(target: Target, error: Exception) -> InventoryError:
    """Return the error for a request that got no usable answer."""
    return _error(
        "store-unavailable",
        f"{target} got no answer: {error}",
        f"Check the network and the address; `{DOCTOR}` tries again",
    )


def maybe_written(error: InventoryError) -> InventoryError:
    """Return the error with a sentence that the server may have done the write all the same."""
    detail = "The server may have this write all the same. The next run reads what is there."
    return InventoryError(replace(error.problem, detail=detail))


def too_large(address: StateAddress, document: Document, size: int) -> InventoryError:
    """Return the error for a document (bytes) that the server refuses, or would not be read back."""
    limit = "Raise the limit of the server: with GitLab, an administrator sets max_terraform_state_size_bytes"
    if size > MAX_BODY_SIZE:
        limit = f"No state may be larger than {MAX_BODY_SIZE >> 20} MiB: remove records that are not needed"
    sizes = document.sizes()
    parts = ", ".join(f"{name} {size:,}" for name, size in sizes.items() if size)
    copy = command_line("reconciler", "state", "copy", address.label, "inventory.json")
    return _error(
        "store-full",
        f"{address.write} was refused: the inventory of {quantity(size, 'byte')} is too large (413)",
        f"{limit}, or keep the inventory elsewhere: `{copy}`",
        f"Bytes: {parts}; the largest part is the {next(iter(sizes))}. "
        "The history was already left out as far as possible.",
    )


def lock_lost(address: StateAddress, why: str) -> InventoryError:
    """Return the error of a writer whose lock was freed, or beside whom somebody else wrote."""
    return _error("lock-lost", f"The lock of {address.label} was lost: {why}", _AGAIN)


def broken(address: StateAddress) -> InventoryError:
    """Return the error of an append after one whose outcome is not known."""
    return _error(
        "store-unavailable",
        f"Cannot write the journal of {address.label}: an earlier write failed",
        _AGAIN,
    )


def not_freed(address: StateAddress, lock_id: str, error: InventoryError) -> InventoryError:
    """Return the error of a run that could not free its lock at its end."""
    return _error(
        "lock-not-freed",
        f"The lock of {address.label} could not be freed: {error}",
        f"Free it with `{unlock_command(lock_id)}`",
        "Everything was saved. The next run that changes something finds the lock held.",
    )


def not_held(address: StateAddress, lock_id: str, held: Lock | None) -> InventoryError:
    """Return the error of `unlock` for a lock that nobody holds."""
    summary = f"The lock {lock_id} of {address.label} is not held"
    if held is None:
        return _error("not-locked", summary, "Nothing has to be freed: run your command again")
    return _error(
        "not-locked",
        f"{summary}; {held.holder.lock_id} is",
        "See who holds it: `reconciler state lock-info`",
    )


def cannot_lock(address: StateAddress) -> InventoryError:
    """Return the error for a server that gives the same lock to two runs."""
    return _error(
        "store-cannot-lock",
        f"The server of {address.label} cannot lock: it gave the lock to a second run",
        "Use a server that answers a second LOCK with 423 or 409; check TF_HTTP_LOCK_ADDRESS and "
        "TF_HTTP_LOCK_METHOD",
        "Nothing was changed.",
    )


def unlock_command(lock_id: str) -> str:
    """Return the command that frees a lock."""
    return command_line("reconciler", "state", "unlock", lock_id)


def _error(code: str, summary: str, hint: str, detail: str = "") -> InventoryError:
    return InventoryError(Problem(code=code, summary=summary, detail=detail, hint=hint))
