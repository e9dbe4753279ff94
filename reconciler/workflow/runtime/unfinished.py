"""The approved plan that an apply keeps until it has performed all of it."""

from __future__ import annotations

from pathlib import Path

from reconciler.inventory.files import companion, resolve
from reconciler.model.command import command_line
from reconciler.model.problem import Problem, Severity
from reconciler.workflow.runtime.context import Context


def approved_plan_path(context: Context) -> Path:
    """Return the file that keeps an approved plan until it has been performed."""
    return companion(resolve(context.state_path), ".approved.json")


def has_approved_plan(context: Context) -> bool:
    """Return whether an approved apply has not finished."""
    return approved_plan_path(context).exists()


def unfinished_apply() -> Problem:
    """Return the note that an approved apply is not complete, and how to complete it."""
    return Problem(
        code="apply-unfinished",
        severity=Severity.NOTE,
        summary="an approved apply has not finished",
        hint=f"{command_line('reconciler', 'apply', '--resume')}   makes the changes that are left",
    )
