"""Problems of the image of an endpoint: one that no registry can have, and one without a version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.base import Locate
from reconciler.kinds.endpoint.fields import IMAGE_WITHOUT_VERSION
from reconciler.kinds.image_reference import DEFAULT_TAG, InvalidReference, parse
from reconciler.model.problem import Problem, Severity


def image_problems(declared: Mapping[str, Any], locate: Locate) -> Iterator[Problem]:
    """Yield an error for an image that is not a reference, or a warning for one that has no version.

    A secret is not checked, and never printed.
    """
    image = declared.get("image")
    if not isinstance(image, str):
        return
    try:
        reference = parse(image)
    except InvalidReference as error:
        meant = error.meant or "registry.example.com/team/model:1.4.2"
        yield Problem(
            code="bad-image",
            summary=f"`{image}` is not the reference of an image: {error.reason}",
            hint=f"write `image: {meant}`" if error.meant else f"write it like `image: {meant}`",
            place=locate(("image",)),
        )
        return
    if reference.has_no_version:
        which = f"the tag `{DEFAULT_TAG}`" if reference.tag else "no tag"
        yield Problem(
            code=IMAGE_WITHOUT_VERSION,
            severity=Severity.WARNING,
            summary=f"`{image}` has {which}: a new worker pulls the newest image, and no plan shows a change",
            hint=f"write a version, such as `image: {reference.name}:1.4.2`",
            place=locate(("image",)),
        )
