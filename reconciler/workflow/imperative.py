"""One endpoint changed by hand: deploy, update, scale, delete. Each is a goal, planned like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from reconciler.config.loader import Loaded, check_item, load_item
from reconciler.inventory.session import load as load_inventory
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Lifecycle, Tracked, address
from reconciler.model.secrets import Secret
from reconciler.model.values import Fields, escaped
from reconciler.planning.imperative import Hand, Verb
from reconciler.planning.leases import under
from reconciler.planning.reverted_by_apply import set_back
from reconciler.planning.selection import NONE, Selection
from reconciler.workflow.plan import Goal, load_config
from reconciler.workflow.runtime.context import Context

Files: TypeAlias = Callable[[Context], Loaded]
"""Where settings, specs and declarations come from."""


def from_files(context: Context) -> Loaded:
    """The files of the folder. References may be unset: a hand need not wait for a secret of others."""
    return load_config(context, lenient=True, may_lack_endpoints=True)


def deploy_goal(
    context: Context, item: Mapping[str, Any], *, files: Files = from_files
) -> tuple[Context, Goal]:
    """Make a new endpoint of an item as it would stand in the YAML, all text in it literal.

    The record says `imperative` unless its name is declared, so that no plan ever deletes it.
    """
    name = str(item.get("endpoint", ""))

    def load(now: Context) -> Loaded:
        loaded = files(now)
        desired, problems = from_item(now, item, loaded)
        declared = declaration(loaded, name)
        ours = replace(
            desired,
            origin="declared" if declared else "imperative",
            lifecycle=declared.lifecycle if declared else Lifecycle(),
        )
        return only(loaded, ours, *problems, *(set_back(ours, declared) if declared else ()))

    return by_hand(context, load, Hand(name=name, verb=Verb.DEPLOY))


def update_goal(
    context: Context, name: str, changes: Mapping[str, Any], *, files: Files = from_files
) -> tuple[Context, Goal]:
    """Change these fields (YAML names) of one endpoint; `env` replaces all that it has. All is literal."""
    problems = check_item(escaped({"endpoint": name, **changes}))
    if problems:
        raise InvalidConfig(*problems)
    return to_change(context, name, ENDPOINT.partial_fields(changes), files=files)


def scale_goal(
    context: Context, name: str, low: int | None, high: int | None, *, files: Files = from_files
) -> tuple[Context, Goal]:
    """Set the least and the most workers (count); None leaves one as it is."""
    given = {"minReplicas": low, "maxReplicas": high}
    return update_goal(context, name, {k: v for k, v in given.items() if v is not None}, files=files)


def to_change(
    context: Context, name: str, fields: Fields, *, files: Files = from_files
) -> tuple[Context, Goal]:
    """Bring these fields of one endpoint to these values, and leave all others as they are."""

    def load(now: Context) -> Loaded:
        loaded = files(now)
        declared, record = declaration(loaded, name), recorded(now, name)
        lease = record.lease if record else None
        ours = hidden(Desired(name=name, app_name="", fields=fields, partial=True, lease=lease))
        if declared and lease and not lease.has_expired(now.now()):
            declared = under(declared, lease)
        return only(loaded, ours, *(set_back(ours, declared) if declared else ()))

    return by_hand(context, load, Hand(name=name, verb=Verb.CHANGE))


def delete_goal(context: Context, name: str, *, files: Files = from_files) -> tuple[Context, Goal]:
    """Delete one endpoint, recorded or not. Only this does that to one that nobody recorded."""

    def load(now: Context) -> Loaded:
        loaded = files(replace(now, selection=NONE))  # a delete needs neither references nor specs
        declared = declaration(loaded, name)
        return replace(loaded, problems=(_comes_back(declared),) if declared else ())

    return by_hand(context, load, Hand(name=name, verb=Verb.DELETE), destroying=True)


def from_item(
    context: Context, item: Mapping[str, Any], loaded: Loaded
) -> tuple[Desired, tuple[Problem, ...]]:
    """The endpoint that an item stands for, and what is to be said of it. Raises InvalidConfig."""
    resolver = context.resolver()
    desired, problems = load_item(escaped(item), loaded.specs, resolver)
    if desired is None:
        raise InvalidConfig(*(problems or loaded.errors))
    return hidden(desired), problems


def declaration(loaded: Loaded, name: str) -> Desired | None:
    """What the YAML says of an endpoint."""
    return next((one for one in loaded.desired if one.name == name), None)


def recorded(context: Context, name: str) -> Tracked | None:
    return load_inventory(context.state_path).records.get(name)


def only(loaded: Loaded, ours: Desired, *problems: Problem) -> Loaded:
    """The same files with this endpoint as it is to be. What else is to be said of them, plan says."""
    others = (one for one in loaded.desired if one.name != ours.name)
    return replace(loaded, desired=(*others, ours), problems=problems)


def hidden(desired: Desired) -> Desired:
    """The endpoint with every env value a secret: what is typed may be one."""
    if "envs" not in desired.fields:
        return desired
    envs = {
        key: value if isinstance(value, Secret) else Secret(value=value, source=f"env.{key}")
        for key, value in desired.fields["envs"].items()
    }
    return replace(desired, fields={**desired.fields, "envs": envs})


def by_hand(
    context: Context, load: Callable[[Context], Loaded], hand: Hand, *, destroying: bool = False
) -> tuple[Context, Goal]:
    """The run and the goal of a change by hand: about one name, and no other."""
    selection = Selection(names=frozenset({hand.name}))
    return replace(context, selection=selection), Goal(load=load, hand=hand, destroying=destroying)


def _comes_back(declared: Desired) -> Problem:
    return Problem(
        code="declared-still",
        severity=Severity.NOTE,
        summary=f"`{declared.name}` is still declared: the next apply makes it again",
        hint="remove it from the YAML as well",
        address=address(declared.name),
        place=declared.place,
    )
