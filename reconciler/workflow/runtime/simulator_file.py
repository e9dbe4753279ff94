"""The guard against secrets in the state file of the embedded simulator, which holds them in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.plan import Change
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.secrets import Secret, map_secrets
from reconciler.planning.steps import requests_of
from reconciler.workflow.runtime.context import SIMULATOR_FILE

CONSENT: Final = "RECONCILER_SIMULATOR_KEEPS_SECRETS"
"""The variable that allows it with `yes`."""


def stored_secret_guards(changes: Iterable[Change], environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a guard for each change that would write a secret to that file, unless the user allowed it."""
    if environ.get(CONSENT) == "yes":
        return
    for change in changes:
        sources = sorted({source for request in requests_of(change) for source in _secrets(request.body)})
        if sources:
            yield Problem(
                code="simulator-keeps-secrets",
                summary=f"the simulator would store {', '.join(sources)} of `{change.name}`"
                f" in plain text in {SIMULATOR_FILE}",
                detail="The file keeps the simulated account between runs, with every value sent to it.",
                hint="use test values and allow this with "
                f"`{command_line('export', f'{CONSENT}=yes')}`,"
                " or run `reconciler simulator`, which keeps the account in memory only",
                address=change.address,
                exit_code=ExitCode.GUARD,
            )


def _secrets(body: object) -> set[str]:
    """Return the secrets in a body: references as the YAML states them, and `env.KEY` from the command line.

    A value from the command line that may be shown is not a secret.
    """
    from reconciler.config.references.disclosure import is_showable

    sources: set[str] = set()

    def add(secret: Secret) -> Secret:
        if secret.is_referenced or not is_showable(secret.source, secret.value):
            sources.add(f"`{secret.source}`")
        return secret

    map_secrets(body, add)
    return sources
