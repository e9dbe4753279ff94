"""The texts of the files that an import writes: endpoints, new specs, and an example of the variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.config.files.env_files import assigned_names
from reconciler.kinds.draft import Draft, Variable
from reconciler.kinds.registry import ENDPOINT, KINDS
from reconciler.model.resource import Spec
from reconciler.model.values import escaped
from reconciler.yamlfile.editor import Append, edit_text
from reconciler.yamlfile.emitter import to_block

HEADER: Final = """\
# Endpoints that were created elsewhere, imported by `reconciler import --all`.
# Values of env are references to the variables that .env.example lists.

"""

SPECS_HEADER: Final = """\
# GPU shapes by name. productId and region come from https://console.novita.ai

"""

EXAMPLE_HEADER: Final = """\
# The variables that the YAML refers to. Copy this file to .env, which must not be committed, fill in the
# values in single quotes, and run: reconciler --env-file .env plan
"""

_REFERENCE: Final = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)")


def endpoints_text(header: str, sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return an endpoint file with these sections, whose items are separated by empty lines."""
    return header + "\n".join(_section_text(name, items) for name, items in sections.items())


def sections_of(drafted: Draft) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the items of a draft in the sections of their kinds."""
    sections: dict[str, list[Mapping[str, Any]]] = {ENDPOINT.section: []}
    for live, item in zip(drafted.live, drafted.items, strict=True):
        sections.setdefault(KINDS[live.kind].section, []).append(item)
    return sections


def _section_text(name: str, items: Sequence[Mapping[str, Any]]) -> str:
    lines = ["  " + to_block([dict(item)]).replace("\n", "\n  ") for item in items]
    return f"{name}:\n" + "\n\n".join(lines) + "\n" if items else f"{name}: []\n"


def specs_text(
    before: str | None, items: Iterable[tuple[Mapping[str, Any], str]], shown: str, modeline: str
) -> str:
    """Return specs.yaml with these specs and their comments appended; a new one has the modeline."""
    edits = [Append(path=("specs",), value=dict(item), comment=comment) for item, comment in items]
    return edit_text(modeline + SPECS_HEADER if before is None else before, edits, shown=shown)


def example_text(before: str | None, variables: Iterable[Variable]) -> str:
    """Return .env.example with a line without a value for each variable that it lacks."""
    text = EXAMPLE_HEADER if before is None else before
    known = assigned_names(text)
    lines = [
        f"\n# {_listed(variable.endpoints)}\n{variable.name}=\n"
        for variable in variables
        if variable.name not in known
    ]
    return (text if text.endswith("\n") or not text else text + "\n") + "".join(lines)


def variables_in(text: str) -> set[str]:
    """Return the names of the variables that a YAML text refers to."""
    return set(_REFERENCE.findall(text))


def spec_item(spec: Spec) -> dict[str, Any]:
    """Return the item of specs.yaml for a spec."""
    novita = {"productId": escaped(spec.product_id), "region": escaped(spec.region)}
    if spec.cuda_version:
        novita["cudaVersion"] = escaped(spec.cuda_version)
    return {
        "name": spec.name,
        "displayName": f"Novita {spec.product_id} {spec.gpu}x GPU",
        "category": "gpu",
        "resourceType": "serverless",
        "resources": {"gpu": str(spec.gpu), "ephemeralStorage": str(spec.rootfs_gb)},
        "platforms": {"novita": novita},
    }


def _listed(names: Sequence[str], most: int = 5) -> str:
    """Return the names; of many, the first ones and the number of the others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
