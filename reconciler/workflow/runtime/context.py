"""The context of a run: folder, environment, shared options and callbacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.inventory.files import path_under
from reconciler.inventory.stores.address import open_store
from reconciler.model.command import SharedOptions
from reconciler.model.inventory_location import Location
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.settings import Allowances
from reconciler.planning.selection import EVERYTHING, Selection

if TYPE_CHECKING:
    from reconciler.config.references.helper_calls import HelperCalls
    from reconciler.config.references.resolver import Resolver
    from reconciler.inventory.stores.base import Store
    from reconciler.model.resource import ListingProgress, Live
    from reconciler.model.settings import Environment, NameTemplate
    from reconciler.novita.http.client import CallInfo, Client
    from reconciler.workflow.runtime.account import EarlyListing

STATE = Path("state/novita.json")
SIMULATOR_FILE = Path(".reconciler/simulator.json")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Folder, environment, shared options and callbacks of one run.

    root: all paths are relative to it, as with `make -C`. parallelism: the most calls in flight.
    prewarm_timeout: seconds to wait for images, None for those of config.yaml. dotenv: the
    variables of `env_files`, used for references only, and not passed to child processes. explicit_options:
    the options among directory, files and state that the user gave. commit: the commit that the plan is bound
    to, or None. plan_command: the command that remakes the saved plan of this run. now: returns the time in
    UTC. client: a client that outlives the run. early: the listing that began before the files were read.
    helper_calls: the values of secret helpers, for one run. on_wait: tells the user what the run waits for.
    is_own_process: False inside another program, whose global settings must not be changed. who: the name of
    the client that a server acts for, "" for the user of this process. chosen_environment: the name that the
    user gave, or "". environment: the one of config.yaml that the run uses, or None. declared_state: the
    inventory of runs without an environment and without options. message: the text of
    `--message`, for the history.
    missing_env_files: those of config.yaml that do not exist. option_variables: the variables of `env_files`
    alone, without those of config.yaml.
    """

    root: Path
    environ: Mapping[str, str]
    dotenv: Mapping[str, str] = field(default_factory=dict, repr=False)
    option_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_files: tuple[Path, ...] = ()
    missing_env_files: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    state: Location = STATE
    explicit_options: frozenset[str] = frozenset()
    chosen_environment: str = ""
    environment: Environment | None = None
    declared_state: Location = STATE
    selection: Selection = EVERYTHING
    allow: Allowances = field(default_factory=Allowances)
    parallelism: int = 10
    lock_timeout: float = 0.0
    prewarm_timeout: float | None = None
    command: str = "reconciler"
    commit: str | None = None
    plan_command: tuple[str, ...] = ()
    helper_calls: HelperCalls = field(default_factory=dict, repr=False)
    on_wait: Callable[[str], None] | None = None
    is_own_process: bool = True
    who: str = ""
    message: str = ""
    on_call: Callable[[CallInfo], None] | None = None
    on_listed: Callable[[ListingProgress], None] | None = None
    on_unread: Callable[[Live], None] | None = None
    now: Callable[[], datetime] = utc_now
    client: Client | None = None
    early: EarlyListing | None = None

    @property
    def options(self) -> SharedOptions:
        """Return the options that give another command the same files and the same inventory."""
        environment = self.environment
        files, state = (environment.files, environment.state) if environment else ((), self.declared_state)
        return SharedOptions(
            directory=str(self.root),
            environment=self.environment_name,
            files=() if self.files == files else tuple(map(str, self.files)),
            state="" if self.state == state else str(self.state),
            targets=self.selection.targets,
            excludes=self.selection.excludes,
            env_files=tuple(map(str, self.env_files)),
        )

    @property
    def environment_name(self) -> str:
        """Return the name of the environment, or ""."""
        return self.environment.name if self.environment else ""

    @property
    def names(self) -> NameTemplate:
        """Return how the environment names its endpoints."""
        from reconciler.model.settings import DECLARED_NAMES

        return self.environment.names if self.environment else DECLARED_NAMES

    def resolver(self, *, lenient: bool = False) -> Resolver:
        """Return the resolver of references; with `lenient` an unset reference is a warning."""
        from reconciler.config.references.resolver import Resolver

        return Resolver(self.root, self.environ, lenient, self.dotenv, self.helper_calls, self.on_wait)

    @property
    def store(self) -> Store:
        """Return the store of the inventory. Raise InventoryError if its location cannot be used."""
        return open_store(self.state, self.root, self.environ)

    @property
    def simulator_path(self) -> Path:
        """Return the state file of the embedded simulator. Raise InventoryError if links lead elsewhere."""
        return path_under(self.root, SIMULATOR_FILE)
