"""What needs no account: the specs, and what Novita does not offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reconciler.config.loader import load_settings, load_specs
from reconciler.config.spec_details import spec_info
from reconciler.config.specs import unknown_spec
from reconciler.model.errors import InvalidConfig, UnsupportedByNovita
from reconciler.model.problem import Problem
from reconciler.model.status import SpecInfo
from reconciler.workflow.runtime.context import Context

CONSOLE: Final = "https://console.novita.ai"


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


def no_logs() -> UnsupportedByNovita:
    """The seed's GetAppLogs."""
    return _unsupported(
        "logs are not supported by Novita's API: logs must be accessed via Novita Dashboard",
        f"open {CONSOLE} and look at the endpoint's workers",
    )


def no_pods() -> UnsupportedByNovita:
    """The seed's GetPods, DescribePod and GetPodYAML."""
    return _unsupported(
        "pods are not supported by Novita's API: Novita manages workers internally",
        "reconciler get NAME   shows the workers with their state and health; in Python: get_app",
    )


def no_pvcs() -> UnsupportedByNovita:
    """The seed's ListPVCs."""
    return _unsupported(
        "PVCs are not supported by Novita's API: storage is managed by Novita;"
        " persistent storage not yet supported",
        f"declare volumes as `storage` in endpoints.yaml; network storages are listed at {CONSOLE}",
    )


def _unsupported(summary: str, hint: str) -> UnsupportedByNovita:
    return UnsupportedByNovita(Problem(code="unsupported-by-novita", summary=summary, hint=hint))
