"""`drift revert`: what others moved is undone, and what the YAML alone has changed waits for an apply."""

from __future__ import annotations

import dataclasses

from reconciler.model.plan import Cause, Change, Replace, Scale, Update
from reconciler.model.resource import Desired
from reconciler.model.values import with_path_from


def restored(desired: Desired, change: Change) -> Desired:
    """What is declared, with the live value of every field that only the YAML has moved.

    Such a live value is the one applied last, so that the record stays true as well.
    """
    if not isinstance(change, Update | Scale | Replace):
        return desired
    fields = desired.fields
    for field in change.fields:
        if field.cause is Cause.CONFIG:
            fields = with_path_from(fields, change.live.fields, field.path)
    return dataclasses.replace(desired, fields=fields)
