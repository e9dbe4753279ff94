"""The approved plan that an apply keeps until it has performed all of it."""

from __future__ import annotations

from pathlib import Path

from reconciler.inventory.files import document_path
from reconciler.inventory.stores.base import APPROVED_PLAN
from reconciler.inventory.stores.file.store import file_of
from reconciler.model.command import command_line
from reconciler.model.problem import Problem, Severity
from reconciler.workflow.runtime.context import Context


def approved_plan_path(context: Context) -> Path:
    """Return the file that keeps an approved plan until it has been performed.

    In a store that is no file it is a document, and the path only says that it belongs to the root.
    """
    path = file_of(context.store) or context.root / "inventory"
    return document_path(path, APPROVED_PLAN)


def has_approved_plan(context: Context) -> bool:
    """Return whether an approved apply has not finished."""
    return context.store.read_document(APPROVED_PLAN) is not None


def unfinished_apply() -> Problem:
    """Return the note that an approved apply is not complete, and how to complete it."""
    return Problem(
        code="apply-unfinished",
        severity=Severity.NOTE,
        summary="an approved apply has not finished",
        hint=f"{command_line('reconciler', 'apply', '--resume')}   makes the changes that are left",
    )
