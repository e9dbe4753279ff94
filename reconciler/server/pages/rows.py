"""The rows of the table of endpoints, made once for each snapshot of the account."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.inventory.files import history_path
from reconciler.inventory.history import history
from reconciler.inventory.history_entries import Version
from reconciler.inventory.stores.file.store import file_of
from reconciler.model.errors import InventoryError
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.plan import Action, Adopt, Cause, Change, Create, Delete, FieldChange, Forget
from reconciler.model.resource import Listing
from reconciler.model.secrets import MASK
from reconciler.model.status import EndpointInfo, Managed, Status, Worker
from reconciler.model.values import ABSENT
from reconciler.planning.pipeline import plan_endpoints
from reconciler.planning.records import with_fitted_defaults
from reconciler.planning.selection import EVERYTHING
from reconciler.reports.terminal.values import before_and_after, field_name
from reconciler.server.account_cache import SeenEvent, Snapshot
from reconciler.workflow.plan import APPLY

if TYPE_CHECKING:
    from reconciler.inventory.stores.base import Store

MOVED_BY: Final[Mapping[Cause, str]] = {
    Cause.CONFIG: "YAML",
    Cause.DRIFT: "account",
    Cause.BOTH: "YAML and account",
    Cause.TIME: "time",
    Cause.ADOPT: "adoption",
    Cause.IMPERATIVE: "command",
    Cause.ROLLBACK: "rollback",
    Cause.UNKNOWN: "unknown",
}
"""Who moved a field since the last apply."""

MISSING: Final = "Missing"
"""The state of an endpoint that is declared or recorded, and not in the account."""

TONES: Final[Mapping[str, str]] = {
    Status.RUNNING: "good",
    Status.PENDING: "busy",
    Status.UPDATING: "busy",
    Status.TERMINATING: "quiet",
    Status.STOPPED: "quiet",
    Status.FAILED: "bad",
    MISSING: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One field that differs: its live and its wanted value on one line each, and who moved it."""

    path: str
    live: str
    wanted: str
    moved_by: str
    is_drift: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """One endpoint of the table.

    key: identifies the row on the page. ready, running, total, low, high: counts of workers. action: what an
    apply would do, "" for nothing; outlook: the same in words. changed_at: its last known change, in UTC.
    """

    key: str
    name: str
    state: str
    message: str
    managed: str
    action: str
    outlook: str
    ready: int = 0
    running: int = 0
    total: int = 0
    low: int = 0
    high: int = 0
    differences: tuple[Difference, ...] = ()
    created_at: datetime | None = None
    changed_at: datetime | None = None
    url: str = ""
    image: str = ""
    environment: str = ""
    workers: tuple[Worker, ...] = field(default=(), repr=False)

    @property
    def tone(self) -> str:
        """Return the class of its state: good, busy, bad or quiet."""
        return TONES.get(self.state, "quiet")

    @property
    def path(self) -> str:
        """Return the path of its page. An ID stands for a name that is no segment of a path."""
        is_segment = "/" not in self.name and self.name not in ("", ".", "..")
        return "/endpoints/" + quote(self.name if is_segment else self.key, safe="")

    @property
    def has_drift(self) -> bool:
        return any(difference.is_drift for difference in self.differences)

    @cached_property
    def version(self) -> str:
        """Return a short digest of what is shown, the same until the row changes."""
        return hashlib.sha256(repr((self, self.workers)).encode()).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows by name. number: counts the versions of the rows."""

    number: int
    snapshot: Snapshot
    rows: tuple[Row, ...]

    def find(self, name: str) -> Row | None:
        """Return the row of that name, or else of that ID."""
        named = (row for row in self.rows if name == row.name)
        return next(named, None) or next((row for row in self.rows if name == row.key), None)


class Tables:
    """Makes the table of each snapshot once. Thread-safe; blocking.

    store: the inventory, whose history tells the last changes. environment: that of the server, or "".
    """

    def __init__(self, store: Store, environment: str = "") -> None:
        self._lock = threading.Lock()
        self._environment = environment
        self._versions = _Versions(store)
        self._changed: Mapping[str, datetime | None] = {}
        self.latest: Table | None = None

    def table(self, snapshot: Snapshot, seen: Iterable[SeenEvent]) -> Table:
        """Return the table of a snapshot. seen: the changes that this process has seen, oldest first."""
        with self._lock:
            latest = self.latest
            if latest is not None and latest.snapshot.number >= snapshot.number:
                return latest
            versions = self._versions.read()
            changed = {name: _moment(group[-1].at) for name, group in versions.items() if group}
            for one in seen:
                changed[one.event.name] = max(one.seen_at, changed.get(one.event.name) or one.seen_at)
            if latest is None:
                rows, number = tuple(_rows(snapshot, changed, self._environment)), 1
            elif changed == self._changed and _is_same(latest.snapshot, snapshot):
                rows, number = latest.rows, latest.number
            else:
                rows = tuple(_rows(snapshot, changed, self._environment))
                number = latest.number + (
                    [row.version for row in rows] != [row.version for row in latest.rows]
                )
            self.latest = Table(number=number, snapshot=snapshot, rows=rows)
            self._changed = changed
            return self.latest

    def versions_of(self, name: str) -> tuple[Version, ...]:
        """Return the applied versions of an endpoint, newest first."""
        with self._lock:
            return self._versions.read().get(name, ())[::-1]

    def last_versions(self, limit: int = 100) -> list[Version]:
        """Return the last applied version of each endpoint, newest first."""
        with self._lock:
            last = [group[-1] for group in self._versions.read().values() if group]
        return sorted(last, key=lambda version: (version.at, version.name), reverse=True)[:limit]


class _Versions:
    """The history. If it is in a file, it is read again only after the file has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stamp: object = None
        self._read: Mapping[str, tuple[Version, ...]] = {}

    def read(self) -> Mapping[str, tuple[Version, ...]]:
        path, stamp = file_of(self._store), None
        if path is not None:
            with suppress(OSError):
                facts = history_path(path).stat()
                stamp = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
        if stamp is None or stamp != self._stamp:
            try:
                self._read = history(self._store)
            except InventoryError:
                self._read = {}
            self._stamp = stamp
        return self._read


def _is_same(one: Snapshot, other: Snapshot) -> bool:
    """Return True if two snapshots have the same rows. Leases end by themselves, schedules go on."""
    depends_on_time = any(record.lease for record in other.local.inventory.records.values()) or any(
        desired.schedule for desired in other.local.desired or ()
    )
    return (
        not depends_on_time
        and one.infos == other.infos
        and one.live == other.live
        and one.local.inventory == other.local.inventory
        and one.local.desired == other.local.desired
    )


def _rows(snapshot: Snapshot, changed: Mapping[str, datetime | None], environment: str) -> Iterator[Row]:
    """Return the rows: the endpoints of the account, and those that are declared or recorded and missing.

    Those that are not of another environment and are managed belong to `environment`.
    """
    changes = _changes(snapshot)
    by_id: dict[str, Change] = {}
    missing: list[Change] = []
    for change in changes or ():
        live = getattr(change, "live", None)
        if live is not None:
            by_id[live.id] = change
        elif isinstance(change, Create | Forget):
            missing.append(change)
    rows = [
        _row_of(
            info
            if info.environment or info.managed is Managed.UNMANAGED
            else replace(info, environment=environment),
            by_id.get(info.id),
            changed.get(info.name),
            is_known=changes is not None,
        )
        for info in snapshot.infos
    ]
    shown = {row.name for row in rows}
    rows += [
        Row(
            key=f"missing:{change.name}",
            name=change.name,
            state=MISSING,
            message=change.reason,
            managed=Managed.DECLARED.value if isinstance(change, Create) else Managed.RECORDED.value,
            action=change.action.value,
            outlook=_outlook(change),
            changed_at=changed.get(change.name),
            environment=environment,
        )
        for change in missing
        if change.name not in shown
    ]
    return iter(sorted(rows, key=lambda row: (row.name, row.key)))


def _changes(snapshot: Snapshot) -> tuple[Change, ...] | None:
    """Return the changes that an apply would make; None if the declarations are unknown."""
    local = snapshot.local
    if local.desired is None:
        return None
    return plan_endpoints(
        with_fitted_defaults(local.desired, None, local.inventory),
        local.inventory,
        Listing(endpoints=snapshot.live),
        local.settings.keyring,
        EVERYTHING,
        now=snapshot.taken_at,
        delete_reason=APPLY.delete_reason,
    ).plan.changes


def _row_of(info: EndpointInfo, change: Change | None, changed: datetime | None, *, is_known: bool) -> Row:
    action = change.action.value if change and change.action is not Action.NO_OP else ""
    managed = info.managed.value if info.managed else ""
    return Row(
        key=info.id,
        name=info.name,
        state=info.status.value,
        message=info.message,
        managed=managed,
        action=action,
        outlook=_outlook(change) if change else _unplanned(info, is_known=is_known),
        ready=info.ready_replicas,
        running=info.available_replicas,
        total=info.total_replicas,
        low=info.min_replicas,
        high=info.max_replicas,
        differences=tuple(map(_difference, change.fields))
        if change and not isinstance(change, Delete | Create)
        else (),
        created_at=info.created_at,
        changed_at=max(filter(None, (changed, info.created_at)), default=None),
        url=info.url,
        image=info.image,
        environment=info.environment,
        workers=info.workers,
    )


def _difference(change: FieldChange) -> Difference:
    live, wanted = before_and_after(change)
    if change.path[0] == "envs":  # the page never shows values of the environment
        live, wanted = (
            MASK if value is not ABSENT else text
            for value, text in ((change.before, live), (change.after, wanted))
        )
    return Difference(
        path=field_name(change),
        live=live,
        wanted=wanted,
        moved_by=MOVED_BY[change.cause],
        is_drift=change.cause in (Cause.DRIFT, Cause.BOTH),
    )


def _outlook(change: Change) -> str:
    match change:
        case Create():
            return "apply creates it"
        case Delete():
            return "apply deletes it"
        case Forget():
            return "apply drops its record"
        case Adopt():
            return "apply takes it over"
    return "as declared" if change.action is Action.NO_OP else f"apply will {change.action.value} it"


def _unplanned(info: EndpointInfo, *, is_known: bool) -> str:
    if info.status is Status.TERMINATING:
        return "being deleted"
    if not is_known:
        return "unknown"
    return "not declared"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
