"""The check of a preflight that the images exist, and can be pulled with the credential of this user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from reconciler.kinds.image_reference import ImageReference, is_reference, parse
from reconciler.model.durations import IMAGE_CHECK_TIMEOUT
from reconciler.model.plan import Adopt, Change, Create, Replace, Update
from reconciler.model.review.preflight import PreflightCheck, Result
from reconciler.model.values import Fields
from reconciler.registry.challenge import NoSuchImage, NotChecked
from reconciler.registry.client import digests_of
from reconciler.registry.credentials import Credentials

_HINT: Final = (
    "Novita pulls with the credential of the endpoint; this check needs its `registry`, or your own login"
)


def image_checks(changes: Iterable[Change], credentials: Credentials) -> Iterator[PreflightCheck]:
    """Yield a check of each image that a plan writes. Ask its registry, for at most five seconds in all."""
    users: dict[ImageReference, list[str]] = {}
    for change in changes:
        if not isinstance(change, Create | Update | Replace | Adopt):
            continue
        if (image := _asked(change.desired.fields)) is not None:
            users.setdefault(image, []).append(change.address)
    answers = digests_of(users, credentials, IMAGE_CHECK_TIMEOUT)
    for image, addresses in users.items():
        yield _image_check(image, answers[image], tuple(addresses))


def _asked(fields: Fields) -> ImageReference | None:
    """Return the reference that a registry is asked for; that of the digest, if there is one."""
    image = fields.get("image", {}).get("image")
    if not isinstance(image, str) or not is_reference(image):
        return None
    parsed = parse(image)
    return replace(parsed, tag=parsed.digest, digest="") if parsed.digest else parsed


def _image_check(
    image: ImageReference, answer: str | NotChecked, addresses: tuple[str, ...]
) -> PreflightCheck:
    shown = f"image {image.name}{'@' if ':' in image.tag else ':'}{image.tag or 'latest'}"
    if isinstance(answer, str):
        return PreflightCheck(name="image", result=Result.OK, detail=f"{shown} exists", addresses=addresses)
    if isinstance(answer, NoSuchImage):
        return PreflightCheck(
            name="image",
            result=Result.FAIL,
            detail=f"{shown}: {answer}",
            hint="correct `image`, or push it",
            addresses=addresses,
        )
    return PreflightCheck(
        name="image",
        result=Result.NOT_CHECKED,
        detail=f"{shown}: {answer}",
        hint=_HINT,
        addresses=addresses,
    )
