"""Specs as text: a table of all, or the details of one."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.model.status import SpecInfo
from reconciler.reports.terminal.style import PLAIN, Style
from reconciler.reports.terminal.table import Cell, Screen, table_text
from reconciler.reports.terminal.values import plain

TITLES = ("NAME", "USABLE", "GPU", "CPU", "MEMORY", "DISK", "REGION", "PRODUCT", "GPU-TYPE")


def specs_text(specs: Sequence[SpecInfo], screen: Screen | None = None) -> str:
    """Return a table of the specs, in the order of their file."""
    rows = [
        [
            Cell(spec.name, "bold"),
            Cell("yes", "green") if spec.is_usable else Cell("no", "yellow"),
            *map(Cell, (spec.gpu, spec.cpu, spec.memory, spec.ephemeral_storage)),
            *map(Cell, (spec.region, spec.product_id, spec.gpu_type)),
        ]
        for spec in specs
    ]
    return table_text(TITLES, rows, screen)


def spec_text(spec: SpecInfo, style: Style = PLAIN) -> str:
    """Return the details of one spec; fields without a value are left out."""
    facts = (
        ("display name", spec.display_name),
        ("category", spec.category),
        ("resource type", spec.resource_type),
        (
            "GPUs",
            f"{spec.gpu} x {spec.gpu_type}" if spec.gpu and spec.gpu_type else spec.gpu or spec.gpu_type,
        ),
        ("CPU", spec.cpu and f"{spec.cpu} cores"),
        ("memory", spec.memory and f"{spec.memory} GB"),
        ("disk", spec.ephemeral_storage and f"{spec.ephemeral_storage} GB"),
        ("product ID", spec.product_id),
        ("region", spec.region),
        ("CUDA version", spec.cuda_version),
        ("usable", "yes" if spec.is_usable else f"no: {'; '.join(spec.unusable_reasons)}"),
    )
    width = max(len(name) for name, _ in facts)
    lines = [style.bold(plain(spec.name))]
    lines += [f"  {style.dim(name.ljust(width))}  {plain(value)}" for name, value in facts if value]
    return "\n".join(lines) + "\n"
