"""`reconciler output`: the URLs of the endpoints that the files declare or the inventory records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.model.command import Operand, command_line
from reconciler.model.errors import EndpointNotFound, InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Live, address
from reconciler.model.status import EndpointInfo, Managed
from reconciler.reports.run.outputs import EndpointOutput
from reconciler.workflow.endpoints import (
    LocalState,
    find_endpoint,
    foreign_note,
    foreign_owner,
    list_endpoints,
    load_local_state,
    refuse_foreign,
)
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The outputs of endpoints, sorted by name, and problems that are no errors."""

    outputs: tuple[EndpointOutput, ...]
    problems: tuple[Problem, ...] = ()


def all_outputs(context: Context) -> Outputs:
    """Return the selected endpoints that are declared, recorded or imperative.

    Raise InvalidConfig if a selector matches none, or if two of the endpoints have the same name.
    """
    listed = list_endpoints(context)
    managed = [endpoint for endpoint in listed.endpoints if endpoint.managed is not Managed.UNMANAGED]
    by_name: dict[str, EndpointInfo] = {}
    for endpoint in managed:
        if (other := by_name.setdefault(endpoint.name, endpoint)) is not endpoint:
            raise InvalidConfig(_same_name(endpoint.name, other.id, endpoint.id))
    outputs = tuple(EndpointOutput(name=name, url=info.url, id=info.id) for name, info in by_name.items())
    return Outputs(outputs=outputs, problems=(*listed.problems, *_without_url(outputs)))


def url_to_open(context: Context, name: str) -> tuple[EndpointOutput, tuple[Problem, ...]]:
    """Return the same as `one_output` for `open`, and a note if it belongs to another environment."""
    local, live = _found(context, name)
    owner = foreign_owner(live, local.inventory, local.owners)
    return _output_of(live), foreign_note(live.name, live.id, owner)


def one_output(context: Context, name: str) -> EndpointOutput:
    """Return the output of the endpoint with that name or ID. Raise EndpointNotFound if it has no URL yet.

    Raise InvalidConfig if it belongs to another environment.
    """
    local, live = _found(context, name)
    refuse_foreign(live, local.inventory, local.owners)
    return _output_of(live)


def _found(context: Context, name: str) -> tuple[LocalState, Live]:
    local = load_local_state(context)
    with reader(context, local.settings) as account:
        return local, find_endpoint(account, local.inventory, name)


def _output_of(live: Live) -> EndpointOutput:
    output = EndpointOutput(name=live.name, url=live.url, id=live.id)
    for problem in _without_url([output]):
        raise EndpointNotFound(replace(problem, severity=Severity.ERROR))
    return output


def _without_url(outputs: Iterable[EndpointOutput]) -> Iterable[Problem]:
    for output in outputs:
        if not output.url:
            yield Problem(
                code="no-url",
                severity=Severity.WARNING,
                summary=f"Novita has not assigned a URL to `{output.name}` yet",
                hint=f"wait until it serves: {command_line('reconciler', 'watch', Operand(output.name))}",
                address=address(output.name),
            )


def _same_name(name: str, *ids: str) -> Problem:
    return Problem(
        code="ambiguous-name",
        summary=f"{len(ids)} managed endpoints are called `{name}`: {', '.join(sorted(ids))}",
        hint="ask for one of them by its ID: " + command_line("reconciler", "output", min(ids)),
        address=address(name),
    )
