"""Checks of the secret helpers that are registered. None is run."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.references.helpers import HelperRegistry, InvalidRegistration
from reconciler.model.run_report import Check, CheckStatus
from reconciler.workflow.runtime.context import Context


def helpers_check(context: Context) -> Iterator[Check]:
    """Yield a check of the registered helpers and their programs; nothing if none is registered."""
    registry = HelperRegistry(context.root, context.environ)
    try:
        helpers = registry.helpers
    except InvalidRegistration as error:
        yield Check(name="helpers", status=CheckStatus.FAIL, detail=error.reason, hint=error.hint)
        return
    missing = [helper for helper in helpers.values() if registry.program(helper) is None]
    if missing:
        programs = ", ".join(f"{helper.words[0]} for `{helper.name}`" for helper in missing)
        yield Check(
            name="helpers",
            status=CheckStatus.WARN,
            detail=f"not on PATH outside of the repository: {programs}",
            hint="install it, or register the helper with an absolute path",
        )
    elif helpers:
        yield Check(name="helpers", status=CheckStatus.OK, detail=f"secret helpers: {', '.join(helpers)}")
