"""The folder, files and inventory that a plan file belongs to, also after the folder was moved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from reconciler.config.environments import Environments
from reconciler.config.store_hosts import untrusted_addresses
from reconciler.model.command import Operand, command_line, shared_options_in_hints
from reconciler.model.errors import InvalidConfig
from reconciler.model.inventory_location import Location, is_address, parse_location
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import ExitCode, Problem
from reconciler.model.resource import Inventory
from reconciler.model.values import Json
from reconciler.planning.selection import Selection
from reconciler.workflow.plan import PlanResult
from reconciler.workflow.runtime.context import Context
from reconciler.workflow.runtime.environment import STATE_VARIABLE, in_recorded_environment
from reconciler.workflow.runtime.unfinished import approved_plan_path
from reconciler.workflow.saved_plan.change_facts import of_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The shared options of the run that made a plan, and what identifies its folder.

    directory: the value of -C. root: its absolute path when the plan was made. way: the path to it from the
    folder of the plan file. read: the configuration files. files, state and read are relative to the root if
    they are below it. records: the IDs in the inventory. environment: its name, or "".
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
    environment: str = ""

    @classmethod
    def of(cls, context: Context, planned: PlanResult, file: Path) -> Origin:
        """Return the origin of a plan that this run writes to `file`."""
        root = context.root.resolve()
        return cls(
            directory=os.path.normpath(context.root),
            root=str(root),
            way=os.path.relpath(root, file.resolve().parent),
            files=tuple(_below(root, path) for path in context.files),
            state=_location_text(root, context.state),
            targets=context.selection.targets,
            excludes=context.selection.excludes,
            read=tuple(_below(root, path.resolve()) for path in planned.files_read),
            records=tuple(sorted(record.id for record in planned.inventory.records.values())),
            environment=context.environment_name,
        )

    @classmethod
    def from_json(cls, document: Any) -> Origin:
        """Return the origin that `to_json` wrote. Raise KeyError or TypeError if it is malformed."""

        def texts(name: str) -> tuple[str, ...]:
            return tuple(of_type(str, item) for item in of_type(list, document[name]))

        return cls(
            directory=of_type(str, document["directory"]),
            root=of_type(str, document["root"]),
            way=of_type(str, document["way"]),
            files=texts("files"),
            state=of_type(str, document["state"]),
            targets=texts("targets"),
            excludes=texts("excludes"),
            read=texts("read"),
            records=texts("records"),
            environment=of_type(str, document.get("environment", "")),
        )

    def to_json(self) -> dict[str, Json]:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if not self.environment:
            del fields["environment"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    def context(self, context: Context, file: Path, title: str) -> Context:
        """Return the context in the folder of the plan, with its files and its inventory.

        Raise InvalidConfig if an option of this run contradicts it or the folder cannot be determined.
        """
        self._check_address(context, title)
        root, other = self._root(context, file.absolute())
        plan_context = replace(
            context,
            root=root,
            files=tuple(map(Path, self.files)),
            state=parse_location(self.state),
            explicit_options=frozenset({"files", "state"}),
            selection=Selection(targets=self.targets, excludes=self.excludes),
        )
        if root.is_dir():
            plan_context = in_recorded_environment(plan_context, self.environment)
        if other is None and not root.is_dir():
            raise InvalidConfig(
                _refusal(plan_context, file, f"{title} was made in {root}, which does not exist")
            )
        differences = [
            *([("-C", str(root.resolve()), other)] if other else []),
            *_differing(context, plan_context),
        ]
        if differences:
            lines = [
                f"{option}: it was made with {made}, this run has {now}" for option, made, now in differences
            ]
            raise InvalidConfig(_refusal(plan_context, file, f"{title} was made with other options", lines))
        return plan_context

    def _check_address(self, context: Context, title: str) -> None:
        """Raise InvalidConfig if the plan names the host of its inventory, and the environment does not.

        Who hands over a plan would choose the host that gets the credentials.
        """
        if not is_address(self.state) or self.state in (context.state, context.environ.get(STATE_VARIABLE)):
            return
        named = Environments(file=title, addresses={"state": self.state})
        if problems := tuple(untrusted_addresses(named, context.environ)):
            raise InvalidConfig(*problems)

    def is_inventory_of_plan(self, inventory: Inventory) -> bool:
        """Return whether the inventory has the records of the plan, or at least one of them."""
        records = {record.id for record in inventory.records.values()}
        return records == set(self.records) or not records.isdisjoint(self.records)

    def _root(self, context: Context, file: Path) -> tuple[Path, str | None]:
        """Return the folder of the plan, and the folder of this run if it is another one.

        Candidates are the recorded path from the plan file, the recorded -C from the working folder, and the
        recorded absolute path. One that lacks a configuration file of the plan is not a candidate, so that a
        checkout may be moved.
        """
        beside = self._if_complete(file.parent / self.way)
        typed = self._if_complete(Path(self.directory))
        before = self._if_complete(Path(self.root))
        if "directory" in context.explicit_options:
            current = context.root.resolve()
            candidates = [beside] if beside else [folder for folder in (typed, before) if folder]
            if current in candidates or not candidates:
                return context.root, None
            return candidates[0], str(current)
        root = beside or typed or before or Path(self.root)
        other = str(typed) if typed and typed != root else None
        if root == Path.cwd():
            return Path(), other
        return (Path(self.directory) if root == typed else root), other

    def _if_complete(self, folder: Path) -> Path | None:
        """Return the resolved folder if it has all configuration files of the plan."""
        folder = folder.resolve()
        return folder if all((folder / file).exists() for file in self.read) and folder.is_dir() else None


def _refusal(plan_context: Context, file: Path, summary: str, lines: Iterable[str] = ()) -> Problem:
    """Return an error with the command that performs the plan as it was made."""
    with shared_options_in_hints(plan_context.options):
        return Problem(
            code="made-elsewhere",
            summary=summary,
            detail="\n".join(lines),
            hint=f"to perform it as it was made: {command_line(*apply_command(plan_context, file))}",
            exit_code=ExitCode.STALE,
        )


def apply_command(run: Context, file: Path) -> tuple[str, ...]:
    """Return the command that performs the plan in `file` in that run."""
    if file == approved_plan_path(run):
        return ("reconciler", "apply", "--resume")
    return ("reconciler", "apply", Operand(_below(run.root.resolve(), file.absolute())))


def _differing(context: Context, plan_context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield each explicit option that differs: its name, the value of the plan, the value of this run."""
    if context.chosen_environment not in ("", plan_context.environment_name):
        yield "-e", plan_context.environment_name or "no environment", context.chosen_environment
    if "files" in context.explicit_options and _real(context, context.files) != _real(
        plan_context, plan_context.files
    ):
        yield "-f", _listed(plan_context.files), _listed(context.files)
    if "state" in context.explicit_options and _inventory(context) != _inventory(plan_context):
        yield "--state", str(plan_context.state), str(context.state)


def _real(context: Context, paths: Iterable[Path]) -> list[str]:
    return [os.path.realpath(context.root / path) for path in paths]


def _inventory(context: Context) -> str:
    state = context.state
    return state if isinstance(state, str) else os.path.realpath(context.root / state)


def _listed(paths: Iterable[Path]) -> str:
    return " ".join(map(str, paths)) or "no -f"


def _location_text(root: Path, location: Location) -> str:
    return location if isinstance(location, str) else _below(root, location)


def _below(root: Path, path: Path) -> str:
    """Return the path normalized, and relative to the root if it is below it."""
    absolute = Path(os.path.normpath(root / path))
    return str(absolute.relative_to(root)) if absolute.is_relative_to(root) else os.path.normpath(path)
