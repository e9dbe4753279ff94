"""The settings of one run, its environment, and what its options allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reconciler.model import durations
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.secrets import Keyring, Secret, is_random_key

if TYPE_CHECKING:
    from reconciler.model.drift import DriftIgnore
    from reconciler.model.inventory_location import Location
    from reconciler.model.problem import Problem

DEFAULT_BASE_URL = "https://api.novita.ai"
SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The limits in USD per month for all that a run manages, as digits; "" means no limit."""

    floor_per_month: str = ""
    ceiling_per_month: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.floor_per_month or self.ceiling_per_month)


NO_BUDGET: Final = Budget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The `novita` section of config.yaml, merged with the environment.

    poll_interval, settle_seconds and prewarm_timeout are seconds. `base_url` is a URL, or the word
    `simulator`. `is_complete` is False if config.yaml cannot be read, so that defaults mean nothing.
    `referenced_values` are the values of the references in the endpoint files. `key_problem` says why the API
    key of the environment of the run, which takes precedence, cannot be read. `sync` has the fields of
    `SyncPolicy` that are declared, for the environment of the run.
    """

    api_key: Secret | None = None
    key_problem: Problem | None = field(default=None, compare=False)
    base_url: str = DEFAULT_BASE_URL
    config_dir: str | None = None
    poll_interval: float = durations.POLL_INTERVAL
    settle_seconds: float = durations.SETTLING_TIME
    prewarm_timeout: float = durations.PREWARM_TIMEOUT
    adopt: bool = False
    state_key: Secret | None = None
    drift_ignore: tuple[DriftIgnore, ...] = ()
    budget: Budget = NO_BUDGET
    sync: Mapping[str, Any] = field(default_factory=dict)
    is_complete: bool = field(default=True, compare=False)
    referenced_values: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def keyring(self) -> Keyring:
        """The keyring for fingerprints of secrets; without any key, that of the empty key.

        Users choose the state key, so it may be weak. Novita generates the API key.
        """
        if self.state_key:
            return Keyring.from_key(self.state_key.value, is_weak=self.is_key_weak)
        return Keyring.from_key(self.api_key.value if self.api_key else "")

    @property
    def is_key_weak(self) -> bool:
        """True if the state key does not look machine-made."""
        return self.state_key is not None and not is_random_key(self.state_key.value)

    @property
    def secret_values(self) -> frozenset[str]:
        """All values that must not appear in any output."""
        keys = (key.value for key in (self.api_key, self.state_key) if key)
        return self.referenced_values.union(keys)

    @property
    def is_simulator(self) -> bool:
        return self.base_url == SIMULATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """Options of one run that permit or restrict changes.

    adopt: overwrite unmanaged endpoints; deletes: the exact number of deletes and replacements; no_delete:
    leave out deletes and replacements; create_first: replace by creating first where app names allow it;
    drain: drain workers before a scale lowers the counts; is_destroy: delete all endpoints; other_files,
    other_account: write an inventory that belongs to other files or to another account; adopted: delete or
    replace endpoints that were only adopted by name; storage_deletes: names of network storages that may be
    deleted with their data; replaced: names of endpoints to replace though nothing requires it;
    restarts: the replacement is a restart, which changes nothing else; no_replace: refuse replacements;
    over_budget: raise the cost beyond the budget, or by an unknown amount; no_disruption: refuse all that
    restarts running workers or ends a URL; preflight: refuse a plan of which a check failed, and ask the
    registries of the images too.
    """

    adopt: bool = False
    deletes: int | None = None
    no_delete: bool = False
    create_first: bool = False
    drain: bool = False
    is_destroy: bool = False
    other_files: bool = False
    other_account: bool = False
    adopted: bool = False
    storage_deletes: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    restarts: bool = False
    no_replace: bool = False
    over_budget: bool = False
    no_disruption: bool = False
    preflight: bool = False


PLACEHOLDER: Final = "{name}"


@dataclass(frozen=True, slots=True)
class NameTemplate:
    """How an environment names its endpoints: a text with one `{name}`, such as `{name}-prod`."""

    text: str = PLACEHOLDER

    @property
    def changes_names(self) -> bool:
        """True if names in the account differ from the declared ones."""
        return self.text != PLACEHOLDER

    def rendered(self, declared: str) -> str:
        """Return the name in the account of a declared name."""
        return self.text.replace(PLACEHOLDER, declared)

    def declared(self, rendered: str) -> str | None:
        """Return the declared name of a name in the account; None if the template gives no such name."""
        before, _, after = self.text.partition(PLACEHOLDER)
        is_match = rendered.startswith(before) and rendered.endswith(after)
        name = rendered[len(before) : len(rendered) - len(after)]
        return name if is_match and name and len(before) + len(after) < len(rendered) else None


DECLARED_NAMES: Final = NameTemplate()
"""The template of endpoints whose names in the account are the declared ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One of the `environments` of config.yaml.

    files: like `-f`, relative to the root; () means the default search. state: the inventory. env_files:
    `.env` files for references. has_api_key: it has an account of its own. is_protected: `destroy` is
    refused. is_confirmed: an apply asks for the name of the environment to be typed; always so if it is
    protected. is_default: chosen if no other one is.
    """

    name: str
    state: Location
    files: tuple[Path, ...] = ()
    names: NameTemplate = DECLARED_NAMES
    env_files: tuple[Path, ...] = ()
    has_api_key: bool = False
    is_protected: bool = False
    is_confirmed: bool = False
    is_default: bool = False


def approval_word(environment: Environment | None) -> str:
    """Return what a person types to approve a plan: `yes`, or the name of an environment that asks for it."""
    return environment.name if environment is not None and environment.is_confirmed else "yes"


def name_to_type(environment: Environment | None) -> str:
    """Return the name that a person types to approve a plan, "" if the environment asks for none."""
    word = approval_word(environment)
    return "" if word == "yes" else word
