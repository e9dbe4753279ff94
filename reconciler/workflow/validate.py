"""The files alone: no network, no key, no inventory."""

from __future__ import annotations

from dataclasses import replace

from reconciler.config.files.unread import hidden
from reconciler.config.loader import Loaded, load
from reconciler.workflow.runtime.context import Context


def validate(context: Context) -> Loaded:
    """All problems at once; an unset reference is a warning here."""
    loaded = load(context.root, context.files, environ=context.environ, dotenv=context.dotenv, lenient=True)
    if context.on_call is None:
        return loaded
    return replace(loaded, problems=(*loaded.problems, *hidden(loaded.hidden)))
