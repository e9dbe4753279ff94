"""config.yaml and the environment -> `Settings`. What the environment says wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from reconciler.config import schema
from reconciler.config.files.discovery import first_of, shown
from reconciler.config.references.resolver import Resolved, Resolver, coerce
from reconciler.config.references.syntax import Fault, few, whole
from reconciler.config.vocabulary import WANTED
from reconciler.model.hosts import NOVITA_HOSTS, host_error, host_matches, is_loopback
from reconciler.model.problem import Place, Problem
from reconciler.model.request import API_ROOT
from reconciler.model.secrets import Secret
from reconciler.model.settings import DEFAULT_BASE_URL, SIMULATOR, Settings
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.root_check import Fence

if TYPE_CHECKING:
    from reconciler.model.drift import DriftIgnore

TRUSTED_HOSTS: Final = "RECONCILER_TRUSTED_HOSTS"
"""The variable that names hosts, or domains as `*.example.com`, to which a file may send the API key."""

PLACEHOLDERS: Final = frozenset({"your-novita-api-key-here", "your-api-key"})
CONFIG_FILES: Final = (Path("config.yaml"), Path("config/config.yaml"))

_PLAIN_KEY: Final = re.compile(r"[!-~\xa1-\xff]+\Z")

_ENABLE: Final = """\
Enable Novita provider in `config.yaml`:

providers:
  deployment: "novita"

novita:
  enabled: true
  api_key: "your-api-key\""""

_SET_KEY: Final = """\
export NOVITA_API_KEY=...   or set `novita.api_key` in `config.yaml`:

novita:
  api_key: "your-novita-api-key-here"

Get API key from Novita Console (https://console.novita.ai)."""


def key_problem() -> Problem:
    """What a command says that needs a key and has none."""
    return Problem(code="no-api-key", summary="novita API key is required", hint=_SET_KEY)


def settings_of(root: Path, resolver: Resolver) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings of a run, and all that is wrong with them; defaults stand in for what is."""
    from reconciler.yamlfile.reader import read

    path = first_of(root, CONFIG_FILES)
    document = None if path is None else read(path, shown(path, root), fence=Fence(root))
    reader = _Reader(document, resolver)
    return reader.settings(), tuple(reader.problems)


@dataclass(frozen=True, slots=True)
class _Said:
    """One value and where it was said; `where` names it in a sentence."""

    value: Any
    where: str
    place: Place | None


class _Reader:
    """Reads one config.yaml and collects what is wrong with it."""

    def __init__(self, document: Document | None, resolver: Resolver) -> None:
        self._document = document
        self._resolver = resolver
        self._environ: Mapping[str, str] = resolver.environ
        self.problems: list[Problem] = []
        self._data: dict[str, Any] = {}
        if document is None:
            return
        self.problems += document.problems
        for section in ("novita", "drift"):
            self.problems += document.bent_within((section,))
        data = document.data
        if data is not None and not schema.fits("config", data):
            from reconciler.config.schema_errors import reports

            found = reports(schema.errors("config", data), document)
            taken = {problem.place for problem in self.problems}
            self.problems += (problem for problem in found if problem.place not in taken)
        self._data = data if isinstance(data, dict) else {}

    def settings(self) -> Settings:
        self._check_provider()
        return Settings(
            enabled=not any(problem.code == "not-enabled" for problem in self.problems),
            api_key=self._api_key(),
            base_url=self._base_url(),
            config_dir=self._text("config_dir"),
            poll_interval=self._seconds("poll_interval", 10.0),
            settle_seconds=self._seconds("settle_seconds", 5.0),
            adopt=self._flag("adopt", default=False),
            state_key=self._state_key(),
            drift_ignore=self._drift_ignore(),
            is_complete=self._is_complete(),
        )

    def _is_complete(self) -> bool:
        """Whether no setting is missing because it could not be read."""
        document = self._document
        if document is None or (document.data is None and not document.problems):
            return True
        is_read = isinstance(document.data, dict) and isinstance(self._data.get("novita"), dict | None)
        folder = self._said("config_dir")
        return is_read and (folder.place is None or not self._is_reported(folder))

    def _check_provider(self) -> None:
        providers = self._data.get("providers")
        deployment = providers.get("deployment") if isinstance(providers, dict) else None
        if isinstance(deployment, str) and deployment.strip().lower() != "novita":
            self._not_enabled("providers", "deployment")
        elif not self._flag("enabled", default=True):
            self._not_enabled("novita", "enabled")

    def _not_enabled(self, *path: str) -> None:
        self._report("not-enabled", "novita provider is not enabled", _ENABLE, self._place(*path))

    def _api_key(self) -> Secret | None:
        text = self._environ.get("NOVITA_API_KEY", "").strip()
        said = _Said(text, "NOVITA_API_KEY", None)
        source = "${env:NOVITA_API_KEY}"
        if not text:
            said = self._said("api_key")
            source = "novita.api_key"
            if not isinstance(said.value, str):
                return None
            found = self._resolver.resolve(said.value, is_api_key=True)
            self._blame("api_key", found, found.faults)
            if found.faults:
                return None
            source = said.value if found.has_references else source
            text = found.value.strip()
        if not text or text in PLACEHOLDERS:
            return None
        if not _PLAIN_KEY.match(text):
            self._report(
                "bad-api-key",
                f"the API key in {said.where} holds a space or a character that cannot be sent",
                "copy it again from the Novita Console (https://console.novita.ai)",
                said.place,
            )
            return None
        return Secret(value=text, source=source)

    def _state_key(self) -> Secret | None:
        text = self._environ.get("RECONCILER_STATE_KEY", "").strip()
        return Secret(value=text, source="${env:RECONCILER_STATE_KEY}") if text else None

    def _drift_ignore(self) -> tuple[DriftIgnore, ...]:
        section = self._data.get("drift")
        entries = section.get("ignore") if isinstance(section, dict) else None
        if not entries:
            return ()
        from reconciler.config.drift_ignores import ignores

        return tuple(ignores(entries, lambda *path: self._place("drift", "ignore", *path), self.problems))

    def _base_url(self) -> str:
        text = self._environ.get("NOVITA_BASE_URL", "").strip()
        said = _Said(text, "NOVITA_BASE_URL", None)
        is_from_file = not text
        if is_from_file:
            said = self._said("base_url")
            text = self._text("base_url", "url") or ""
        if not text or "${" in text:
            return DEFAULT_BASE_URL
        if text == SIMULATOR:
            return SIMULATOR
        wrong = url_fault(text)
        if wrong:
            what, hint = wrong
            self._report("bad-base-url", f"the base URL in {said.where} {what}", hint, said.place)
            return DEFAULT_BASE_URL
        if is_from_file and not self._is_trusted(text, said):
            return DEFAULT_BASE_URL
        return text.rstrip("/").removesuffix(API_ROOT).rstrip("/")

    def _is_trusted(self, url: str, said: _Said) -> bool:
        """Whether the key may go to an URL from a file, which others than the owner of the key can change."""
        host = urlsplit(url).hostname or ""
        named = re.split(r"[\s,]+", self._environ.get(TRUSTED_HOSTS, ""))
        if is_loopback(host) or host_matches(host, (*NOVITA_HOSTS, *named)):
            return True
        # What a reference says may be a secret, put there to be shown.
        shown, export = (said.value, "HOST") if "${" in said.value else (host, quote(host))
        self._report(
            "untrusted-host",
            f"{said.where} would send the API key to {shown}, which is not Novita's nor in {TRUSTED_HOSTS}",
            f"export {TRUSTED_HOSTS}={export}   if that host may have the key; else remove {said.where}:"
            f" without it the key goes to {DEFAULT_BASE_URL}",
            said.place,
        )
        return False

    def _text(self, name: str, kind: str = "string") -> str | None:
        """The text of a field that everybody sees; as it is written where a reference in it is at fault."""
        said = self._said(name)
        if not isinstance(said.value, str):
            return None
        found = self._resolver.resolve(said.value)
        faults = found.faults or found.unmaskable(kind)
        self._blame(name, found, faults)
        return (found.text if faults else found.value).strip() or None

    def _blame(self, name: str, found: Resolved, faults: Sequence[Fault]) -> None:
        assert self._document is not None  # or else nothing was said
        for one in few(faults):
            nth = found.text.count(one.text, 0, one.start)
            place = self._document.place_of(("novita", name), one.text, nth)
            self.problems.append(one.problem.at(place))

    def _seconds(self, name: str, default: float) -> float:
        value = self._coerced(name, "number")
        if value is None:
            return default
        if (name == "poll_interval" and value <= 0) or not 0 <= value <= 86400:
            said = self._said(name)
            summary = f"{said.where} must be a number of seconds, not {value:g}"
            self._report("out-of-range", summary, "write 10", said.place)
            return default
        return float(value)

    def _flag(self, name: str, *, default: bool) -> bool:
        value = self._coerced(name, "boolean")
        return default if value is None else bool(value)

    def _coerced(self, name: str, kind: str) -> Any:
        """The value of a field that may be a reference; None when there is none, or it was reported."""
        said = self._said(name)
        if not isinstance(said.value, str):
            fitting = (
                isinstance(said.value, bool) if kind == "boolean" else isinstance(said.value, int | float)
            )
            return said.value if fitting and not self._is_reported(said) else None
        if not whole(said.value) or self._is_reported(said):
            return None
        found = self._resolver.resolve(said.value)
        faults = found.faults or found.unmaskable(kind)
        self._blame(name, found, faults)
        value = None if faults else coerce(found.value, kind)
        if value is None and not faults:
            summary = f"{said.where} must be {WANTED[kind]}, and what {said.value} says is not"
            self._report("bad-reference", summary, "correct the value behind the reference", said.place)
        return value

    def _is_reported(self, said: _Said) -> bool:
        return any(problem.place == said.place for problem in self.problems)

    def _said(self, name: str) -> _Said:
        section = self._data.get("novita")
        value = section.get(name) if isinstance(section, dict) else None
        return _Said(value, f"`novita.{name}`", self._place("novita", name))

    def _place(self, *path: str | int) -> Place | None:
        return None if self._document is None else self._document.place(path)

    def _report(self, code: str, summary: str, hint: str, place: Place | None) -> None:
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=place))


def url_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a base URL, and what to do; None when it may be used."""
    example = f"write {DEFAULT_BASE_URL}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "is not a URL", example
    if parts.scheme not in ("http", "https") or not host or " " in text or not text.isprintable():
        return "is not a URL", example
    if parts.username is not None or parts.password is not None:
        return (
            "holds a user name or password",
            "remove what stands before the `@`; the key goes into NOVITA_API_KEY",
        )
    if wrong := host_error(host):
        return f"is not a URL: the host {wrong}", example
    if port == 0:
        return "is not a URL: there is no port 0", example
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        return "holds a query or a fragment", "remove what follows the `?` or `#`"
    if parts.scheme == "http" and not is_loopback(host):
        return (
            "is not https, so the key would travel in the clear",
            "write https:// instead; http:// is only for this machine (localhost)",
        )
    return None
