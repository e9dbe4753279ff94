"""`reconciler history`: the applied versions, and how an apply records them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from reconciler.inventory.history import append_history, find_damage, history, secrets_to_references
from reconciler.inventory.history_entries import Author, Version
from reconciler.inventory.session import Session
from reconciler.kinds.registry import ENDPOINT
from reconciler.model.apply_events import ApplyReport, Outcome
from reconciler.model.command import command_line
from reconciler.model.errors import InvalidConfig, InventoryError
from reconciler.model.plan import Action, Adopt, Cause, Change, Delete, Forget, NoOp, Scale, Update
from reconciler.model.problem import Problem, Severity
from reconciler.model.text import closest_match, utc_text
from reconciler.model.values import ABSENT, Fields, Path, value_at
from reconciler.planning.redaction import redact
from reconciler.planning.sync.schedules import due_reason
from reconciler.workflow.runtime.context import Context


def record_versions(
    context: Context, session: Session, report: ApplyReport, by: Author, found: Collection[NoOp] = ()
) -> tuple[Problem, ...]:
    """Append the applied changes to the history. Return a warning if it cannot be written.

    `found` are endpoints that a killed run has changed without recording it.
    """
    at = utc_text(datetime.now(UTC))
    done = [
        (result.id or "", result.change)
        for result in report.with_outcome(Outcome.DONE)
        if not isinstance(result.change, Forget | NoOp)
    ]
    try:
        partial = [change.name for _, change in done if _is_partial(change)]
        known = history(context.store, partial) if partial else {}
        versions = [_version(object_id, change, at, by, known) for object_id, change in done]
        new = [*versions, *_found_versions(context, found, at, by)]
        append_history(session.store, session.hold, new)
    except InventoryError as error:
        return tuple(replace(problem, severity=Severity.WARNING) for problem in error.problems)
    return ()


def _found_versions(context: Context, found: Collection[NoOp], at: str, by: Author) -> Iterator[Version]:
    """Yield the versions that a killed run did not record."""
    known = history(context.store, {change.name for change in found}) if found else {}
    by = replace(by, message="applied by an earlier run, which was killed")
    for change in found:
        action = Action.UPDATE if change.name in known else Action.CREATE
        yield replace(_version(change.live.id, change, at, by, known), action=action.value)


def _is_partial(change: Change) -> bool:
    return not isinstance(change, Delete | Forget) and change.desired.is_partial


def _version(
    object_id: str, change: Change, at: str, by: Author, known: Mapping[str, tuple[Version, ...]]
) -> Version:
    """Return the version that a change has made, still without a number."""
    live = getattr(change, "live", None)
    app_name = str(live.fields.get("appName", "")) if live else ""
    fields: Fields = {}
    hidden: tuple[Path, ...] = ()
    links: tuple[tuple[Path, str], ...] = ()
    if not isinstance(change, Delete | Forget):
        fields, hidden = secrets_to_references(change.desired.fields)
        # a rollback to a version without these has kept the live values
        hidden += (*change.desired.unset, *change.desired.kept)
        links = tuple((path, reference.address) for path, reference in change.desired.references)
        app_name = change.desired.app_name or app_name
        lease = change.desired.lease
        if not by.message and lease:
            by = replace(by, message=lease.why)
        elif not by.message and any(field.cause is Cause.TIME for field in change.fields):
            by = replace(by, message=due_reason(change.desired))
        if _is_partial(change) and isinstance(change, Update | Scale | Adopt | NoOp):
            last = known[change.name][-1] if change.name in known else None
            fields, hidden = _over(*_before(change, last), fields, hidden)
            links = last.links if last else ()
    return Version(
        name=change.key,
        number=0,
        at=at,
        action=change.action.value,
        id=object_id,
        app_name=app_name,
        fields=fields,
        hidden=hidden,
        links=links,
        by=by,
    )


def _before(change: Update | Scale | Adopt | NoOp, last: Version | None) -> tuple[Fields, tuple[Path, ...]]:
    """Return the fields before a change of some fields, and the paths of values that are not known.

    They are those of the last version, which has references, or else the live ones.
    """
    if last is not None and last.id == change.live.id and not last.is_deletion:
        return last.fields, last.hidden
    live = redact(change.live).fields
    return secrets_to_references({head: live[head] for head, *_ in ENDPOINT.table.by_path if head in live})


def _over(
    below: Fields, below_hidden: tuple[Path, ...], above: Fields, above_hidden: tuple[Path, ...]
) -> tuple[Fields, tuple[Path, ...]]:
    """Return the merged fields, and the paths of values that are not known."""

    def is_replaced(path: Path) -> bool:
        return value_at(above, path) is not ABSENT or (path[0] in ENDPOINT.table.keyed and path[0] in above)

    kept = (path for path in below_hidden if not is_replaced(path))
    return ENDPOINT.merge_fields(below, above), (*kept, *above_hidden)


def list_versions(context: Context, name: str | None = None) -> Mapping[str, tuple[Version, ...]]:
    """Return the versions of one endpoint or of all, oldest first. Raise InvalidConfig for an unknown one."""
    versions = history(context.store, None if name is None else (name,))
    if name is not None and name not in versions:
        close = closest_match(name, history(context.store))
        raise InvalidConfig(
            Problem(
                code="no-history",
                summary=f"`{name}` has no versions in the history",
                hint=f"did you mean `{close}`?" if close else "reconciler history   lists all versions",
            )
        )
    return versions


def newest_first(by_name: Mapping[str, tuple[Version, ...]]) -> Iterator[Version]:
    """Return the versions of all endpoints, the newest first."""
    versions = (version for own in by_name.values() for version in reversed(own))
    return iter(sorted(versions, key=lambda version: version.at, reverse=True))


def damaged_history(context: Context, name: str | None = None) -> tuple[Problem, ...]:
    """Return a warning if a line of the history, or one that may be about a name, is damaged."""
    place = find_damage(context.store, name)
    if place is None:
        return ()
    remove = command_line("sed", "-i", f"{place.line}d", place.file)
    repair = f"restore the line, or remove it with `{remove}`; " if context.store.folder else ""
    return (
        Problem(
            code="history-damaged",
            severity=Severity.WARNING,
            summary=f"line {place.line} of {place.file} is not a version and is ignored",
            hint=f"{repair}the other lines are not affected",
            place=place,
        ),
    )
