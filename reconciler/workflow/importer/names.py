"""The declared names of imported endpoints, in an environment that gives them other names."""

from __future__ import annotations

from dataclasses import replace

from reconciler.kinds.draft import Draft
from reconciler.kinds.registry import KINDS
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT, Live, address
from reconciler.model.settings import NameTemplate
from reconciler.workflow.runtime.context import Context


def has_declared_name(live: Live, names: NameTemplate) -> bool:
    """Return True if the environment gives this name, and this appName, to some declared one."""
    if not names.changes_names:
        return True
    if live.kind != ENDPOINT:
        return names.declared(live.name) is not None
    app_name = str(live.fields.get("appName", live.name))
    return None not in (names.declared(live.name), names.declared(app_name))


def with_declared_names(draft: Draft, names: NameTemplate) -> Draft:
    """Return the draft with the names that the files declare."""
    if not names.changes_names:
        return draft
    keys = {KINDS[live.kind].key for live in draft.live} | {"appName"}
    items = (
        {**item, **{key: names.declared(item[key]) for key in keys if key in item}} for item in draft.items
    )
    return replace(draft, items=tuple(items))


def not_of_environment(live: Live, context: Context) -> Problem:
    """Return the warning that the environment cannot declare this endpoint."""
    return Problem(
        code="not-imported",
        severity=Severity.WARNING,
        summary=f"`{live.name}` is left out ({live.id}): it has no name of the environment"
        f" `{context.environment_name}`, whose names are `{context.names.text}`",
        hint="import it in the environment that it belongs to",
        address=address(live.name, live.kind),
    )
