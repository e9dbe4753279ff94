"""Reads specs.yaml: GPU specs by name, and validation of the specs that are used."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from reconciler.config import schema
from reconciler.config.references.resolved import Resolved
from reconciler.config.references.resolver import Resolver
from reconciler.config.references.syntax import Fault, place_faults
from reconciler.config.vocabulary import suggest_name
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Place, Problem, Severity
from reconciler.model.resource import Spec
from reconciler.model.secrets import Secret
from reconciler.model.values import has_path
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import truncated

if TYPE_CHECKING:
    from reconciler.model.status import SpecInfo

_INTEGER: Final = re.compile(r"[0-9]{1,9}\Z")

MAX_NAMED: Final = 20
"""Known specs that a hint names."""

PRICE_PATH: Final = ("platforms", "novita", "pricePerHour")

_PLATFORM_HINT: Final = """\
Add `platforms.novita` section to your spec in `specs.yaml`:

platforms:
  novita:
    productId: "SL-serverless-3"  # Get from Novita Console
    region: "us-dallas-nas-2\""""

_ROOTFS_HINT: Final = """\
Use numeric value (GB) without unit:

resources:
  ephemeralStorage: "100"  # 100GB (correct)
  # NOT: "100Gi" or "100GB\""""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecEntry:
    """One spec as it is written, including settings of other platforms.

    `is_invalid` is True if it does not match the schema, which was reported when the file was read.
    """

    name: str
    data: Mapping[str, Any]
    document: Document
    index: int
    is_invalid: bool = False

    def value(self, *path: str) -> Any:
        """Return the value at `path`, or None if it does not exist."""
        value: Any = self.data
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def written(self, *path: str) -> str:
        """Return the value at `path` as it is written, such as 12.10, which YAML reads as the number 12.1."""
        value = self.value(*path)
        if value is None or isinstance(value, str):
            return value or ""
        node = self.document.node(("specs", self.index, *path))
        return node.value if node is not None and isinstance(node.value, str) else str(value)

    def place_of_word(self, path: Sequence[str], word: str, nth: int) -> Place | None:
        """Return the place of the nth `word` in the text at `path`."""
        return self.document.place_of_word(("specs", self.index, *path), word, nth) or self.place(*path)

    def place(self, *path: str) -> Place | None:
        """Return the place of the value at `path`, or of the spec's name if it does not exist."""
        place = self.document.place(("specs", self.index, *path)) if path else None
        return place or self.document.place(("specs", self.index, "name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs of a run by name, with the problems of their file. `file` is None if there is no file.

    `are_all_known` is False if the names of some specs could not be read.
    """

    entries: Mapping[str, SpecEntry]
    file: str | None
    are_all_known: bool = True
    problems: tuple[Problem, ...] = ()


def has_only_known_names(document: Document) -> bool:
    """Return True if the names of all specs of a file could be read."""
    if not isinstance(document.data, dict):
        return not document.problems and document.data is None
    items = document.data.get("specs")
    if items is None:
        return len(document.data) == 0 or "specs" in document.data
    return isinstance(items, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str | int | float) for item in items
    )


def read_entries(document: Document) -> tuple[dict[str, SpecEntry], list[Problem]]:
    """Return the specs of a file by name, and the problems of the file."""
    data = document.data
    problems: list[Problem] = []
    if data is not None and not schema.is_valid("specs", data):
        from reconciler.config.schema_errors import schema_problems

        problems = schema_problems(schema.validation_errors("specs", data), document)
    items = data.get("specs") if isinstance(data, dict) else None
    entries: dict[str, SpecEntry] = {}
    for index, item in enumerate(items if isinstance(items, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        is_invalid = bool(problems) and not schema.is_valid("specs", item, "spec")
        entry = SpecEntry(name=name, data=item, document=document, index=index, is_invalid=is_invalid)
        if name in entries:
            problems.append(
                Problem(
                    code="duplicate-spec",
                    summary=f"the spec `{name}` is declared twice",
                    hint=f"rename or remove one of the two; the first is at {entries[name].place()}",
                    place=entry.place(),
                )
            )
        else:
            entries[name] = entry
    return entries, problems


def unknown_spec_problem(
    name: str, known: Collection[str], place: Place | None, specs_file: str | None
) -> Problem:
    """Return the problem of a `specName` that no spec has."""
    if specs_file is None:
        return Problem(
            code="unknown-spec",
            summary=f"there is no spec `{truncated(name)}`, because there is no specs.yaml",
            hint="reconciler init   writes one; or set `novita.config_dir` in config.yaml",
            place=place,
        )
    meant = suggest_name(name, known)
    listed = [*islice(known, MAX_NAMED), *(["..."] if len(known) > MAX_NAMED else [])]
    names = ", ".join(listed) or "none"
    return Problem(
        code="unknown-spec",
        summary=f"there is no spec `{truncated(name)}` in {specs_file}",
        hint=f"did you mean `{meant}`? known specs: {names}" if meant else f"known specs: {names}",
        place=place,
    )


def usable_spec(entry: SpecEntry, resolver: Resolver) -> tuple[Spec | None, tuple[Problem, ...]]:
    """Return the spec with references resolved, or None with the problems that make it unusable."""
    if entry.is_invalid:
        return None, ()
    reader = _SpecReader(entry, resolver)
    gpu = reader.gpu()
    rootfs = reader.rootfs()
    product, region, cuda = (
        reader.maskable("platforms", "novita", name) for name in ("productId", "region", "cudaVersion")
    )
    if not product:
        reader.report(
            "no-product-id",
            f"no Novita product ID found for spec {entry.name}",
            _PLATFORM_HINT,
            "platforms",
            "novita",
        )
    elif not region:
        reader.report(
            "no-region",
            f"no Novita region found for spec {entry.name}",
            'write `region: "us-dallas-nas-2"`, with a region from the Novita Console (https://console.novita.ai)',
            "platforms",
            "novita",
        )
    if reader.is_empty("platforms", "novita", "cudaVersion"):
        reader.report(
            "empty-value",
            f"`cudaVersion` of spec {entry.name} is empty",
            'write `cudaVersion: "any"`, or the required version; or remove the line',
            "platforms",
            "novita",
            "cudaVersion",
        )
    if price := entry.written(*PRICE_PATH).strip():
        from reconciler.config.spec_prices import price_problems

        reader.problems += price_problems(entry.name, price, entry.place(*PRICE_PATH))
    reader.warn_of_number("platforms", "novita", "productId")
    reader.warn_of_number("platforms", "novita", "cudaVersion")
    if any(problem.is_error for problem in reader.problems):
        return None, tuple(reader.problems)
    spec = Spec(
        name=entry.name,
        product_id=product,
        region=region,
        gpu=gpu,
        rootfs_gb=rootfs,
        cuda_version=cuda,
        price_per_hour=price,
    )
    return spec, tuple(reader.problems)


def usable_specs(specs: Mapping[str, SpecEntry], resolver: Resolver) -> tuple[Spec, ...]:
    """Return the specs that are complete for Novita, in file order."""
    usable = (usable_spec(entry, resolver)[0] for entry in specs.values())
    return tuple(spec for spec in usable if spec is not None)


def spec_info(entry: SpecEntry, resolver: Resolver) -> SpecInfo:
    """Return the spec with its references resolved; unset ones stay as written, and secrets are masked."""

    from reconciler.model.status import SpecInfo

    def text(*path: str) -> str:
        return resolver.resolve(entry.written(*path)).shown.strip()

    spec, problems = usable_spec(entry, resolver)
    unusable_reasons = [problem.summary for problem in problems if problem.is_error]
    if spec is None and not unusable_reasons:
        unusable_reasons = ["it does not match the schema; see reconciler validate"]
    return SpecInfo(
        name=entry.name,
        display_name=text("displayName"),
        category=text("category"),
        resource_type=text("resourceType"),
        gpu=text("resources", "gpu"),
        gpu_type=text("resources", "gpuType"),
        cpu=text("resources", "cpu"),
        memory=text("resources", "memory"),
        ephemeral_storage=text("resources", "ephemeralStorage"),
        product_id=text("platforms", "novita", "productId"),
        region=text("platforms", "novita", "region"),
        cuda_version=text("platforms", "novita", "cudaVersion"),
        unusable_reasons=tuple(unusable_reasons),
    )


class _SpecReader:
    """Reads the fields of one spec and collects its problems."""

    def __init__(self, entry: SpecEntry, resolver: Resolver) -> None:
        self._entry = entry
        self._resolver = resolver
        self.problems: list[Problem] = []
        document, spec = entry.document, ("specs", entry.index)
        for path in (("resources", "gpu"), ("resources", "ephemeralStorage"), ("platforms", "novita")):
            self.problems += document.ambiguous_below((*spec, *path))

    def maskable(self, *path: str) -> str | Secret:
        """Return the text at a path with its references resolved, or ""."""
        resolved = self._resolver.resolve(self._entry.written(*path))
        self._report_faults(path, resolved, resolved.faults)
        value = resolved.maskable
        if isinstance(value, str):
            return value.strip()
        return replace(value, value=value.value.strip(), masked=value.masked.strip())

    def number(self, *path: str) -> tuple[str, str]:
        """Return the text of a numeric field, and the text that may be shown."""
        resolved = self._resolved(path)
        faults = resolved.faults or resolved.unmaskable("integer")
        self._report_faults(path, resolved, faults)
        if faults:
            return resolved.text, resolved.text
        return resolved.value.strip(), resolved.shown.strip()

    def warn_of_number(self, *path: str) -> None:
        """Warn of a number that is written otherwise than other programs will read it."""
        value, written = self._entry.value(*path), self._entry.written(*path)
        if isinstance(value, int | float) and str(value) != written:
            summary = (
                f"`{path[-1]}` of spec {self._entry.name} is taken as written, {written}, not as {value}"
            )
            self.report(
                "not-text", summary, f'write `{path[-1]}: "{written}"`', *path, severity=Severity.WARNING
            )

    def _resolved(self, path: tuple[str, ...]) -> Resolved:
        value = self._entry.value(*path)
        return self._resolver.resolve("" if value is None else str(value))

    def _report_faults(self, path: tuple[str, ...], resolved: Resolved, faults: Sequence[Fault]) -> None:
        place_of_word = partial(self._entry.place_of_word, path)
        self.problems += place_faults(faults, resolved.text, place_of_word)

    def is_empty(self, *path: str) -> bool:
        return has_path(self._entry.data, path) and self._entry.value(*path) is None

    def gpu(self) -> int:
        text, shown = self.number("resources", "gpu")
        if not (_INTEGER.match(text) and int(text)) and not self._is_unresolved(text):
            actual = f"not {shown}" if text else "and it is missing"
            self.report(
                "bad-gpu",
                f"`resources.gpu` of spec {self._entry.name} must be a number of GPUs, {actual}",
                'write `gpu: "1"`',
                "resources",
                "gpu",
            )
            return 0
        return 1 if self._is_unresolved(text) else int(text)

    def rootfs(self) -> int:
        text, shown = self.number("resources", "ephemeralStorage")
        if not (_INTEGER.match(text) and int(text)) and not self._is_unresolved(text):
            actual = f"`{shown}` is not a number of GB" if text else "`resources.ephemeralStorage` is missing"
            self.report(
                "bad-rootfs-size",
                f"failed to parse rootfs size of spec {self._entry.name}: {actual}",
                _ROOTFS_HINT,
                "resources",
                "ephemeralStorage",
            )
            return 0
        return 100 if self._is_unresolved(text) else int(text)

    def report(
        self, code: str, summary: str, hint: str, *path: str, severity: Severity = Severity.ERROR
    ) -> None:
        place = self._entry.place(*path)
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=place, severity=severity))

    def _is_unresolved(self, text: str) -> bool:
        """Return True if the text has a reference that could not be resolved, which is reported."""
        return "${" in text
