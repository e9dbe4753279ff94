"""Where a plan on disk belongs: its folder, its files and its inventory, also after the folder was moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from reconciler.inventory.files import companion, resolve
from reconciler.model.command import Operand, command_line, shared_options_in_hints
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Inventory
from reconciler.model.values import Json
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.saved_plan.change_facts import of_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The shared options of the run that made a plan, and what its folder is recognised by.

    `directory` is what -C said, `root` the absolute path of that then, `way` the way to it from the folder of
    the plan file. `files`, `state` and `read` (the files behind the plan) are relative to the root where they
    are below it. `records` are the IDs in the inventory.
    """

    directory: str
    root: str
    way: str
    files: tuple[str, ...]
    state: str
    targets: tuple[str, ...]
    excludes: tuple[str, ...]
    read: tuple[str, ...]
    records: tuple[str, ...]

    @classmethod
    def of(cls, context: Context, planned: PlanResult, file: Path) -> Origin:
        """The origin of a plan that this run makes and keeps in `file`."""
        root = context.root.resolve()
        return cls(
            directory=os.path.normpath(context.root),
            root=str(root),
            way=os.path.relpath(root, file.resolve().parent),
            files=tuple(_below(root, path) for path in context.files),
            state=_below(root, context.state),
            targets=context.selection.targets,
            excludes=context.selection.excludes,
            read=tuple(_below(root, path.resolve()) for path in planned.read),
            records=tuple(sorted(record.id for record in planned.inventory.records.values())),
        )

    @classmethod
    def from_json(cls, found: Any) -> Origin:
        """What `to_json` wrote. Raises KeyError or TypeError for anything else."""

        def texts(name: str) -> tuple[str, ...]:
            return tuple(of_type(str, item) for item in of_type(list, found[name]))

        return cls(
            directory=of_type(str, found["directory"]),
            root=of_type(str, found["root"]),
            way=of_type(str, found["way"]),
            files=texts("files"),
            state=of_type(str, found["state"]),
            targets=texts("targets"),
            excludes=texts("excludes"),
            read=texts("read"),
            records=texts("records"),
        )

    def to_json(self) -> dict[str, Json]:
        found = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    def context(self, context: Context, file: Path, shown: str) -> Context:
        """The run in the folder of the plan, with its files and its inventory.

        Raises InvalidConfig where an option of this run says otherwise, or where nobody can tell the folder.
        """
        root, other = self._root(context, file.absolute())
        ours = replace(
            context,
            root=root,
            files=tuple(map(Path, self.files)),
            state=Path(self.state),
            selection=Selection(targets=self.targets, excludes=self.excludes),
        )
        if other is None and not root.is_dir():
            raise InvalidConfig(_refusal(ours, file, f"{shown} was made in {root}, which is not there"))
        says = [*([("-C", str(root.resolve()), other)] if other else []), *_differing(context, ours)]
        if says:
            lines = [f"{option}: it was made with {made}, this run has {now}" for option, made, now in says]
            raise InvalidConfig(_refusal(ours, file, f"{shown} was made with other options", lines))
        return ours

    def is_of(self, inventory: Inventory) -> bool:
        """Whether that is the inventory of the plan, as it was then or as it has become."""
        records = {record.id for record in inventory.records.values()}
        return records == set(self.records) or not records.isdisjoint(self.records)

    def _root(self, context: Context, file: Path) -> tuple[Path, str | None]:
        """(the folder of the plan, the other one that this run is about).

        The plan file shows the way to its folder, and so does the -C of then from where this run was
        started. A folder counts when it holds the files that the plan was made from, so that a checkout may
        have moved since.
        """
        beside = self._holding(file.parent / self.way)
        typed = self._holding(Path(self.directory))
        before = self._holding(Path(self.root))
        if "directory" in context.explicit_options:
            here = context.root.resolve()
            meant = [beside] if beside else [one for one in (typed, before) if one]
            if here in meant or not meant:
                return context.root, None
            return meant[0], str(here)
        root = beside or typed or before or Path(self.root)
        other = str(typed) if typed and typed != root else None
        if root == Path.cwd():
            return Path(), other
        return (Path(self.directory) if root == typed else root), other

    def _holding(self, folder: Path) -> Path | None:
        folder = folder.resolve()
        return folder if all((folder / file).exists() for file in self.read) and folder.is_dir() else None


def _refusal(ours: Context, file: Path, summary: str, lines: Iterable[str] = ()) -> Problem:
    """Why the plan is not performed, and the command that would perform it as it was made."""
    with shared_options_in_hints(ours.options):
        return Problem(
            code="made-elsewhere",
            summary=summary,
            detail="\n".join(lines),
            hint=f"to perform it as it was made: {command_line(*applying(ours, file))}",
            exit_code=ExitCode.STALE,
        )


def applying(run: Context, file: Path) -> tuple[str, ...]:
    """The words of the command that performs the plan in `file` in that run."""
    if file == approved_file(run):
        return ("reconciler", "apply", "--resume")
    return ("reconciler", "apply", Operand(_below(run.root.resolve(), file.absolute())))


def approved_file(context: Context) -> Path:
    """Where an approved apply leaves word of itself, beside the inventory, until it is through."""
    return companion(resolve(context.state_path), ".approved.json")


def _differing(context: Context, ours: Context) -> Iterator[tuple[str, str, str]]:
    """(option, what the plan was made with, what this run has instead) for the options that were given."""
    if "files" in context.explicit_options and _real(context, context.files) != _real(ours, ours.files):
        yield "-f", _listed(ours.files), _listed(context.files)
    if "state" in context.explicit_options and _real(context, [context.state]) != _real(ours, [ours.state]):
        yield "--state", str(ours.state), str(context.state)


def _real(context: Context, paths: Iterable[Path]) -> list[str]:
    return [os.path.realpath(context.root / path) for path in paths]


def _listed(paths: Iterable[Path]) -> str:
    return " ".join(map(str, paths)) or "no -f"


def _below(root: Path, path: Path) -> str:
    """The path relative to the root where it is below it, however it was spelled."""
    whole = Path(os.path.normpath(root / path))
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else os.path.normpath(path)
