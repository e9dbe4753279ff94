"""One run's hold on the inventory: every step durable before it returns, all folded into the map at the end.

On the disk the inventory is always the map with the journal replayed over it. Folding writes the map first
and shortens the journal second, so at every moment between, the two together say the same. Open intents stay
in the journal: the map may be committed, and a create under way is nobody else's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from reconciler.inventory import store
from reconciler.inventory.files import FileSystem
from reconciler.inventory.journal import Journal, journal_of
from reconciler.inventory.journal_entries import Begin, Drop, Own, Record, Settle, Step
from reconciler.inventory.paths import resolve
from reconciler.inventory.snapshot import look
from reconciler.model.errors import InventoryError
from reconciler.model.resource import ENDPOINT, Intent, Inventory, Owner, Tracked


def load(path: Path, *, disk: FileSystem | None = None) -> Inventory:
    """The inventory as it is now, without a lock and without writing anything."""
    state = look(resolve(path), disk or FileSystem()).state()
    return state.inventory(state.base_url)


def is_kept(path: Path) -> bool:
    """Whether there is an inventory at all, be it an empty one."""
    path = resolve(path)
    return path.exists() or journal_of(path).exists()


def needs_checkpoint(path: Path, *, disk: FileSystem | None = None) -> bool:
    """Whether a run that was cut off left steps in the journal that the map does not show yet."""
    return look(resolve(path), disk or FileSystem()).needs_checkpoint


@contextmanager
def open_session(
    path: Path,
    *,
    base_url: str,
    command: str,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    lock_timeout: float = 0.0,
    disk: FileSystem | None = None,
) -> Iterator[Session]:
    """Lock the inventory, take up what an earlier run left in the journal, and fold when leaving.

    Raises InventoryLocked or InventoryError. An exception from inside is never hidden by a fold that fails
    too: the steps are in the journal then, and the next run folds them.
    """
    from reconciler.inventory.lock import hold  # here, for most runs only look

    path = resolve(path)
    with hold(path, command=command, environ=environ, clock=clock, timeout=lock_timeout):
        session = Session(path, base_url=base_url, disk=disk or FileSystem())
        try:
            yield session
        except BaseException as error:
            try:
                session.fold()
            except InventoryError as trouble:
                error.add_note(f"The inventory could not be folded: {trouble}")
            raise
        else:
            session.fold()
        finally:
            session.close()


def replace_inventory(
    path: Path,
    inventory: Inventory,
    *,
    command: str,
    environ: Mapping[str, str],
    clock: Callable[[], float],
    lock_timeout: float = 0.0,
    disk: FileSystem | None = None,
) -> None:
    """Replace map and journal by this inventory, whatever they held and even if they cannot be read."""
    from reconciler.inventory.lock import hold

    path, disk = resolve(path), disk or FileSystem()
    with hold(path, command=command, environ=environ, clock=clock, timeout=lock_timeout):
        store.write(path, inventory, disk=disk)
        Journal(journal_of(path), sound=0, disk=disk, durable=lambda _: None).restart(
            list(inventory.every_intent())
        )


class Session:
    """What an apply writes to; made by `open_session`. Every method may be called from any thread."""

    def __init__(self, path: Path, *, base_url: str, disk: FileSystem) -> None:
        found = look(path, disk)
        self._path = path
        self._disk = disk
        self._base_url = base_url
        self._guard = threading.Lock()  # of the five below
        self._state = found.state()
        self._snapshot: Inventory | None = None
        self._stale = found.needs_checkpoint
        self._has_facts = found.needs_checkpoint  # something to fold beside open intents
        self._is_ours = False  # a step of this run is in it
        self._journal = Journal(journal_of(path), sound=found.replay.sound, disk=disk, durable=self._apply)

    @property
    def inventory(self) -> Inventory:
        """A snapshot of all steps so far. Its `base_url` is what the map said, until a fold says ours."""
        with self._guard:
            if self._snapshot is None:
                self._snapshot = self._state.inventory(self._state.base_url)
            return self._snapshot

    def own(self, owner: Owner) -> None:
        """Say to whom the inventory belongs from here on; nothing where it says so already."""
        now = self.inventory
        if (now.base_url, now.owner) != (self._base_url, owner):
            self._tell(Own(base_url=self._base_url, owner=owner))

    def begin(self, intent: Intent) -> None:
        """Say that a create is about to be sent. Send it only after this has returned."""
        self._journal.append(Begin(intent=intent))

    def record(
        self, tracked: Tracked, *, replaces: Tracked | None = None, deposed: Tracked | None = None
    ) -> None:
        """Say what is ours now; closes the intent of that name.

        `replaces` is the record of before, which goes if it has another name, `deposed` the record of an
        endpoint whose name this one has taken. All of it holds at once, or none.
        """
        steps: list[Step] = [Record(tracked=tracked)]
        if deposed is not None:
            steps.append(Record(tracked=deposed))
        if replaces is not None and replaces.name != tracked.name and self._holds(replaces):
            steps.append(Drop(name=replaces.name, kind=replaces.kind))
        self._tell(*steps)

    def drop(self, tracked: Tracked) -> None:
        """Say that an endpoint is no longer ours."""
        if self._holds(tracked):
            self._tell(Drop(name=tracked.name, kind=tracked.kind))

    def recorded_as(self, name: str, kind: str = ENDPOINT) -> Tracked | None:
        """The record of that name now."""
        with self._guard:
            return self._state.slice_of(kind).records.get(name)

    def _holds(self, tracked: Tracked) -> bool:
        """Whether the name is still that endpoint's: by now another one may be recorded by it."""
        now = self.recorded_as(tracked.name, tracked.kind)
        return now is not None and now.id == tracked.id

    def settle(self, name: str, kind: str = ENDPOINT) -> None:
        """Say that the create of that name made nothing."""
        self._tell(Settle(name=name, kind=kind))

    def fold(self) -> None:
        """Write the map, shorten the journal to the intents still open. Without any step nothing is done."""
        with self._journal.quiet():
            with self._guard:
                if not self._stale:
                    return
                if self._is_ours:
                    self._state.base_url = self._base_url
                now = self._state.inventory(self._state.base_url)
            store.write(self._path, now, disk=self._disk)
            self._journal.restart(list(now.every_intent()))
            with self._guard:
                self._snapshot, self._stale = now, False

    def fold_facts(self) -> None:
        """Fold, unless there is nothing but open intents, which stay in the journal anyway."""
        with self._guard:
            has_facts = self._has_facts
        if has_facts:
            self.fold()

    def close(self) -> None:
        self._journal.end()

    def _tell(self, *steps: Step) -> None:
        """Append facts. They stay true when the journal cannot take them: the fold is a second chance."""
        try:
            self._journal.append(*steps)
        except InventoryError:
            self._apply(steps)
            raise

    def _apply(self, steps: Sequence[Step]) -> None:
        with self._guard:
            self._state.apply(steps)
            self._snapshot, self._stale, self._is_ours = None, True, True
            self._has_facts |= not all(isinstance(step, Begin | Own) for step in steps)
