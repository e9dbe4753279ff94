"""Changes of a network storage that would lose its data, and the storage that Novita has released."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.network_storage.fields import REGION, SIZE
from reconciler.model.command import command_line
from reconciler.model.plan import Change, Create, FieldChange
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Tracked
from reconciler.model.secrets import reveal
from reconciler.model.values import Path


def refusal(change: Change) -> Problem | None:
    """Return the error of a change that Novita does not offer, because the data would be lost; else None."""
    live = getattr(change, "live", None)
    desired = getattr(change, "desired", None)
    if live is None or desired is None:
        return None
    for field in change.fields:
        if field.path == REGION:
            return Problem(
                code="storage-region",
                summary=f"`{change.name}` is in {field.before} and cannot move to {field.after}",
                detail="A storage has one region for its life. A new one in the other region would be empty,"
                " and the data would be lost.",
                hint=f"write `region: {field.before}`; or declare a second storage under another name,"
                " copy the data, and remove this one afterwards",
                address=change.address,
                place=desired.place_of(REGION),
            )
        if field.path == SIZE and _is_smaller(field):
            return Problem(
                code="storage-shrink",
                summary=f"`{change.name}` has {field.before} GB and cannot shrink to {field.after} GB",
                detail="Novita only lets a storage grow. A smaller one would be a new one, and the data would"
                " be lost.",
                hint=f"write `sizeGb: {field.before}`; or declare a second storage under another name, copy"
                " the data, and remove this one afterwards",
                address=change.address,
                place=desired.place_of(SIZE),
            )
    return None


def region_problems(user: Desired, path: Path, storage: Desired) -> Iterator[Problem]:
    """Yield an error if an endpoint, whose region is that of its spec, mounts a storage of another one."""
    wanted, region = storage.fields["clusterId"], user.fields.get("clusterID")
    if reveal(wanted) == reveal(region):
        return
    yield Problem(
        code="other-region",
        summary=f"`{user.name}` is in {region} and cannot mount `{storage.name}`, which is in {wanted}",
        detail=f"The region of the endpoint is that of its spec `{user.spec_name}`; the region of the storage"
        f" is declared in {storage.place_of(REGION)}. Workers reach only storages of their own region.",
        hint=f"choose a spec in {wanted}, or declare another storage in {region} for it",
        address=user.address,
        place=user.place_of(path),
    )


def gone_warning(change: Create, gone: Tracked, users: str) -> Problem:
    """Return the warning that a storage is gone with its data, and that the new one is empty."""
    return Problem(
        code="storage-gone",
        severity=Severity.WARNING,
        summary=f"`{change.name}` was {gone.id}, which is gone with all its data"
        + (f" although it is mounted by {users}" if users else "")
        + "; the storage that is created again is empty",
        detail="Novita releases storages three days after an account goes overdue. They cannot be restored.",
        hint="if nobody deleted it, look at the balance first: " + command_line("reconciler", "doctor"),
        address=change.address,
        place=change.desired.place,
    )


def _is_smaller(field: FieldChange) -> bool:
    before, after = field.before, field.after
    return isinstance(before, int) and isinstance(after, int) and after < before
