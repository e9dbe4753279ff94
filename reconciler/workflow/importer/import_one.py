"""`reconciler import NAME ID`: record a live endpoint that was created elsewhere."""

from __future__ import annotations

from dataclasses import replace

from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import split_address
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.resource import Desired, Inventory, Tracked, address, key_of
from reconciler.planning.guards import foreign_guard
from reconciler.planning.records import imperative_record, import_notes, import_problem, live_record
from reconciler.workflow.runtime.account import reader
from reconciler.workflow.runtime.config import load_config, load_files
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import owners_by_id
from reconciler.workflow.runtime.inventory import locked_inventory, require_claim
from reconciler.workflow.runtime.live import list_if_recorded
from reconciler.workflow.runtime.settings import base_url, valid_settings
from reconciler.workflow.stores.neighbors import refuse_of_neighbors


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRecord:
    """The record of an endpoint; `is_new` is False if it was recorded before."""

    record: Tracked
    is_new: bool
    problems: tuple[Problem, ...] = ()


def import_record(context: Context, name: str, object_id: str) -> ImportedRecord:
    """Record the live endpoint with that ID under that name. The name of another kind is its address.

    If the name is declared, the live fields count as applied last, so that the next plan shows differences as
    changes of the YAML. A record that was only adopted by its name is confirmed. Raise InvalidConfig if the
    endpoint does not exist, if another environment or another inventory of the store records it, if the name
    or the ID is recorded otherwise, or if the inventory belongs to another account.
    """
    kind, name = split_address(name)
    settings, desired = valid_settings(context), _find_declared(context, name, kind)
    if (owner := owners_by_id(context).get(object_id)) is not None:
        raise InvalidConfig(foreign_guard(name, object_id, owner))
    refuse_of_neighbors(context, {object_id: key_of(name, kind)})
    keyring = settings.keyring
    with reader(context, settings) as endpoints:
        account = endpoints.of(kind)
        live = account.get(object_id)
        inventory = load_inventory(context.store)
        claim = require_claim(context, settings, inventory, list_if_recorded(endpoints, inventory))

        def existing_record(inventory: Inventory) -> Tracked | None:
            """Return the record of this name and ID. Raise InvalidConfig if another record conflicts."""
            recorded = inventory.of(kind)
            record = recorded.records.get(name)
            if record is not None and record.id == object_id:
                return record
            occupant = account.get(record.id) if record is not None else None
            if problem := import_problem(name, object_id, live, recorded, occupant, kind):
                raise InvalidConfig(problem)
            return None

        before = existing_record(inventory)
        if before is not None and (live is None or not before.adopted):
            return ImportedRecord(record=before, is_new=False, problems=claim.problems)
        assert live is not None  # a missing endpoint was refused
        if before is not None:
            record = replace(before, adopted=False)
        else:
            record = (
                live_record(desired, live, keyring) if desired else imperative_record(name, live, keyring)
            )
        with locked_inventory(context, base_url(settings)) as session:
            if existing_record(session.inventory) == before:
                session.set_owner(claim.owner)
                session.record(record)
    return ImportedRecord(record=record, is_new=True, problems=(*claim.problems, *import_notes(record, live)))


def _find_declared(context: Context, name: str, kind: str) -> Desired | None:
    """Return the declaration of that name. Unset references of other endpoints are allowed."""
    lenient = load_config(context, lenient=True, needs_endpoints=False)
    if all(desired.address != address(name, kind) for desired in (*lenient.desired, *lenient.others)):
        return None
    loaded = load_files(context, is_selected=lambda declared: declared == name)
    for desired in (*loaded.desired, *loaded.others):
        if desired.address == address(name, kind):
            return desired
    raise InvalidConfig(*(error for error in loaded.errors if error.address in (None, address(name, kind))))
