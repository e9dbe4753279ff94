"""specs.yaml: the GPU shapes by name, and whether one that is used has all that Novita needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from reconciler.config import schema
from reconciler.config.references.resolver import Resolved, Resolver
from reconciler.config.references.syntax import Fault, few
from reconciler.config.vocabulary import close_to
from reconciler.model.problem import Place, Problem
from reconciler.model.resource import Spec
from reconciler.model.secrets import Secret
from reconciler.model.values import has_path
from reconciler.yamlfile.document import Document
from reconciler.yamlfile.scalars import shortened

_WHOLE: Final = re.compile(r"[0-9]{1,9}\Z")

NAMED: Final = 20
"""Known specs (count) that a hint names."""

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
    """One spec as it stands in the file; other platforms' settings included.

    `broken` says that its form is wrong, which was reported when the file was read.
    """

    name: str
    data: Mapping[str, Any]
    document: Document
    index: int
    broken: bool = False

    def place_of(self, path: Sequence[str], fault: Fault) -> Place | None:
        """The place of what is wrong with a reference in a part of it."""
        text = self.data
        for step in path:
            text = text[step]
        nth = str(text).count(fault.text, 0, fault.start)
        return self.document.place_of(("specs", self.index, *path), fault.text, nth) or self.place(*path)

    def place(self, *path: str) -> Place | None:
        """The place of a part of it; of its name where there is no such part."""
        found = self.document.place(("specs", self.index, *path)) if path else None
        return found or self.document.place(("specs", self.index, "name"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs of a run by name. `file` is theirs as shown; None when there is none.

    Unless they `are_all_known`, a name that is missing may be one that could not be read. `problems` are what
    is wrong with the file.
    """

    entries: Mapping[str, SpecEntry]
    file: str | None
    are_all_known: bool = True
    problems: tuple[Problem, ...] = ()


def names_are_known(document: Document) -> bool:
    """Whether every spec of a file could be read so far that its name is known."""
    if not isinstance(document.data, dict):
        return not document.problems and document.data is None
    listed = document.data.get("specs")
    if listed is None:
        return len(document.data) == 0 or "specs" in document.data
    return isinstance(listed, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str | int | float) for item in listed
    )


def entries(document: Document) -> tuple[dict[str, SpecEntry], list[Problem]]:
    """The specs of a file by name, and what is wrong with its form."""
    data = document.data
    problems: list[Problem] = []
    if data is not None and not schema.fits("specs", data):
        from reconciler.config.schema_errors import reports

        problems = reports(schema.errors("specs", data), document)
    listed = data.get("specs") if isinstance(data, dict) else None
    found: dict[str, SpecEntry] = {}
    for index, item in enumerate(listed if isinstance(listed, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        broken = bool(problems) and not schema.fits("specs", item, "spec")
        entry = SpecEntry(name=name, data=item, document=document, index=index, broken=broken)
        if name in found:
            problems.append(
                Problem(
                    code="duplicate-spec",
                    summary=f"the spec `{name}` is declared twice",
                    hint=f"rename or remove one of the two; the first is at {found[name].place()}",
                    place=entry.place(),
                )
            )
        else:
            found[name] = entry
    return found, problems


def unknown_spec(name: str, known: Collection[str], place: Place | None, specs_file: str | None) -> Problem:
    """A `specName` that no spec has."""
    if specs_file is None:
        return Problem(
            code="unknown-spec",
            summary=f"there is no spec `{shortened(name)}`, for there is no specs.yaml",
            hint="reconciler init   writes one; or set `novita.config_dir` in config.yaml",
            place=place,
        )
    meant = close_to(name, known)
    shown = [*islice(known, NAMED), *(["..."] if len(known) > NAMED else [])]
    names = ", ".join(shown) or "none"
    return Problem(
        code="unknown-spec",
        summary=f"there is no spec `{shortened(name)}` in {specs_file}",
        hint=f"did you mean `{meant}`? known specs: {names}" if meant else f"known specs: {names}",
        place=place,
    )


def usable_spec(entry: SpecEntry, resolver: Resolver) -> tuple[Spec | None, tuple[Problem, ...]]:
    """The spec as endpoints use it, or all that it lacks. Called only for specs that are used."""
    if entry.broken:
        return None, ()
    reader = _Reader(entry, resolver)
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
    if reader.is_left_empty("platforms", "novita", "cudaVersion"):
        reader.report(
            "empty-value",
            f"`cudaVersion` of spec {entry.name} is left empty",
            'write `cudaVersion: "any"`, or the version that is wanted; or remove the line',
            "platforms",
            "novita",
            "cudaVersion",
        )
    if any(problem.is_error for problem in reader.problems):
        return None, tuple(reader.problems)
    spec = Spec(
        name=entry.name, product_id=product, region=region, gpu=gpu, rootfs_gb=rootfs, cuda_version=cuda
    )
    return spec, tuple(reader.problems)


def usable_specs(specs: Mapping[str, SpecEntry], resolver: Resolver) -> tuple[Spec, ...]:
    """Those specs that have all that Novita needs, in the order of the file."""
    found = (usable_spec(entry, resolver)[0] for entry in specs.values())
    return tuple(spec for spec in found if spec is not None)


class _Reader:
    """Reads the parts of one spec and collects what is wrong with them."""

    def __init__(self, entry: SpecEntry, resolver: Resolver) -> None:
        self._entry = entry
        self._resolver = resolver
        self.problems: list[Problem] = []
        document, spec = entry.document, ("specs", entry.index)
        for path in (("resources", "gpu"), ("resources", "ephemeralStorage"), ("platforms", "novita")):
            self.problems += document.bent_within((*spec, *path))

    def maskable(self, *path: str) -> str | Secret:
        """The text at a path with its references replaced; "" where there is none."""
        found = self._resolved(path)
        self._blame(path, found.faults)
        value = found.maskable
        if isinstance(value, str):
            return value.strip()
        return replace(value, value=value.value.strip(), masked=value.masked.strip())

    def number(self, *path: str) -> tuple[str, str]:
        """(the text where a number is wanted, which nothing can mask; the same as it may be shown)."""
        found = self._resolved(path)
        faults = found.faults or found.unmaskable("integer")
        self._blame(path, faults)
        return (found.text, found.text) if faults else (found.value.strip(), found.shown.strip())

    def _resolved(self, path: tuple[str, ...]) -> Resolved:
        value = self._value(*path)
        return self._resolver.resolve("" if value is None else str(value))

    def _blame(self, path: tuple[str, ...], faults: Sequence[Fault]) -> None:
        for fault in few(faults):
            self.problems.append(fault.problem.at(self._entry.place_of(path, fault)))

    def is_left_empty(self, *path: str) -> bool:
        return has_path(self._entry.data, path) and self._value(*path) is None

    def _value(self, *path: str) -> Any:
        value: Any = self._entry.data
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value

    def gpu(self) -> int:
        text, shown = self.number("resources", "gpu")
        if not (_WHOLE.match(text) and int(text)) and not self._is_open(text):
            found = f"not {shown}" if text else "and it is missing"
            self.report(
                "bad-gpu",
                f"`resources.gpu` of spec {self._entry.name} must be a number of GPUs, {found}",
                'write `gpu: "1"`',
                "resources",
                "gpu",
            )
            return 0
        return 1 if self._is_open(text) else int(text)

    def rootfs(self) -> int:
        text, shown = self.number("resources", "ephemeralStorage")
        if not (_WHOLE.match(text) and int(text)) and not self._is_open(text):
            found = f"`{shown}` is not a number of GB" if text else "`resources.ephemeralStorage` is missing"
            self.report(
                "bad-rootfs-size",
                f"failed to parse rootfs size of spec {self._entry.name}: {found}",
                _ROOTFS_HINT,
                "resources",
                "ephemeralStorage",
            )
            return 0
        return 100 if self._is_open(text) else int(text)

    def report(self, code: str, summary: str, hint: str, *path: str) -> None:
        self.problems.append(Problem(code=code, summary=summary, hint=hint, place=self._entry.place(*path)))

    def _is_open(self, text: str) -> bool:
        """A reference that could not be looked up and was reported; what it would say is anyone's guess."""
        return "${" in text
