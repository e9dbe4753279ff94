"""Helpers for tests of the configuration: files to write, and problems as lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from reconciler.config.loader import LoadedConfig, load
from reconciler.model.problem import Problem

SPECS = """\
specs:
  - name: one
    resources: {gpu: "1", ephemeralStorage: "100"}
    platforms:
      novita: {productId: "SL-serverless-3", region: "us-dallas-nas-2", cudaVersion: "any"}
"""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a directory and return the directory."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def loaded(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    named: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    lenient: bool = False,
) -> LoadedConfig:
    """Return the loaded files, with a specs.yaml of one spec unless they contain one."""
    write(root, {"specs.yaml": SPECS, **files})
    return load(root, [Path(name) for name in named], environ=environ or {}, lenient=lenient)


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """Return one line for each problem: `file:line:column code | hint`."""
    return [f"{problem.place} {problem.code} | {problem.hint}" for problem in problems]


def codes(problems: Iterable[Problem]) -> list[str]:
    return [problem.code for problem in problems]
