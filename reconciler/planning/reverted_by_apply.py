"""What the next apply undoes of a change by hand: the fields of which the YAML says otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.registry import ENDPOINT
from reconciler.model.command import Operand, command_line
from reconciler.model.encoding import json_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, address
from reconciler.model.secrets import mask
from reconciler.model.values import ABSENT, leaves, value_at
from reconciler.planning.drift.attribution import agree


def set_back(changed: Desired, declared: Desired) -> Iterator[Problem]:
    """A note if what is declared differs in these fields; of ignored ones the live value stays anyway.

    Under a lease, one about the counts that are its, and one about the rest.
    """
    ignored = (*declared.lifecycle.ignore, *declared.unset)
    counts: list[str] = []
    others: list[str] = []
    if "envs" in changed.fields and ("envs",) not in ignored:
        mine, theirs = changed.fields["envs"], declared.fields.get("envs", {})
        if not agree(mine, theirs, ("envs",)):
            others.append("another env")
    for path, value in leaves({k: v for k, v in changed.fields.items() if k not in ENDPOINT.table.keyed}):
        said = value_at(declared.fields, path)
        is_ignored = any(path[: len(one)] == one for one in ignored)
        if said is not ABSENT and not is_ignored and not agree(value, said, path):
            which = counts if path in ENDPOINT.table.scaling else others
            which.append(f"{'.'.join(path)} = {json_line(mask(said))}")
    if counts and declared.lease is not None:
        command = command_line("reconciler", "scale", Operand(declared.name), "--end-lease")
        hint = f"{command}   ends the lease"
        yield _note(declared, f"has a lease with {', '.join(counts)}", hint)
        counts = []
    if counts or others:
        how = " (`scale --write`)" if counts else ""
        hint = f"to keep it, write it in the YAML{how}, or list the field in `ignoreChanges`"
        yield _note(declared, f"is declared with {', '.join([*others, *counts])}", hint)


def _note(declared: Desired, what: str, hint: str) -> Problem:
    return Problem(
        code="declared-otherwise",
        severity=Severity.NOTE,
        summary=f"`{declared.name}` {what}; the next apply sets it back",
        hint=hint,
        address=address(declared.name),
        place=declared.place,
    )
