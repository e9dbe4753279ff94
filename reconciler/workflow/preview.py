"""The exact requests: of the plan as it stands, or of creating everything that is declared."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.plan import Action
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import address
from reconciler.planning.order import stages
from reconciler.planning.steps import requests_of
from reconciler.workflow.plan import PlanResult, plan
from reconciler.workflow.runtime.account import base_url
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """One request and what it is for."""

    address: str
    action: Action
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Requests in sending order. `planned` is None when the account was not asked."""

    requests: tuple[Previewed, ...]
    base_url: str
    problems: tuple[Problem, ...]
    planned: PlanResult | None = None


def preview(context: Context) -> Preview:
    """What `apply` would send now."""
    made = plan(context)
    return Preview(
        requests=tuple(
            Previewed(address=change.address, action=change.action, request=request)
            for stage in stages(made.plan.changes)
            for change in stage
            for request in requests_of(change)
        ),
        base_url=base_url(made.settings),
        problems=made.plan.problems,
        planned=made,
    )


def preview_creates(context: Context) -> Preview:
    """The create request of every declared endpoint, without a network and without a key."""
    loaded = load_config(context, lenient=True)
    return Preview(
        requests=tuple(
            Previewed(address=address(one.name), action=Action.CREATE, request=ENDPOINT.create_request(one))
            for one in loaded.desired
            if context.selection.has(one.name)
        ),
        base_url=base_url(loaded.settings),
        problems=(
            *loaded.problems,
            *context.selection.unmatched(one.name for one in loaded.desired),
        ),
    )
