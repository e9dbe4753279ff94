"""Reads the settings from config.yaml and the environment, which takes precedence."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from reconciler.config import schema
from reconciler.config.environments import config_document
from reconciler.config.references.resolved import Resolved, helper_faults
from reconciler.config.references.resolver import NO_VARIABLES, Resolver, coerce
from reconciler.config.references.syntax import Fault, is_single_reference, place_faults
from reconciler.config.sections.sync_policies import read_sync
from reconciler.config.vocabulary import TYPE_NAMES
from reconciler.model import durations
from reconciler.model.hosts import NOVITA_HOSTS, host_matches, is_loopback, url_error
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.request import API_ROOT, is_header_value
from reconciler.model.secrets import Secret
from reconciler.model.settings import DEFAULT_BASE_URL, NO_BUDGET, SIMULATOR, Budget, Settings

if TYPE_CHECKING:
    from reconciler.config.references.helper_calls import HelperCalls
    from reconciler.model.drift import DriftIgnore
    from reconciler.yamlfile.document import Document

TRUSTED_HOSTS: Final = "RECONCILER_TRUSTED_HOSTS"
"""Variable with hosts, or domains such as `*.example.com`, to which a file may send the API key."""

PLACEHOLDERS: Final = frozenset({"your-novita-api-key-here", "your-api-key"})

_ENABLE_HINT: Final = """\
Enable Novita provider in `config.yaml`:

providers:
  deployment: "novita"

novita:
  enabled: true
  api_key: "${env:NOVITA_API_KEY}\""""

_SET_KEY_HINT: Final = """\
export NOVITA_API_KEY=...   or set `novita.api_key` in `config.yaml`, to a reference and not to the key:

novita:
  api_key: "${env:NOVITA_API_KEY}"

Get API key from Novita Console (https://console.novita.ai)."""


def missing_key_problem() -> Problem:
    """Return the problem of a command that needs an API key and has none."""
    return Problem(code="no-api-key", summary="novita API key is required", hint=_SET_KEY_HINT)


def load_settings(
    root: Path,
    *,
    environ: Mapping[str, str],
    dotenv: Mapping[str, str] = NO_VARIABLES,
    lenient: bool = False,
    environment: str = "",
    helper_calls: HelperCalls | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> tuple[Settings, tuple[Problem, ...]]:
    """Return only the settings, for commands that need no endpoint files."""
    resolver = Resolver(root, environ, lenient, dotenv, helper_calls, on_wait)
    return read_settings(root, resolver, environment)


def read_settings(
    root: Path, resolver: Resolver, environment: str = ""
) -> tuple[Settings, tuple[Problem, ...]]:
    """Return the settings of a run and their problems; defaults replace invalid values.

    environment: the one of `environments` whose settings take precedence over those of `novita`, or "".
    """
    reader = _SettingsReader(config_document(root), resolver, environment)
    return reader.settings(), tuple(reader.problems)


class ProviderDisabled(Problem):
    """The problem that the Novita provider is not enabled."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """One value, its name in a sentence, its path in config.yaml, and a function that finds its place."""

    value: Any
    name: str
    path: tuple[str, ...] = ()
    place: Callable[[], Place | None] = lambda: None

    @property
    def is_of_environment(self) -> bool:
        """True if the chosen environment has a value of its own."""
        return self.path[:1] == ("environments",)


class _SettingsReader:
    """Reads one config.yaml and collects its problems."""

    def __init__(self, document: Document | None, resolver: Resolver, environment: str = "") -> None:
        self._document = document
        self._environment = environment
        self._key_resolver = resolver
        self._resolver = resolver.without_helpers
        self._environ: Mapping[str, str] = resolver.environ
        self.problems: list[Problem] = []
        self._data: dict[str, Any] = {}
        self._key_problem: Problem | None = None
        if document is None:
            return
        self.problems += document.problems
        for section in ("novita", "environments", "drift", "budget"):
            self.problems += document.ambiguous_below((section,))
        data = document.data
        if data is not None and not schema.is_valid("config", data):
            from reconciler.config.schema_errors import schema_problems

            problems = schema_problems(schema.validation_errors("config", data), document)
            places = {problem.place for problem in self.problems}
            self.problems += (problem for problem in problems if problem.place not in places)
        self._data = data if isinstance(data, dict) else {}

    def settings(self) -> Settings:
        self._check_enabled()
        self._check_environment()
        return Settings(
            api_key=self._api_key(),
            key_problem=self._key_problem,
            base_url=self._base_url(),
            config_dir=self._text("config_dir"),
            poll_interval=self._seconds("poll_interval", durations.POLL_INTERVAL),
            settle_seconds=self._seconds("settle_seconds", durations.SETTLING_TIME),
            prewarm_timeout=self._seconds("prewarm_timeout", durations.PREWARM_TIMEOUT),
            adopt=self._boolean("adopt", default=False),
            state_key=self._state_key(),
            drift_ignore=self._drift_ignore(),
            budget=self._budget(),
            sync=read_sync(self._data, self._environment, self._place, self.problems),
            is_complete=self._is_complete(),
        )

    def _is_complete(self) -> bool:
        """Return True if all settings could be read."""
        document = self._document
        if document is None or (document.data is None and not document.problems):
            return True
        is_read = isinstance(document.data, dict) and isinstance(self._data.get("novita"), dict | None)
        folder = self._setting("config_dir")
        return is_read and not (self._is_reported(folder) and folder.place())

    def _check_enabled(self) -> None:
        """Report that the Novita provider is not enabled, if it is not."""
        providers = self._data.get("providers")
        deployment = providers.get("deployment") if isinstance(providers, dict) else None
        if isinstance(deployment, str) and deployment.strip().lower() != "novita":
            place = self._place("providers", "deployment")
        elif not self._boolean("enabled", default=True):
            place = self._place("novita", "enabled")
        else:
            return
        self.problems.append(
            ProviderDisabled(
                code="not-enabled", summary="novita provider is not enabled", hint=_ENABLE_HINT, place=place
            )
        )

    def _check_environment(self) -> None:
        """Report that config.yaml no longer has the environment of the run, whose settings are needed."""
        environments = self._data.get("environments")
        if self._environment and not (isinstance(environments, dict) and self._environment in environments):
            self.problems.append(
                Problem(
                    code="unknown-environment",
                    summary=f"config.yaml no longer declares the environment `{self._environment}`",
                    hint="run the command again",
                )
            )

    def _api_key(self) -> Secret | None:
        """Return the key: that of the environment, or NOVITA_API_KEY, or that of `novita`."""
        text = self._environ.get("NOVITA_API_KEY", "").strip()
        setting = self._setting("api_key")
        source = setting.name.strip("`")
        if text and not setting.is_of_environment:
            setting, source = _Setting(text, "NOVITA_API_KEY"), "${env:NOVITA_API_KEY}"
        else:
            if not isinstance(setting.value, str):
                return None
            resolved = self._key_resolver.resolve(setting.value, is_api_key=True)
            self._report_faults(setting, resolved, resolved.faults)
            if resolved.faults:
                if setting.is_of_environment:
                    problem = resolved.faults[0].problem
                    summary = f"the API key is {setting.name}, and {problem.summary}"
                    self._key_problem = replace(
                        problem, summary=summary, severity=Severity.ERROR, place=setting.place()
                    )
                return None
            source = setting.value if resolved.has_references else source
            text = resolved.value.strip()
        if not text or text in PLACEHOLDERS:
            return None
        if not is_header_value(text):
            self._report(
                "bad-api-key",
                f"the API key in {setting.name} contains a space or a character that cannot be sent",
                "copy it again from the Novita Console (https://console.novita.ai)",
                setting.place(),
            )
            return None
        return Secret(value=text, source=source)

    def _state_key(self) -> Secret | None:
        text = self._environ.get("RECONCILER_STATE_KEY", "").strip()
        return Secret(value=text, source="${env:RECONCILER_STATE_KEY}") if text else None

    def _drift_ignore(self) -> tuple[DriftIgnore, ...]:
        section = self._data.get("drift")
        if not (entries := section.get("ignore") if isinstance(section, dict) else None):
            return ()
        from reconciler.config.sections.drift_ignores import read_drift_ignores

        return tuple(read_drift_ignores(entries, partial(self._place, "drift", "ignore"), self.problems))

    def _budget(self) -> Budget:
        if self._data.get("budget"):
            from reconciler.config.sections.budgets import read_budget

            return read_budget(self._data, self._environment, self._place, self.problems)
        return NO_BUDGET

    def _base_url(self) -> str:
        text = self._environ.get("NOVITA_BASE_URL", "").strip()
        setting = _Setting(text, "NOVITA_BASE_URL")
        is_from_file = not text
        if is_from_file:
            setting = self._setting("base_url")
            text = self._text("base_url", "url") or ""
        if not text or "${" in text:
            return DEFAULT_BASE_URL
        if text == SIMULATOR:
            return SIMULATOR
        error = url_error(text)
        if error:
            what, hint = error
            self._report("bad-base-url", f"the base URL in {setting.name} {what}", hint, setting.place())
            return DEFAULT_BASE_URL
        if is_from_file and not self._is_trusted(text, setting):
            return DEFAULT_BASE_URL
        return text.rstrip("/").removesuffix(API_ROOT).rstrip("/")

    def _is_trusted(self, url: str, setting: _Setting) -> bool:
        """Return True if the API key may be sent to a URL from a file, which others may have changed."""
        host = urlsplit(url).hostname or ""
        trusted = re.split(r"[\s,]+", self._environ.get(TRUSTED_HOSTS, ""))
        if is_loopback(host) or host_matches(host, (*NOVITA_HOSTS, *trusted)):
            return True
        # The value of a reference may be a secret, so it is not shown.
        shown, export = (setting.value, "HOST") if "${" in setting.value else (host, quote(host))
        self._report(
            "untrusted-host",
            f"{setting.name} would send the API key to {shown}, which is not Novita's nor in {TRUSTED_HOSTS}",
            f"export {TRUSTED_HOSTS}={export}   if that host may receive the key; otherwise remove"
            f" {setting.name}: the default is {DEFAULT_BASE_URL}",
            setting.place(),
        )
        return False

    def _text(self, name: str, kind: str = "string") -> str | None:
        """Return the text of a public field; if its references have faults, as it is written."""
        setting = self._setting(name)
        if not isinstance(setting.value, str):
            return None
        resolved = self._resolver.resolve(setting.value)
        faults = helper_faults(setting.value) or resolved.faults or resolved.unmaskable(kind)
        self._report_faults(setting, resolved, faults)
        return (resolved.text if faults else resolved.value).strip() or None

    def _report_faults(self, setting: _Setting, resolved: Resolved, faults: Sequence[Fault]) -> None:
        assert self._document is not None  # otherwise there are no references
        locate = partial(self._document.place_of_word, setting.path)
        self.problems += place_faults(faults, resolved.text, locate)

    def _seconds(self, name: str, default: float) -> float:
        value = self._coerced(name, "number")
        if value is None:
            return default
        if (name == "poll_interval" and value <= 0) or not 0 <= value <= durations.MAX_SETTING:
            setting, summary = self._setting(name), f"must be a number of seconds, not {value:g}"
            self._report("out-of-range", f"{setting.name} {summary}", "write 10", setting.place())
            return default
        return float(value)

    def _boolean(self, name: str, *, default: bool) -> bool:
        value = self._coerced(name, "boolean")
        return default if value is None else bool(value)

    def _coerced(self, name: str, kind: str) -> Any:
        """Return the value of a field that may be a reference; None if it is missing or reported."""
        setting = self._setting(name)
        if not isinstance(setting.value, str):
            has_type = (
                isinstance(setting.value, bool)
                if kind == "boolean"
                else isinstance(setting.value, int | float)
            )
            return setting.value if has_type and not self._is_reported(setting) else None
        if not is_single_reference(setting.value) or self._is_reported(setting):
            return None
        resolved = self._resolver.resolve(setting.value)
        faults = helper_faults(setting.value) or resolved.faults or resolved.unmaskable(kind)
        self._report_faults(setting, resolved, faults)
        value = None if faults else coerce(resolved.value, kind)
        if value is None and not faults:
            summary = f"{setting.name} must be {TYPE_NAMES[kind]}, and the value of {setting.value} is not"
            self._report("bad-reference", summary, "correct the value behind the reference", setting.place())
        return value

    def _is_reported(self, setting: _Setting) -> bool:
        return any(problem.place == setting.place() for problem in self.problems)

    def _setting(self, name: str) -> _Setting:
        """Return a setting of the environment of the run; if that has none, of `novita`."""
        paths = [("environments", self._environment)] if self._environment else []
        for path in (*paths, ("novita",)):
            section: Any = self._data
            for step in path:
                section = section.get(step) if isinstance(section, dict) else None
            value = section.get(name) if isinstance(section, dict) else None
            if value is not None or path == ("novita",):
                break
        path = (*path, name)
        return _Setting(value, f"`{'.'.join(path)}`", path, partial(self._place, *path))

    def _place(self, *path: str | int) -> Place | None:
        return None if self._document is None else self._document.place(path)

    def _report(self, code: str, summary: str, hint: str, place: Place | None) -> None:
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=place))
