"""`reconciler list`, `get` and `status`: read endpoints. Endpoint files are not required."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.inventory.map_format import NOT_DECLARED
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import EndpointNotFound, InvalidConfig, InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.model.settings import Settings
from reconciler.model.status import EndpointInfo, Managed
from reconciler.model.sync.lease import Lease
from reconciler.model.text import closest_match
from reconciler.model.values import Fields
from reconciler.novita.account import AccountReader
from reconciler.planning.guards import foreign_guard
from reconciler.planning.leases import running_leases
from reconciler.planning.matching import MatchedEndpoint, managed, matched
from reconciler.planning.sync.schedules import scheduled_counts
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import owners_by_id
from reconciler.workflow.runtime.live import list_complete
from reconciler.workflow.runtime.settings import valid_settings

if TYPE_CHECKING:
    from reconciler.config.specs import Specs
    from reconciler.workflow.runtime.files.memory import FileMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointList:
    """Endpoints sorted by name, and problems that made their management status uncertain.

    For a single endpoint also its `configuration`, with secrets hidden, and the spec that is declared for it;
    "" if none is.
    """

    endpoints: tuple[EndpointInfo, ...]
    problems: tuple[Problem, ...] = ()
    configuration: Fields = field(default_factory=dict)
    spec_name: str = ""


@dataclass(frozen=True, kw_only=True)
class LocalState:
    """Settings, inventory, specs and declarations. `desired` is None if the declarations are unknown.

    `owners` are the environments of endpoints that belong to other ones, by ID. `others` are the declared
    resources of other kinds.
    """

    settings: Settings
    inventory: Inventory
    desired: tuple[Desired, ...] | None
    owners: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    specs: Specs
    others: tuple[Desired, ...] = ()

    def describe(
        self, live: Iterable[Live], known: Sequence[Live], now: datetime
    ) -> tuple[EndpointInfo, ...]:
        """Return these endpoints, redacted and sorted by name; `known` are all known live endpoints.

        Leases are those that run at `now`, and schedules have their counts at that time.
        """
        leases = running_leases(self.inventory, now)
        managed_by_id = managed(self.desired, self.inventory, known)

        def described(endpoint: Live) -> EndpointInfo:
            manager = managed_by_id.get(endpoint.id, Managed.UNMANAGED)
            match = self.match(endpoint)
            info = leased(ENDPOINT.endpoint_info(match.redacted, manager), leases)
            if match.desired and match.desired.schedule and info.lease is None:
                info = replace(info, scheduled=scheduled_counts(match.desired.schedule, now))
            owner = "" if endpoint.id in self._records else self.owners.get(endpoint.id, "")
            if owner:
                return replace(info, environment=owner, managed=Managed.UNMANAGED)
            return info

        return tuple(sorted(map(described, live), key=lambda info: (info.name, info.id)))

    def match(self, live: Live) -> MatchedEndpoint:
        """Return a live endpoint with its record and its declaration."""
        record = self._records.get(live.id)
        name = record.name if record else live.name
        return matched(name, self._declared.get(name), record, live)

    @cached_property
    def _records(self) -> Mapping[str, Tracked]:
        return {record.id: record for record in self.inventory.records.values()}

    @cached_property
    def _declared(self) -> Mapping[str, Desired]:
        return {desired.name: desired for desired in self.desired or ()}


def leased(info: EndpointInfo, leases: Mapping[str, Lease]) -> EndpointInfo:
    """Return the endpoint with its running lease; `leases` are those by ID."""
    return replace(info, lease=leases[info.id]) if info.id in leases else info


def foreign_owner(live: Live, inventory: Inventory, owners: Mapping[str, str]) -> str:
    """Return the other environment that records the endpoint; "" if there is none, or the inventory does."""
    owner = owners.get(live.id, "")
    is_recorded = owner and any(record.id == live.id for record in inventory.records.values())
    return "" if is_recorded else owner


def refuse_foreign(live: Live, inventory: Inventory, owners: Mapping[str, str]) -> None:
    """Raise InvalidConfig if another environment records the endpoint, and the inventory does not."""
    if owner := foreign_owner(live, inventory, owners):
        raise InvalidConfig(foreign_guard(live.name, live.id, owner))


def foreign_note(name: str, object_id: str, owner: str) -> tuple[Problem, ...]:
    """Return a note that the environment `owner` records the endpoint; () if that is ""."""
    note = Problem(
        code="other-environment",
        severity=Severity.NOTE,
        summary=f"`{name}` ({object_id}) belongs to the environment `{owner}`",
        address=address(name),
    )
    return (note,) if owner else ()


def list_endpoints(context: Context) -> EndpointList:
    """Return the selected endpoints of the account. Raise InvalidConfig if a selector matches none."""
    local = load_local_state(context)
    with reader(context, local.settings) as account:
        live = list_complete(account, (record.id for record in local.inventory.records.values())).endpoints
    return _selected(context, local.describe(live, live, context.now()), local.problems)


def list_statuses(context: Context) -> EndpointList:
    """Return the selected endpoints for `status`. Raise InvalidConfig if a selector matches none.

    A status depends on no declaration and shows no field that could be a secret, so no endpoint file is read.
    """
    settings = valid_settings(context, lenient=True)
    inventory, problems = load_inventory_leniently(context)
    with reader(context, settings) as account:
        live = list_complete(account, (record.id for record in inventory.records.values())).endpoints
    leases = running_leases(inventory, context.now())
    infos = sorted(
        (leased(ENDPOINT.endpoint_info(one), leases) for one in live),
        key=lambda info: (info.name, info.id),
    )
    return _selected(context, tuple(infos), problems)


def _selected(
    context: Context, infos: tuple[EndpointInfo, ...], problems: tuple[Problem, ...]
) -> EndpointList:
    """Return the selected ones of these endpoints. Raise InvalidConfig if a selector matches none."""
    if unmatched := context.selection.unmatched(info.name for info in infos):
        raise InvalidConfig(*unmatched)
    selected = tuple(info for info in infos if context.selection.has(info.name))
    return EndpointList(endpoints=selected, problems=problems)


def get_endpoint(context: Context, name: str) -> EndpointList:
    """Return the one endpoint of that name or ID, with its configuration. Raise as `find_endpoint` does."""
    local = load_local_state(context)
    with reader(context, local.settings) as account:
        live, listed = _find(account, local.inventory, name, local.desired or ())
    match = local.match(live)
    return EndpointList(
        endpoints=local.describe((live,), (live, *listed), context.now()),
        problems=local.problems,
        configuration=match.redacted.fields,
        spec_name=match.desired.spec_name if match.desired else "",
    )


def find_endpoint(account: AccountReader, inventory: Inventory, name: str) -> Live:
    """Return the live endpoint of that name, or else of that ID.

    The recorded ID is read first, with one call. If that endpoint is gone or renamed, the account is listed.
    Raise EndpointNotFound if there is none, and InvalidConfig if several have the name.
    """
    return _find(account, inventory, name, ())[0]


def _find(
    account: AccountReader, inventory: Inventory, name: str, declared: Iterable[Desired]
) -> tuple[Live, Sequence[Live]]:
    """Return the endpoint, and the listing if one was made."""
    record = inventory.records.get(name)
    recorded = account.get(record.id) if record else None
    if record and recorded and recorded.name == record.live_name and not recorded.is_terminating:
        return recorded, ()
    listed = account.listing().endpoints
    namesakes = [live for live in listed if live.name == name]
    # a terminating endpoint is meant only if there is no other of the name
    matches = [live for live in namesakes if not live.is_terminating] or namesakes
    if len(matches) > 1:
        raise InvalidConfig(_ambiguous(name, matches))
    match = matches[0] if matches else recorded or next((live for live in listed if live.id == name), None)
    if match is None:
        is_declared = any(desired.name == name for desired in declared)
        raise EndpointNotFound(_not_found(name, listed, is_declared=is_declared))
    return match, listed


def load_local_state(context: Context, memory: FileMemory | None = None) -> LocalState:
    """Return settings, inventory and declarations. Raise InvalidConfig for errors in the settings.

    An inventory or endpoint files with errors only add a note. memory: what the caller has read before.
    """
    settings = valid_settings(context, lenient=True)
    loaded = (
        memory.load(context, settings)
        if memory is not None
        else load_files(context, lenient=True, needs_endpoints=False)
    )
    inventory, problems = load_inventory_leniently(context, loaded.declared_fields)
    if errors := loaded.errors:
        reason = f"the files have errors, the first is: {errors[0].summary}"
        note = _managed_unknown(reason, "reconciler validate   lists all errors").at(errors[0].place)
        problems = (*problems, note)
    is_known = loaded.has_endpoint_files and not errors
    return LocalState(
        settings=settings,
        inventory=inventory,
        desired=loaded.desired if is_known else None,
        owners=owners_by_id(context),
        problems=problems,
        specs=loaded.specs,
        others=loaded.others,
    )


def load_inventory_leniently(
    context: Context, declared: Mapping[str, Fields] = NOT_DECLARED
) -> tuple[Inventory, tuple[Problem, ...]]:
    """Return the inventory; an empty one and a note if it cannot be read. declared: as in `load`."""
    try:
        return load_inventory(context.store, declared), ()
    except InventoryError as error:
        reason = f"the inventory cannot be read: {error.problem.summary}"
        return Inventory(), (_managed_unknown(reason, error.problem.hint),)


def _managed_unknown(reason: str, hint: str) -> Problem:
    return Problem(
        code="managed-unknown",
        severity=Severity.NOTE,
        summary=f"the management status of endpoints may be wrong, because {reason}",
        hint=hint,
    )


def _ambiguous(name: str, matches: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(live.id for live in matches))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(matches)} live endpoints are called `{name}`: {ids}",
        hint="give the ID instead of the name",
        address=address(name),
    )


def _not_found(name: str, listed: Sequence[Live], *, is_declared: bool) -> Problem:
    """Return the error with the text of the seed's troubleshooting guide."""
    close = closest_match(name, dict.fromkeys(live.name for live in listed))
    if close:
        hint = f"did you mean `{close}`? `reconciler list` shows all endpoints"
    elif is_declared:
        hint = "it is declared, and `reconciler apply` creates it"
    else:
        hint = "if the endpoint truly doesn't exist, create a new one: declare it and run `reconciler apply`"
    return Problem(
        code="not-found",
        summary=f"endpoint not found in Novita: `{name}`",
        detail="The account was listed just now. The endpoint was deleted elsewhere, or never created.",
        hint=hint,
        address=address(name),
    )
