"""The check of a plan whether the regions of new network storages offer any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.model.plan import Change, Create
from reconciler.model.resource import STORAGE
from reconciler.model.review.preflight import PreflightCheck, Result
from reconciler.model.secrets import mask, reveal


def new_storages(changes: Iterable[Change]) -> Sequence[Create]:
    """Return the changes that create a network storage."""
    return [change for change in changes if change.kind == STORAGE and isinstance(change, Create)]


def storage_region_checks(
    created: Sequence[Create], offers: Mapping[str, bool | None] | None
) -> Iterator[PreflightCheck]:
    """Yield a check for each region of new storages. A region that is not listed proves nothing.

    `offers` has whether a region offers network storage, by its ID; None if that could not be read.
    """
    regions: dict[str, list[Create]] = {}
    for change in created:
        regions.setdefault(reveal(change.desired.fields["clusterId"]), []).append(change)
    for region, changes in regions.items():
        shown = mask(changes[0].desired.fields["clusterId"])
        offer = (offers or {}).get(region)
        result, what, hint = Result.OK, f"{shown} offers network storage", ""
        if offer is None:
            result, what = Result.NOT_CHECKED, f"Novita does not say whether {shown} offers network storage"
        elif not offer:
            names = ", ".join(f"`{change.name}`" for change in changes)
            result, what = Result.FAIL, f"{shown} offers no network storage, for {names}"
            hint = "declare another `region`; Novita would refuse to create the storage in this one"
        yield PreflightCheck(
            name="storage-region",
            result=result,
            detail=what,
            hint=hint,
            addresses=tuple(change.address for change in changes),
        )
