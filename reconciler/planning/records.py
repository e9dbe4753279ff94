"""Records: what is recorded after a write, a refresh or an import, and why an import is impossible."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.command import Operand, command_line
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import Desired, Inventory, Limits, Live, Tracked, address, key_of
from reconciler.model.secrets import Keyring, seal
from reconciler.model.values import ABSENT, Fields, value_at, with_path_from
from reconciler.planning.matching import matched
from reconciler.planning.redaction import hide_like, with_secrets_hidden


def applied_record(
    desired: Desired, object_id: str, keyring: Keyring, before: Tracked | None = None
) -> Tracked:
    """Return the record of an endpoint after its fields were written.

    A partial declaration is merged into the record that it had `before`. Protection against deletion stays
    on; only an apply that changes nothing else removes it, see `refreshed`.
    """
    applied = _applied(desired, keyring, before)
    if desired.is_partial and before is not None:
        return replace(
            before,
            applied=KINDS[before.kind].merge_fields(before.applied, applied),
            lease=desired.lease,
            declared_counts=desired.declared_counts if _has_counts(desired) else before.declared_counts,
            adopted=False,
        )
    record = _record(desired, object_id, applied, before)
    is_protected = before is not None and before.prevent_destroy
    return replace(record, prevent_destroy=True) if is_protected else record


def with_fitted_defaults(
    declared: Sequence[Desired], limits: Limits | None, inventory: Inventory
) -> Sequence[Desired]:
    """Return the endpoints with default values within the limits, the same sequence if none changes.

    Without `limits`, which were not or could not be read, a default is as it was applied last.
    """
    fitted = []
    for desired in declared:
        record = inventory.records.get(desired.name)
        fitted.append(ENDPOINT.fit_defaults(desired, limits, record.applied if record else None))
    is_same = all(new is old for new, old in zip(fitted, declared, strict=True))
    return declared if is_same else tuple(fitted)


def refreshed(desired: Desired, before: Tracked, keyring: Keyring) -> Tracked:
    """Return the record of an endpoint to which nothing was written."""
    if desired.is_partial:
        return replace(applied_record(desired, before.id, keyring, before), adopted=before.adopted)
    return _record(desired, before.id, _applied(desired, keyring, before), before, adopted=before.adopted)


def is_current(record: Tracked, desired: Desired, keyring: Keyring) -> bool:
    """Return whether refreshing the record would change nothing."""
    return refreshed(desired, record, keyring) == record


def _applied(desired: Desired, keyring: Keyring, before: Tracked | None) -> Fields:
    """Return the fields to record, sealed."""
    fields = KINDS[desired.kind].emitted(desired.fields, desired.lifecycle.ignore)
    if before is not None:
        for path in desired.kept:
            fields = with_path_from(fields, before.applied, path)
    if before is not None and fields == before.applied:
        return fields  # what equals a record holds no secret, and need not be searched for one
    sealed: Fields = seal(fields, keyring)
    return sealed


def _record(
    desired: Desired, object_id: str, applied: Fields, before: Tracked | None, *, adopted: bool = False
) -> Tracked:
    keeps_counts = before is not None and not KINDS[desired.kind].table.scaling.isdisjoint(desired.kept)
    return Tracked(
        name=desired.name,
        id=object_id,
        applied=applied,
        origin=desired.origin,
        prevent_destroy=desired.lifecycle.prevent_destroy,
        lease=desired.lease,
        declared_counts=before.declared_counts if before and keeps_counts else desired.declared_counts,
        renamed_from=desired.renamed_from or "",
        adopted=adopted,
        kind=desired.kind,
    )


def _has_counts(desired: Desired) -> bool:
    """Return whether a partial declaration has worker counts."""
    return any(value_at(desired.fields, path) is not ABSENT for path in KINDS[desired.kind].table.scaling)


def live_record(desired: Desired, live: Live, keyring: Keyring) -> Tracked:
    """Return the record of a declared endpoint as if its live values had been applied.

    Values that are secret in the declaration are sealed.
    """
    kind = KINDS[desired.kind]
    want = kind.emitted(desired.fields, desired.lifecycle.ignore)
    have = hide_like(kind.reported(live.fields, kind.owned(want, None)), [want])
    have = with_secrets_hidden(kind, have, want)
    return Tracked(
        name=desired.name,
        id=live.id,
        applied=seal(have, keyring),
        prevent_destroy=desired.lifecycle.prevent_destroy,
        kind=desired.kind,
    )


def imperative_record(name: str, live: Live, keyring: Keyring) -> Tracked:
    """Return the record of an endpoint that is not declared. Plans list it and never delete it."""
    shown = matched(name, None, None, live).redacted
    applied = seal(shown.fields, keyring)
    return Tracked(name=name, id=live.id, applied=applied, origin="imperative", kind=live.kind)


def import_problem(
    name: str,
    object_id: str,
    live: Live | None,
    inventory: Inventory,
    recorded: Live | None,
    kind: str = ENDPOINT.type,
) -> Problem | None:
    """Return why a resource cannot be recorded under a name; None if it can.

    `live` is the resource with that ID, `recorded` the resource that is recorded under that name.
    `inventory` has the records of its kind.
    """
    longest = KINDS[kind].longest_name
    holder = next((record.key for record in inventory.records.values() if record.id == object_id), None)
    if not (name.isprintable() and 0 < len(name) <= longest):
        why, hint = "that is not a valid name", f"names are 1 to {longest} printable characters"
    elif live is None:
        why, hint = f"there is no such {KINDS[kind].noun}", "copy the ID from the Novita Console"
    elif live.is_terminating:
        why, hint = f"it is {live.state}", "it can no longer be managed"
    elif holder is not None:
        why = f"it is recorded as `{holder}`"
        hint = f"{_forget_command(holder)}   forgets that record; the endpoint is kept"
    elif name in inventory.intents:
        why = f"a create of `{name}` is open"
        choose = command_line("reconciler", "recover", Operand(name), "--id", "ID")
        hint = f"reconciler recover   settles it, or with the ID that you know: {choose}"
    elif recorded is not None and not recorded.is_terminating:
        why = f"`{name}` is recorded with {recorded.id}, which is live"
        hint = f"{_forget_command(key_of(name, kind))}   forgets that record; the endpoint is kept"
    else:
        return None
    return Problem(
        code="not-imported",
        summary=f"cannot record {object_id} as `{name}`: {why}",
        hint=hint,
        address=address(name, kind),
    )


def _forget_command(name: str) -> str:
    return command_line("reconciler", "state", "rm", Operand(name))


def import_notes(record: Tracked, live: Live) -> Iterator[Problem]:
    """Yield notes about effects of a new record on the next plans."""
    name, key = record.name, KINDS[record.kind].key
    is_declared = record.origin == "declared"
    if live.name != name:
        what = "the next apply renames it" if is_declared else f"declared as `{name}`, it would be renamed"
        yield _note(record, "other-name", f"{live.id} is called `{live.name}` in the account; {what}")
    if not is_declared:
        summary = f"`{name}` is not declared: plans list it as unmanaged, and never delete it"
        yield _note(record, "not-declared", summary, hint=f"declare it to manage it: - {key}: {name}")


def _note(record: Tracked, code: str, summary: str, hint: str = "") -> Problem:
    return Problem(code=code, severity=Severity.NOTE, summary=summary, hint=hint, address=record.address)
