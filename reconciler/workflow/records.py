"""The inventory by hand: list, show, forget, rebuild."""

from __future__ import annotations

import time
from dataclasses import dataclass

from reconciler.inventory.session import load, open_session, start_over
from reconciler.kinds.endpoint.ownership import emitted, owned, reported
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Live, Tracked, address
from reconciler.model.values import Keyring, Secret, seal
from reconciler.workflow.account import base_url, reader
from reconciler.workflow.context import Context
from reconciler.workflow.planning import load_config


def records(context: Context) -> Inventory:
    """What the inventory holds now."""
    return load(context.state_path)


def record(context: Context, name: str) -> Tracked:
    """One record. Raises InvalidConfig when there is none of that name."""
    found = records(context).records.get(name)
    if found is None:
        raise InvalidConfig(_unknown(name))
    return found


def forget(context: Context, names: tuple[str, ...]) -> None:
    """Stop tracking these endpoints; they live on, unmanaged."""
    known = records(context).records
    if missing := [name for name in names if name not in known]:
        raise InvalidConfig(*(_unknown(name) for name in missing))
    with open_session(
        context.state_path,
        base_url=records(context).base_url,
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    ) as session:
        for name in names:
            session.drop(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild recorded, kept and left out."""

    recorded: tuple[Tracked, ...]
    problems: tuple[Problem, ...]


def rebuild(context: Context) -> Rebuilt:
    """Record the ID of every declared endpoint that is live under its name exactly once.

    Records whose ID is alive are kept with what they know; all others are made anew, as if what is live had
    been applied last. An inventory that cannot be read is replaced; its file stays as the backup.
    """
    loaded = load_config(context)
    try:
        old = load(context.state_path).records
    except InventoryError:
        old = {}
    with reader(context, loaded.settings) as account:
        listing = account.listing()
    by_id = {one.id: one for one in listing.endpoints if not one.is_going}
    found: dict[str, Tracked] = {}
    problems: list[Problem] = []
    for desired in loaded.desired:
        kept = old.get(desired.name)
        if kept is not None and kept.id in by_id:
            found[desired.name] = kept
            continue
        namesakes = [one for one in by_id.values() if one.name == desired.name]
        if len(namesakes) == 1:
            found[desired.name] = _as_applied(desired, namesakes[0], loaded.settings.keyring)
        else:
            problems.append(_left_out(desired, namesakes))
    start_over(
        context.state_path,
        Inventory(records=found, base_url=base_url(loaded.settings)),
        command=context.command,
        environ=context.environ,
        clock=time.time,
        lock_timeout=context.lock_timeout,
    )
    return Rebuilt(recorded=tuple(found[name] for name in sorted(found)), problems=tuple(problems))


def _as_applied(desired: Desired, live: Live, keyring: Keyring) -> Tracked:
    """A record that takes what is live for what was applied; values that are secret today are sealed."""
    want = emitted(desired.fields, desired.lifecycle.ignore)
    have = reported(live.fields, owned(want, None))
    envs = have.get("envs", {})
    literal = {key for key, value in want.get("envs", {}).items() if isinstance(value, str)}
    have["envs"] = {
        key: value if key in literal else Secret(value=value, source="live") for key, value in envs.items()
    }
    image = have.get("image", {})
    if isinstance(want.get("image", {}).get("command"), Secret) and "command" in image:
        have["image"] = {**image, "command": Secret(value=image["command"], source="live")}
    return Tracked(
        name=desired.name,
        id=live.id,
        applied=seal(have, keyring),
        prevent_destroy=desired.lifecycle.prevent_destroy,
    )


def _left_out(desired: Desired, namesakes: list[Live]) -> Problem:
    if not namesakes:
        return Problem(
            code="not-live",
            severity=Severity.NOTE,
            summary=f"`{desired.name}` is not live; the next apply creates it",
            address=address(desired.name),
        )
    return Problem(
        code="ambiguous-name",
        severity=Severity.WARNING,
        summary=f"`{desired.name}` is live {len(namesakes)} times: "
        + ", ".join(sorted(one.id for one in namesakes)),
        hint="delete or rename all but one in the console, then rebuild again",
        address=address(desired.name),
    )


def _unknown(name: str) -> Problem:
    return Problem(
        code="not-tracked",
        summary=f"the inventory has no record of `{name}`",
        hint="see what it holds with: reconciler state list",
    )
