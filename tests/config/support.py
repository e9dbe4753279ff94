"""What the tests of the configuration share: files to write, and problems in one readable line each."""

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
    """Writes files below a directory and returns the directory."""
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
    """What the files say, beside a specs.yaml with one spec unless they bring their own."""
    write(root, {"specs.yaml": SPECS, **files})
    return load(root, [Path(name) for name in named], environ=environ or {}, lenient=lenient)


def told(problems: Iterable[Problem]) -> list[str]:
    """One line a problem: `file:line:column code | hint`."""
    return [f"{problem.place} {problem.code} | {problem.hint}" for problem in problems]


def codes(problems: Iterable[Problem]) -> list[str]:
    return [problem.code for problem in problems]
