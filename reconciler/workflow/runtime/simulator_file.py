"""The simulator of this process keeps its account in a file, in clear: whether secrets may go there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.model.command import command_line
from reconciler.model.exit_codes import Exit
from reconciler.model.plan import Change
from reconciler.model.problem import Problem
from reconciler.model.values import Secret, map_secrets
from reconciler.planning.steps import requests_of
from reconciler.workflow.runtime.context import WORLD

CONSENT: Final = "RECONCILER_SIMULATOR_KEEPS_SECRETS"
"""The variable that says `yes` to it."""


def stored_secret_guards(changes: Iterable[Change], environ: Mapping[str, str]) -> Iterator[Problem]:
    """A guard for each change that would write a secret to the file, unless somebody consented."""
    if environ.get(CONSENT) == "yes":
        return
    for change in changes:
        sources = sorted({source for request in requests_of(change) for source in _secrets(request.body)})
        if sources:
            yield Problem(
                code="simulator-keeps-secrets",
                summary=f"the simulator would keep {', '.join(sources)} of `{change.name}`"
                f" in clear in {WORLD}",
                detail="It plays the account, and gives back on the next run what was sent in this one.",
                hint="give them other values for a trial and say so with "
                f"`{command_line('export', f'{CONSENT}=yes')}`,"
                " or run `reconciler simulator`, which keeps the account in memory",
                address=change.address,
                exit_code=Exit.GUARD,
            )


def _secrets(body: object) -> set[str]:
    """The secrets in a body: references as they stand in the YAML, and `env.KEY` given by hand.

    Given by hand, a plain word is none, unless its variable is named like a secret.
    """
    from reconciler.config.references.disclosure import may_be_shown

    found: set[str] = set()

    def note(secret: Secret) -> Secret:
        if secret.is_referenced or not may_be_shown(secret.source, secret.value):
            found.add(f"`{secret.source}`")
        return secret

    map_secrets(body, note)
    return found
