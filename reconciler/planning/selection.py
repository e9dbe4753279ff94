"""The endpoints that a run is about: `--target` and `--exclude`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem, Severity
from reconciler.model.resource import ENDPOINT, address
from reconciler.model.settings import DECLARED_NAMES, NameTemplate
from reconciler.model.text import PatternMap, closest_match


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Names, addresses and globs over both; no target means all.

    `names` are exact. `part` is true if they come from a run with targets or excludes.
    `others` are the addresses of resources of other kinds than endpoints. A target also matches the declared
    name of an endpoint, which `declared_names` gives.
    """

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    names: frozenset[str] | None = None
    part: bool = False
    kind: str = ENDPOINT
    others: tuple[str, ...] = ()
    declared_names: NameTemplate = DECLARED_NAMES

    def of(self, kind: str) -> Selection:
        """Return the selection of resources of another kind, which targets name by their addresses."""
        return replace(self, kind=kind)

    @property
    def is_everything(self) -> bool:
        return not (self.targets or self.excludes or self.names is not None)

    @property
    def is_part(self) -> bool:
        """Return whether the user selected some of the endpoints."""
        return bool(self.targets or self.excludes or self.part)

    def has(self, name: str) -> bool:
        if self.kind != ENDPOINT:
            name = address(name, self.kind)
        if self.names is not None and name not in self.names:
            return False
        return (not self.targets or self._matches(name, self.targets)) and not self._matches(
            name, self.excludes
        )

    def unmatched(self, names: Iterable[str], noun: str = "endpoint") -> tuple[Problem, ...]:
        """Return a problem for each target that matches none of the names, which are those of a `noun`."""
        if not self.targets or self.kind != ENDPOINT:
            return ()
        names = (*names, *self.others)
        matched = {pattern for name in names for pattern in self._matching(name, self.targets)}
        return tuple(
            Problem(
                code="no-such-target",
                summary=f"--target {pattern} matches no {noun}",
                hint=_hint(pattern, names),
            )
            for pattern in self.targets
            if pattern not in matched
        )

    def _matches(self, name: str, patterns: tuple[str, ...]) -> bool:
        return bool(patterns and self._matching(name, patterns))

    def _matching(self, name: str, patterns: tuple[str, ...]) -> list[str]:
        """Return the patterns that match the name in the account, or the declared name."""
        globs = _globs(patterns)
        found = globs.matching(name)
        if self.declared_names.changes_names:
            prefix = "" if self.kind == ENDPOINT else address("", self.kind)
            if declared := self.declared_names.declared(name.removeprefix(prefix)):
                found += globs.matching(prefix + declared)
        return found

    def relevant(self, problems: Iterable[Problem]) -> Iterator[Problem]:
        """Yield the problems, without errors about endpoints that are not selected."""
        for problem in problems:
            name = (problem.address or "").removeprefix(address(""))
            if not (problem.is_error and name and not self.has(name)):
                yield problem

    def partial_note(self, compared: int, declared: int) -> Iterator[Problem]:
        """Yield a note if options excluded declared resources."""
        if (self.targets or self.excludes) and compared != declared:
            yield Problem(
                code="partial",
                severity=Severity.NOTE,
                summary=f"only {compared} of {declared} declared resources were compared"
                " (--target, --exclude)",
            )


EVERYTHING = Selection()
NONE = Selection(names=frozenset())


def _hint(pattern: str, names: tuple[str, ...]) -> str:
    close = closest_match(pattern.removeprefix(address("")), names)
    return f"did you mean `{close}`?" if close else "targets are names or globs, such as `--target 'llama-*'`"


@cache
def _globs(patterns: tuple[str, ...]) -> PatternMap[str]:
    """Return the patterns, each with and without the type of an address before the name."""
    bare = ((pattern.removeprefix(address("")), pattern) for pattern in patterns)
    return PatternMap((*zip(patterns, patterns, strict=True), *bare))
