"""What the next apply undoes of a change by hand: the fields of which the YAML says otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator

from reconciler.kinds.endpoint.paths import KEYED
from reconciler.model.plan import ABSENT
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, address
from reconciler.model.values import mask
from reconciler.planning.attribute import agree
from reconciler.planning.diff import leaves, value_at


def set_back(changed: Desired, declared: Desired) -> Iterator[Problem]:
    """A note if what is declared differs in these fields; of ignored ones the live value stays anyway."""
    ignored = (*declared.lifecycle.ignore, *declared.unset)
    found = []
    if "envs" in changed.fields and ("envs",) not in ignored:
        mine, theirs = changed.fields["envs"], declared.fields.get("envs", {})
        if not agree(mine, theirs, ("envs",)):
            found.append("another env")
    for path, value in leaves({k: v for k, v in changed.fields.items() if k not in KEYED}):
        said = value_at(declared.fields, path)
        is_ignored = any(path[: len(one)] == one for one in ignored)
        if said is not ABSENT and not is_ignored and not agree(value, said, path):
            found.append(f"{'.'.join(path)} = {json.dumps(mask(said), ensure_ascii=False)}")
    if found:
        yield Problem(
            code="declared-otherwise",
            severity=Severity.NOTE,
            summary=f"`{changed.name}` {_by_what(declared)} {', '.join(found)}; the next apply sets it back",
            hint=_ways_out(declared),
            address=address(changed.name),
            place=declared.place,
        )


def _by_what(declared: Desired) -> str:
    return "is declared with" if declared.lease is None else "has a lease with"


def _ways_out(declared: Desired) -> str:
    if declared.lease is not None:
        return f"reconciler scale {declared.name} --end-lease   ends the lease"
    return "to keep it, write it in the YAML (`scale --write`), or list the field in `ignoreChanges`"
