"""What is there: all endpoints of the account, or one by name. Reads only, and needs no endpoint files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reconciler.config.loader import load, load_settings
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, address
from reconciler.model.settings import Settings
from reconciler.model.status import EndpointInfo, Managed
from reconciler.model.text import closest_match
from reconciler.novita.account import AccountReader
from reconciler.planning.matching import managed, matched
from reconciler.workflow.runtime.account import list_complete, reader
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Apps:
    """The endpoints by name, and what keeps anybody from telling all about them."""

    apps: tuple[EndpointInfo, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known before the account is asked. `desired` is None where nobody can tell what is declared."""

    settings: Settings
    inventory: Inventory
    desired: tuple[Desired, ...] | None
    problems: tuple[Problem, ...] = ()

    def seen(self, live: Iterable[Live], among: Sequence[Live]) -> tuple[EndpointInfo, ...]:
        """These endpoints by name, with whose they are; `among` is all that is known to be live."""
        whose = managed(self.desired, self.inventory, among)
        records = {record.id: record for record in self.inventory.records.values()}
        declared = {one.name: one for one in self.desired or ()}

        def shown(one: Live) -> Live:
            record = records.get(one.id)
            name = record.name if record else one.name
            return matched(name, declared.get(name), record, one).redacted

        apps = (ENDPOINT.app_of(shown(one), whose.get(one.id, Managed.UNMANAGED)) for one in live)
        return tuple(sorted(apps, key=lambda app: (app.name, app.id)))


def apps(context: Context) -> Apps:
    """Every endpoint of the account that the run is about."""
    ground = survey(context)
    with reader(context, ground.settings) as account:
        live = list_complete(account, (one.id for one in ground.inventory.records.values())).endpoints
    seen = ground.seen(live, live)
    unmatched = context.selection.unmatched(app.name for app in seen)
    if unmatched:
        raise InvalidConfig(*unmatched)
    return Apps(apps=tuple(app for app in seen if context.selection.has(app.name)), problems=ground.problems)


def app(context: Context, name: str) -> Apps:
    """The one endpoint of that name or ID. Raises InvalidConfig when there is none, or more than one."""
    ground = survey(context)
    with reader(context, ground.settings) as account:
        found, listed = _find(account, ground.inventory, name, ground.desired or ())
    return Apps(apps=ground.seen((found,), (found, *listed)), problems=ground.problems)


def find(account: AccountReader, inventory: Inventory, name: str) -> Live:
    """The live endpoint of that name, else the one of that ID.

    The recorded ID is asked for first: one call. Where it is gone, or called otherwise by now, the listing
    decides, and a record by its ID where no endpoint has that name. Raises InvalidConfig when there is none,
    or when several are called so.
    """
    return _find(account, inventory, name, ())[0]


def _find(
    account: AccountReader, inventory: Inventory, name: str, declared: Iterable[Desired]
) -> tuple[Live, Sequence[Live]]:
    """That endpoint, and the listing if one was needed."""
    record = inventory.records.get(name)
    recorded = account.get(record.id) if record else None
    if record and recorded and recorded.name == record.live_name and not recorded.is_terminating:
        return recorded, ()
    listed = account.listing().endpoints
    namesakes = [one for one in listed if one.name == name]
    # one that is on its way out is meant only where there is no other
    called = [one for one in namesakes if not one.is_terminating] or namesakes
    if len(called) > 1:
        raise InvalidConfig(_several(name, called))
    found = called[0] if called else recorded or next((one for one in listed if one.id == name), None)
    if found is None:
        raise InvalidConfig(_absent(name, listed, is_declared=any(one.name == name for one in declared)))
    return found, listed


def survey(context: Context) -> Ground:
    """Settings, inventory and YAML. Only settings must be sound; the rest is told as a note where it is not.

    Raises InvalidConfig for the settings.
    """
    settings, faults = load_settings(
        context.root, environ=context.environ, dotenv=context.dotenv, lenient=True
    )
    if any(problem.is_error for problem in faults):
        raise InvalidConfig(*faults)
    problems: list[Problem] = []
    try:
        inventory = load_inventory(context.state_path)
    except InventoryError as error:
        inventory = Inventory()
        problems.append(_untold(f"the inventory cannot be read: {error.problem.summary}", error.problem.hint))
    loaded = load(context.root, context.files, environ=context.environ, dotenv=context.dotenv, lenient=True)
    errors = [problem for problem in loaded.errors if problem.code != "no-endpoints"]
    if errors:
        why = f"the files have errors, the first is: {errors[0].summary}"
        problems.append(_untold(why, "reconciler validate   tells all of them").at(errors[0].place))
    known = loaded.found_endpoint_file and not errors
    return Ground(
        settings=settings,
        inventory=inventory,
        desired=loaded.desired if known else None,
        problems=tuple(problems),
    )


def _untold(why: str, hint: str) -> Problem:
    return Problem(
        code="managed-unknown",
        severity=Severity.NOTE,
        summary=f"whose an endpoint is may be wrong here, for {why}",
        hint=hint,
    )


def _several(name: str, called: Sequence[Live]) -> Problem:
    ids = ", ".join(sorted(one.id for one in called))
    return Problem(
        code="ambiguous-name",
        summary=f"{len(called)} live endpoints are called `{name}`: {ids}",
        hint="give the ID instead of the name to say which one is meant",
        address=address(name),
    )


def _absent(name: str, listed: Sequence[Live], *, is_declared: bool) -> Problem:
    """In the words of the seed's troubleshooting."""
    close = closest_match(name, dict.fromkeys(one.name for one in listed))
    if close:
        hint = f"did you mean `{close}`? `reconciler list` shows all endpoints"
    elif is_declared:
        hint = "it is declared, and `reconciler apply` creates it"
    else:
        hint = "if the endpoint truly doesn't exist, create a new one: declare it and run `reconciler apply`"
    return Problem(
        code="not-found",
        summary=f"endpoint not found in Novita: `{name}`",
        detail="The account was listed anew just now. The endpoint was deleted elsewhere, or never created.",
        hint=hint,
        address=address(name),
    )
