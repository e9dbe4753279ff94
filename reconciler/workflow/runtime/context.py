"""What one run knows: its folder, its environment and the shared options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.inventory.paths import contained
from reconciler.model.command import Options
from reconciler.model.options import Allowances
from reconciler.planning.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from reconciler.config.references.resolver import Resolver
    from reconciler.model.resource import ListingProgress, Live
    from reconciler.novita.account import AccountReader
    from reconciler.novita.http.client import CallInfo, Client

STATE = Path("state/novita.json")
WORLD = Path(".reconciler/simulator.json")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Paths are relative to `root`, as with `make -C`. `parallelism` counts calls under way at once.

    `dotenv` is what the files `env_files` say of variables, for references alone: no other setting is read
    from it, and no program that we start sees it. `stated` are those of directory, files and state that the
    user chose. `commit` is the one that the plan of this run is bound to, None where it is bound to none.
    `plan_words` are the command that makes the saved plan anew which this run performs. `now` tells the time
    in UTC, `client` is one that outlives the run, `account` one that is being read already. `own_process` is
    False where we are a guest in somebody's program, whose global settings are not ours.
    """

    root: Path
    environ: Mapping[str, str]
    dotenv: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_files: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    state: Path = STATE
    stated: frozenset[str] = frozenset()
    selection: Selection = EVERYTHING
    allow: Allowances = field(default_factory=Allowances)
    parallelism: int = 10
    lock_timeout: float = 0.0
    command: str = "reconciler"
    commit: str | None = None
    plan_words: tuple[str, ...] = ()
    own_process: bool = True
    on_call: Callable[[CallInfo], None] | None = None
    on_listed: Callable[[ListingProgress], None] | None = None
    on_unread: Callable[[Live], None] | None = None
    now: Callable[[], datetime] = utc_now
    client: Client | None = None
    account: AccountReader | None = None

    @property
    def options(self) -> Options:
        """The shared options that lead another command to the same files and the same inventory."""
        return Options(
            directory=str(self.root),
            files=tuple(map(str, self.files)),
            state="" if self.state == STATE else str(self.state),
            targets=self.selection.targets,
            excludes=self.selection.excludes,
            env_files=tuple(map(str, self.env_files)),
        )

    def resolver(self, *, lenient: bool = False) -> Resolver:
        """Where references lead in this run; with `lenient` one that leads to nothing is a warning."""
        from reconciler.config.references.resolver import Resolver

        return Resolver(self.root, self.environ, lenient, self.dotenv)

    @property
    def state_path(self) -> Path:
        """Raises InventoryError where links lead it out of the root."""
        return contained(self.root, self.state)

    @property
    def world_path(self) -> Path:
        """The file of the embedded simulator. Raises InventoryError as `state_path` does."""
        return contained(self.root, WORLD)
