"""`reconciler preview`: the exact requests of an apply, or of creating every declared endpoint."""

from __future__ import annotations

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action
from reconciler.model.problem import Problem
from reconciler.model.request import Request
from reconciler.model.resource import Inventory, address
from reconciler.planning.steps import requests_of, stages
from reconciler.planning.sync.schedules import apply_schedules
from reconciler.workflow.plan import PlanResult, plan
from reconciler.workflow.runtime.config import load_config
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.settings import base_url


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedRequest:
    """A request, with the address and action that it belongs to."""

    address: str
    action: Action
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Requests in sending order. `planned` is None if the account was not read."""

    requests: tuple[PreviewedRequest, ...]
    base_url: str
    problems: tuple[Problem, ...]
    planned: PlanResult | None = None


def preview(context: Context) -> Preview:
    """Return the requests that `apply` would send now."""
    planned = plan(context)
    return Preview(
        requests=tuple(
            PreviewedRequest(address=change.address, action=change.action, request=request)
            for stage in stages(planned.plan.changes)
            for change in stage
            for request in requests_of(change)
        ),
        base_url=base_url(planned.settings),
        problems=planned.plan.problems,
        planned=planned,
    )


def preview_creates(context: Context) -> Preview:
    """Return the create request of every declared endpoint. Works offline and without an API key."""
    loaded = load_config(context, lenient=True, is_offline=True)
    scheduled, notes = apply_schedules(loaded.desired, Inventory(), context.now(), context.selection)
    return Preview(
        requests=tuple(
            PreviewedRequest(
                address=address(desired.name),
                action=Action.CREATE,
                request=ENDPOINT.create_request(desired),
            )
            for desired in scheduled
            if context.selection.has(desired.name)
        ),
        base_url=base_url(loaded.settings),
        problems=(
            *loaded.problems,
            *notes,
            *context.selection.unmatched(desired.name for desired in loaded.desired),
        ),
    )
