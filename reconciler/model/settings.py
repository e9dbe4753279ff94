"""The settings of one run, read from config.yaml and the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.model.random_keys import is_random_key
from reconciler.model.values import Keyring, Secret

if TYPE_CHECKING:
    from reconciler.model.drift import DriftIgnore

DEFAULT_BASE_URL = "https://api.novita.ai"
SIMULATOR = "simulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What config.yaml's `novita` section and the environment say together.

    poll_interval and settle_seconds are seconds. `base_url` is an URL, or the word `simulator`. They are not
    complete where config.yaml could not be read: then nothing is to be concluded from a default.
    `referenced` is what the references of the endpoint files say.
    """

    enabled: bool = True
    api_key: Secret | None = None
    base_url: str = DEFAULT_BASE_URL
    config_dir: str | None = None
    poll_interval: float = 10.0
    settle_seconds: float = 5.0
    adopt: bool = False
    state_key: Secret | None = None
    drift_ignore: tuple[DriftIgnore, ...] = ()
    is_complete: bool = field(default=True, compare=False)
    referenced: frozenset[str] = field(default=frozenset(), compare=False, repr=False)

    @property
    def keyring(self) -> Keyring:
        """The key for fingerprints of secrets; without any, one that everybody knows.

        A person chose the state key, so it may be weak. Novita made the API key.
        """
        if self.state_key:
            return Keyring.of(self.state_key.value, stretched=self.is_key_weak)
        return Keyring.of(self.api_key.value if self.api_key else "")

    @property
    def is_key_weak(self) -> bool:
        """Whether fingerprints are made under a key that a person may have thought of."""
        return self.state_key is not None and not is_random_key(self.state_key.value)

    @property
    def hidden(self) -> frozenset[str]:
        """All values that are not to be repeated, whoever says them."""
        keys = (key.value for key in (self.api_key, self.state_key) if key)
        return self.referenced.union(keys)

    @property
    def is_simulator(self) -> bool:
        return self.base_url == SIMULATOR
