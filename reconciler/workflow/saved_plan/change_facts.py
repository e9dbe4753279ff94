"""The facts of a change without secrets, as a plan file keeps them and a later run compares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from reconciler.kinds.fields import FieldTable
from reconciler.kinds.registry import KINDS, split_address
from reconciler.model.encoding import json_line
from reconciler.model.plan import Action, Cause, Change, Delete, Forget, Replace
from reconciler.model.resource import address
from reconciler.model.secrets import Keyring, digest, mask
from reconciler.model.values import (
    ABSENT,
    SCALAR_TYPES,
    Fields,
    Json,
    Path,
    is_plain_data,
    replace_references,
)
from reconciler.planning.dependencies.references import planned_ids, unresolved_change
from reconciler.planning.fingerprint import Facts as PlanFacts
from reconciler.planning.fingerprint import change_facts
from reconciler.planning.sync.schedules import due_reason

Facts: TypeAlias = Mapping[str, Any]
"""The `action` of a change, the endpoint's `id`, fingerprints of the request `bodies` and of its
`record`, and the leaves of the `live` and `declared` fields: the value of each by its dotted path; for a
secret, `{"shown": its displayable form, "secret": its fingerprint}`. `deposed` is the key of the record of a
replaced endpoint until it is deleted. Bodies and declared fields have the addresses of the resources that
they refer to, and `references` has the ID of each as planned, null if it was not known."""


def facts_of(change: Change, keyring: Keyring, known: PlanFacts | None = None) -> Facts:
    """Return the facts of a planned change; `known` are those that its fingerprint was made from."""
    facts = known or change_facts(change, keyring)
    references = planned_ids(change)
    if references:
        change = unresolved_change(change)
        facts = {**facts, "requests": change_facts(change, keyring)["requests"]}
    live, desired = getattr(change, "live", None), getattr(change, "desired", None)
    target = getattr(change, "target", desired.fields if desired else {})
    if references:
        target = replace_references(target, lambda reference: reference.address)
    return {
        "action": change.action.value,
        "id": facts["id"],
        "deposed": change.tracked.deposed().key if isinstance(change, Replace) else None,
        "record": facts["record"],
        "bodies": [fingerprint for _, _, fingerprint in facts["requests"]],
        "live": _leaves(live.fields if live else {}, keyring),
        "declared": _leaves(target, keyring),
        "references": references,
    }


def facts_from_json(facts: Any) -> Facts:
    """Return the facts of a change as read from a file. Raise KeyError or TypeError if they are malformed."""
    for side in ("live", "declared"):
        for leaf in of_type(dict, facts[side]).values():
            if isinstance(leaf, dict):
                of_type(str, leaf["secret"]), leaf["shown"]
    return {
        "action": of_type(str, facts["action"]),
        "id": of_type(str | None, facts["id"]),
        "deposed": of_type(str | None, facts["deposed"]),
        "record": of_type(str | None, facts["record"]),
        "bodies": of_type(list, facts["bodies"]),
        "live": facts["live"],
        "declared": facts["declared"],
        "references": of_type(dict, facts["references"]),
    }


def of_type(kind: Any, value: Any) -> Any:
    """Return the value. Raise TypeError if it is not of that type."""
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is not a {kind}")
    return value


def _leaves(tree: Fields, keyring: Keyring, above: Path = (), prefix: str = "") -> dict[str, Json]:
    """Return every leaf by its dotted path, as `Facts` has it.

    `above` is the path of the tree, `prefix` the same with a dot after each step.
    """
    result: dict[str, Json] = {}
    for key, value in tree.items():
        if value.__class__ in SCALAR_TYPES:
            result[prefix + key] = value
        elif value.__class__ is dict or isinstance(value, Mapping):
            result |= _leaves(value, keyring, (*above, key), f"{prefix}{key}.")
        elif is_plain_data(value):
            result[prefix + key] = value
        else:
            secret = digest([[*above, key], value], keyring)
            result[prefix + key] = {"shown": mask(value), "secret": secret}
    return result


def with_ids_as_known(old: Facts | None, new: Facts | None) -> Facts | None:
    """Return the new facts without the IDs that were not known when the old ones were made."""
    if old is None or new is None or None not in old["references"].values():
        return new
    ids = {address: old["references"].get(address, "") and id_ for address, id_ in new["references"].items()}
    return {**new, "references": ids}


def is_remainder(name: str, old: Facts, new: Facts | None, live_ids: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether the pending change is what an interrupted run left of the planned one."""
    if new is None:
        return True
    if {**old, "record": None} == {**new, "record": None}:
        return True  # it was performed and recorded, without effect
    match old["action"], new["action"]:
        case Action.REPLACE, Action.DELETE if name == old["deposed"]:
            return bool(new["id"] == old["id"])
        case ((Action.REPLACE | Action.DELETE), Action.FORGET) if (
            name == old["deposed"] or not old["deposed"]
        ):
            return new["id"] == old["id"] and not _lives_on(old, live_ids)
        case Action.REPLACE, Action.CREATE:
            return bool(new["bodies"] == old["bodies"][-1:])
        case _:
            return False


def _lives_on(old: Facts, live_ids: Mapping[str, tuple[str, ...]]) -> bool:
    """Return whether the endpoint is live under another name."""
    old_name = _displayed(old["live"].get("name"))
    return any(old["id"] in ids for name, ids in live_ids.items() if name != address(old_name))


def due_since(old: Facts | None, new: Facts | None, change: Change | None) -> Iterator[str]:
    """Yield a line if a schedule or the end of a lease has changed worker counts since the plan was made."""
    if change is None or new is None or isinstance(change, Delete | Forget):
        return
    declared = old["declared"] if old else {}
    for field in change.fields:
        path = ".".join(field.path)
        if field.cause is Cause.TIME and declared.get(path) != new["declared"].get(path):
            yield f"  worker counts: {due_reason(change.desired)}, since the plan was made"
            return


def difference(name: str, old: Facts | None, new: Facts | None) -> Iterator[str]:
    """Yield lines that tell what differs about one change, field by field."""
    if old is None or new is None or old["action"] != new["action"]:
        yield f"{name}: {_action(old)} then, {_action(new)} now"
    else:
        yield f"{name}: {_action(old)} then and now, but not the same"
    if old is None or new is None:
        return
    if old["id"] != new["id"]:
        yield f"  id: {old['id'] or 'none'} then, {new['id'] or 'none'} now"
    elif old["record"] != new["record"]:
        yield "  the last applied configuration in the inventory"
    for used, old_id in old["references"].items():
        if old_id != new["references"].get(used, old_id):
            yield f"  the ID of {used}: {_shown(old_id)} then, {_shown(new['references'][used])} now"
    table = KINDS[split_address(name)[0]].table
    for side in ("live", "declared"):
        then, now = old[side], new[side]
        if not (then and now):
            continue  # the endpoint or its declaration came or went as a whole
        for path in (*then, *(path for path in now if path not in then)):
            before, after = then.get(path, ABSENT), now.get(path, ABSENT)
            if before != after:
                segments = tuple(path.split("."))
                yield f"  {side} {table.label(segments)}: {_difference(before, after, table, segments)}"


def _action(facts: Facts | None) -> str:
    return str(facts["action"]) if facts else "no change"


def _difference(then: Json, now: Json, table: FieldTable, path: Path) -> str:
    before, after = _displayed(then), _displayed(now)
    if before == after:
        return "another secret"
    return f"{_shown(table.value_shown(path, before))} then, {_shown(table.value_shown(path, after))} now"


def _displayed(leaf: Json) -> Json:
    """Return the value of a leaf as people may see it."""
    return leaf["shown"] if isinstance(leaf, dict) else leaf


def _shown(value: Json) -> str:
    return "nothing" if value is ABSENT else json_line(value)
