"""`reconciler specs`: the GPU specs of specs.yaml. Needs no account."""

from __future__ import annotations

from reconciler.config.loader import load_specs
from reconciler.config.settings import ProviderDisabled, load_settings
from reconciler.config.specs import spec_info, unknown_spec_problem
from reconciler.model.errors import InvalidConfig
from reconciler.model.lazy_dataclass import dataclass
from reconciler.model.problem import Problem
from reconciler.model.status import SpecInfo
from reconciler.workflow.runtime.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecList:
    """The specs in the order of their file, and problems of the file; `file` is None if there is none.

    Unless they `are_all_known`, the file may have other specs that could not be read.
    """

    specs: tuple[SpecInfo, ...]
    problems: tuple[Problem, ...]
    file: str | None
    are_all_known: bool


def list_specs(context: Context) -> SpecList:
    """Return all specs of specs.yaml, also those that cannot be used on Novita."""
    settings, problems = load_settings(
        context.root, environ=context.environ, dotenv=context.dotenv, lenient=True
    )
    specs = load_specs(context.root, settings)
    resolver = context.resolver(lenient=True)
    return SpecList(
        specs=tuple(spec_info(entry, resolver) for entry in specs.entries.values()),
        problems=(
            *(problem for problem in problems if not isinstance(problem, ProviderDisabled)),
            *specs.problems,
        ),
        file=specs.file,
        are_all_known=specs.are_all_known,
    )


def get_spec(context: Context, name: str) -> SpecInfo:
    """Return one spec. Raise InvalidConfig if there is none of that name."""
    found = list_specs(context)
    by_name = {spec.name: spec for spec in found.specs}
    if name not in by_name:
        unknown = (unknown_spec_problem(name, by_name, None, found.file),) if found.are_all_known else ()
        raise InvalidConfig(*found.problems, *unknown)
    return by_name[name]
