"""Which images an apply warms before it changes their endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.kinds.registry import KINDS
from reconciler.model.plan import Adopt, Change, Create, Replace, Update
from reconciler.model.prewarm import PulledImage
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live
from reconciler.model.text import quantity


def images_to_warm(changes: Iterable[Change]) -> tuple[PulledImage, ...]:
    """Return the images that new workers will pull, each once in its region, with the endpoints that ask."""
    found: dict[tuple[str, str], PulledImage] = {}
    for change in changes:
        image = _new_image(change)
        if image is not None:
            known = found.get(image.key, image)
            found[image.key] = replace(known, endpoints=(*known.endpoints, change.name))
    return tuple(found.values())


def pulled_keys(live: Iterable[Live]) -> frozenset[tuple[str, str]]:
    """Return the images and regions of live endpoints."""
    images = (KINDS[one.kind].image_to_pull(one.fields) for one in live)
    return frozenset(image.key for image in images if image is not None)


def prewarm_notes(changes: Sequence[Change], *, within: float) -> Iterator[Problem]:
    """Yield the note that tells which images an apply warms; `within` is how long it waits (seconds)."""
    if not (images := images_to_warm(changes)):
        return
    minutes, seconds = divmod(within, 60)
    longest = quantity(int(minutes), "minute") if minutes and not seconds else f"{within:g} seconds"
    wait = f"for at most {longest}" if within else "without a wait"
    verb = "is" if len(images) == 1 else "are"
    yield Problem(
        code="prewarm",
        severity=Severity.NOTE,
        summary=f"{quantity(len(images), 'image')} {verb} warmed before the endpoints are changed, {wait}",
        detail="; ".join(f"{image} for {', '.join(image.endpoints)}" for image in images),
    )


def _new_image(change: Change) -> PulledImage | None:
    """Return the image that the workers of a change are the first to pull; None if there is none."""
    if not isinstance(change, Create | Update | Adopt | Replace) or not change.desired.prewarm:
        return None
    kind = KINDS[change.kind]
    if isinstance(change, Create):
        return kind.image_to_pull(change.desired.fields)
    is_partial = change.desired.is_partial
    fields = kind.merge_fields(change.live.fields, change.target) if is_partial else change.target
    image = kind.image_to_pull(fields)
    if image is None or isinstance(change, Replace):
        return image
    before = kind.image_to_pull(change.live.fields)
    return None if before is not None and before.key == image.key else image
