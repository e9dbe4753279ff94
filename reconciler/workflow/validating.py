"""The files alone: no network, no key, no inventory."""

from __future__ import annotations

from reconciler.config.load import Loaded, load
from reconciler.workflow.context import Context


def validate(context: Context) -> Loaded:
    """All problems at once; an unset reference is a warning here."""
    return load(context.root, context.files, environ=context.environ, lenient=True)
