"""`reconciler specs`: the GPU specs of specs.yaml. Needs no account."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.config.loader import load_settings, load_specs
from reconciler.config.spec_details import spec_info
from reconciler.config.specs import unknown_spec
from reconciler.model.errors import InvalidConfig
from reconciler.model.problem import Problem
from reconciler.model.status import SpecInfo
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The specs in the order of their file, and what is wrong with it; `file` is None where there is none.

    Unless they `are_all_known`, the file may have others, which could not be read.
    """

    specs: tuple[SpecInfo, ...]
    problems: tuple[Problem, ...]
    file: str | None
    are_all_known: bool


def specs(context: Context) -> Specs:
    """All specs of specs.yaml, also those that cannot be used on Novita."""
    settings, problems = load_settings(
        context.root, environ=context.environ, dotenv=context.dotenv, lenient=True
    )
    found = load_specs(context.root, settings)
    resolver = context.resolver(lenient=True)
    return Specs(
        specs=tuple(spec_info(entry, resolver) for entry in found.entries.values()),
        problems=(*(problem for problem in problems if problem.code != "not-enabled"), *found.problems),
        file=found.file,
        are_all_known=found.are_all_known,
    )


def spec(context: Context, name: str) -> SpecInfo:
    """One spec. Raises InvalidConfig when there is none of that name."""
    found = specs(context)
    by_name = {one.name: one for one in found.specs}
    if name not in by_name:
        unknown = (unknown_spec(name, by_name, None, found.file),) if found.are_all_known else ()
        raise InvalidConfig(*found.problems, *unknown)
    return by_name[name]
