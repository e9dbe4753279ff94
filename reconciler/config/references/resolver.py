"""Resolves references. The grammar is in `syntax`, the masks are in `resolved`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from reconciler.config.references.resolved import Resolved
from reconciler.config.references.syntax import Fault, Reference, scan
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.secrets import Secret
from reconciler.yamlfile.files import RootDirectory, UnreadableFile, decode_text

if TYPE_CHECKING:
    from reconciler.config.references.helper_calls import HelperCalls, HelperRunner

NO_VARIABLES: Final[Mapping[str, str]] = MappingProxyType({})

SHARED_CODES: Final = frozenset(
    {"bad-secret-helpers", "unknown-helper", "helper-not-found", "helper-not-asked", "helper-not-run"}
)
"""Codes of problems about a helper and not about a value; each is reported once."""

MAX_SIZE: Final = 2**20
"""Bytes. A larger file is neither a secret nor a setting."""

_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER: Final = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{1,18})?\Z")


class UnsetReference(Problem):
    """The problem of a reference to a variable or a file without a value."""


@dataclass(frozen=True)
class Resolver:
    """Resolves the references of one run.

    `dotenv` has the variables of `.env` files, which apply if they are unset or empty in `environ`. With
    `lenient`, an unset reference is a warning, and a helper runs only for the API key. `helper_calls` are the
    calls of helpers in this run; with None, none runs. `on_wait` tells the user that a helper is slow.
    """

    root: Path
    environ: Mapping[str, str]
    lenient: bool = False
    dotenv: Mapping[str, str] = field(default_factory=dict)
    helper_calls: HelperCalls | None = field(default=None, repr=False)
    on_wait: Callable[[str], None] | None = None

    @cached_property
    def _files(self) -> dict[str, str | Problem]:
        """File contents by path; each file is read once, so that all endpoints get the same content."""
        return {}

    @cached_property
    def values(self) -> set[str]:
        """The values of all references that were resolved so far."""
        return set()

    @cached_property
    def _texts(self) -> dict[str, Resolved]:
        """Resolved texts; many endpoints have the same reference."""
        return {}

    @cached_property
    def without_helpers(self) -> Resolver:
        """The same resolver without helpers: for public settings, and endpoints that are not selected."""
        return replace(self, helper_calls=None)

    @cached_property
    def _helpers(self) -> HelperRunner:
        from reconciler.config.references.helper_calls import HelperRunner
        from reconciler.config.references.helpers import HelperRegistry

        calls = {} if self.helper_calls is None else self.helper_calls
        return HelperRunner(HelperRegistry(self.root, self.environ), calls, self.on_wait)

    @cached_property
    def _root_directory(self) -> RootDirectory:
        return RootDirectory(self.root)

    def resolve(self, text: str, *, is_api_key: bool = False) -> Resolved:
        """Return the text with all references resolved, or the text itself with the faults.

        `is_api_key` is True for the only field that may read NOVITA_API_KEY.
        """
        if is_api_key:
            return self._resolve(text, is_api_key=True)
        if text not in self._texts:
            self._texts[text] = self._resolve(text)
        return self._texts[text]

    def _resolve(self, text: str, *, is_api_key: bool = False) -> Resolved:
        pieces: list[tuple[str, Reference | None]] = []
        faults: list[Fault] = []
        has_references = is_malformed = False
        for part in scan(text):
            match part:
                case str():
                    pieces.append((part, None))
                case Fault():
                    faults.append(part)
                    is_malformed = True
                case Reference():
                    has_references = True
                    value = self._look_up(part, is_api_key=is_api_key)
                    if isinstance(value, Problem):
                        faults.append(Fault(value, part.text, part.start))
                    else:
                        pieces.append((value, part))
                        self.values.add(value)
        if faults:
            return Resolved(text, text, ((text, None),), has_references and not is_malformed, tuple(faults))
        return Resolved(text, "".join(value for value, _ in pieces), tuple(pieces), has_references)

    def start_helpers(self, texts: Iterable[str]) -> None:
        """Start the helpers that these texts name, so that they run in parallel."""
        parts = (part for text in texts for part in scan(text) if isinstance(part, Reference))
        self._helpers.start(part for part in parts if part.scheme == "exec")

    def secret(self, text: str) -> tuple[str | Secret, tuple[Problem, ...]]:
        """Return `Resolved.secret` of a text, and its problems."""
        resolved = self.resolve(text)
        return resolved.secret, resolved.problems

    def _look_up(self, reference: Reference, *, is_api_key: bool) -> str | Problem:
        from reconciler.config.references.policy import API_KEY, variable_refusal

        if reference.scheme == "file":
            value = self._file(reference)
        elif reference.scheme == "exec":
            value = self._helper_value(reference, is_api_key=is_api_key)
        elif (refused := variable_refusal(reference.name, self.environ)) is not None and not (
            is_api_key and reference.name == API_KEY
        ):
            return _refused(reference, *refused)
        else:
            value = self._variable(reference)
        if isinstance(value, Problem):
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            return _unusable(reference, "its value is not UTF-8 text", "store binary data elsewhere")
        return value

    def variable(self, name: str) -> str | None:
        """Return the value of a variable, or None if it is unset or blank, also in `.env` files."""
        values = (source.get(name, "") for source in (self.environ, self.dotenv))
        return next((value for value in values if value.strip()), None)

    def _variable(self, reference: Reference) -> str | Problem:
        name = reference.name
        if (value := self.variable(name)) is not None:
            return value
        if reference.default is not None:
            return reference.default
        if name in self.environ or name in self.dotenv:
            return self._unset(
                f"the environment variable {name} is set, but empty",
                f"give {name} a value, or allow it to be empty: ${{env:{name}:-}}",
                detail="A CI secret that does not exist, or is not given to this job, is an empty variable.",
            )
        return self._unset(
            f"the environment variable {name} is not set",
            f"export {name}=...   or give a default: ${{env:{name}:-default}}",
        )

    def _helper_value(self, reference: Reference, *, is_api_key: bool) -> str | Problem:
        if self.helper_calls is None or (self.lenient and not is_api_key):
            return self._unasked(reference)
        value = self._helpers.value(reference)
        if isinstance(value, Problem) or value.strip():
            return value
        return self._unset(
            f"the helper `{reference.name}` printed nothing for {reference.text}",
            "store a value there, or remove the reference to it",
        )

    def _unasked(self, reference: Reference) -> Problem:
        """Return the problem of a reference whose helper does not run."""
        helper = self._helpers.registry.find(reference)
        if not isinstance(helper, Problem):
            note = "values of secret helpers are not checked: helpers run only when changes are planned"
            severity = Severity.NOTE if self.lenient else Severity.ERROR
            return UnsetReference(code="helper-not-run", summary=note, severity=severity)
        if self.lenient and helper.code == "unknown-helper":
            return UnsetReference(
                code=helper.code, summary=helper.summary, hint=helper.hint, severity=Severity.WARNING
            )
        return helper

    def _file(self, reference: Reference) -> str | Problem:
        if reference.name not in self._files:
            self._files[reference.name] = self._read(reference)
        return self._files[reference.name]

    def _read(self, reference: Reference) -> str | Problem:
        from reconciler.config.references.policy import private_part

        path = Path(reference.name)
        refused = "an absolute path" if path.is_absolute() else private_part(path)
        try:
            if refused is None:
                refused = private_part(self._root_directory.real_path(self.root / path))
            if refused is None:
                raw = self._root_directory.read(self.root / path, MAX_SIZE)
        except UnreadableFile as error:
            return _unusable(reference, error.reason, error.hint)
        if refused is not None:
            what = refused if path.is_absolute() else f"what is in {refused}"
            return _refused(
                reference,
                f"references never read {what}",
                f"store the value in a separate file below {self.root.absolute()}",
            )
        content = decode_text(raw)
        if content is None or "\0" in content:
            return _unusable(reference, "the file is not UTF-8 text", "store binary data elsewhere")
        content = content[:-2] if content.endswith("\r\n") else content.removesuffix("\n").removesuffix("\r")
        if not content.strip():
            return self._unset(
                f"the file {reference.name} is empty",
                f"write the value into {reference.name}, or remove the reference to it",
            )
        return content

    def _unset(self, summary: str, hint: str, detail: str = "") -> Problem:
        return UnsetReference(
            code="unset-reference",
            summary=summary,
            detail=detail,
            hint=hint,
            severity=Severity.WARNING if self.lenient else Severity.ERROR,
        )


def _unusable(reference: Reference, what: str, hint: str) -> Problem:
    return Problem(code="unreadable-reference", summary=f"{reference.text} cannot be used: {what}", hint=hint)


def _refused(reference: Reference, why: str, hint: str) -> Problem:
    return Problem(code="reference-refused", summary=f"{reference.text} is refused: {why}", hint=hint)


def coerce(text: str, kind: str) -> Any:
    """Return the value of a reference as the JSON type of its field, or None if it has another type."""
    text = text.strip()
    if kind == "boolean":
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
            text.lower()
        )
    if kind == "number" and _NUMBER.match(text):
        return float(text)
    return int(text) if _INTEGER.match(text) else None
