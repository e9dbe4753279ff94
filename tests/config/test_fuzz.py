"""Loading never raises, whatever the files contain."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.loader import LoadedConfig, load

from .support import SPECS, write

ENDPOINTS = """\
defaults: &d
  specName: one
  env: {A: "${env:A}", B: b}
endpoints:
  - endpoint: first
    image: ubuntu:22.04
    replicas: 3
    storage: [{type: local, sizeGb: 10, mountPath: /data}]
    lifecycle: {preventDestroy: true, ignoreChanges: [replicas]}
  - {<<: *d, endpoint: second, image: "x:${env:TAG:-1}", port: "${env:PORT}", policy: {type: queue, value: 5}}
"""
CONFIG = """\
providers: {deployment: novita}
novita:
  api_key: "sk-very-secret"
  base_url: https://api.novita.ai
  adopt: ${env:ADOPT}
  poll_interval: 10
"""
SIGNS = [*"\t\n :-[]{}|>?#%@\"'", ": ", "- ", "? ", "&a ", "*a", "*d", "<<: ", "!x ", "${", "${env:", "$${"]
WORDS = [
    "null",
    "yes",
    "1:30",
    "0123",
    ".inf",
    "9" * 50,
    "endpoint",
    "endpoints:",
    "defaults:",
    "---\n",
    "...\n",
]
ODD = ["\\ud83d", "\x00", "\x85", "\u2028", "\ufeff", "é", "😀"]
PIECES = st.sampled_from([*SIGNS, *WORDS, *ODD])


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """Yield a text with some parts cut, doubled or replaced, and sometimes with invalid bytes."""
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(PIECES | st.just(text[start:end] * 2) | st.just("")) + text[end:]
    raw = text.encode()
    if draw(st.integers(0, 9)) == 0:
        raw = raw[: len(raw) // 2] + draw(st.binary(max_size=4)) + raw[len(raw) // 2 :]
    return raw


def load_files(files: dict[str, bytes]) -> LoadedConfig:
    """Load the files from a temporary directory."""
    with tempfile.TemporaryDirectory() as root:
        return load(write(Path(root), dict(files)), environ={"A": "aaa", "PORT": "80", "ADOPT": "1"})


@settings(max_examples=300, deadline=None)
@given(
    mutated(ENDPOINTS) | st.just(ENDPOINTS.encode()),
    mutated(SPECS) | st.just(SPECS.encode()),
    mutated(CONFIG) | st.just(CONFIG.encode()),
)
def test_mutated_files_never_raise(endpoints: bytes, specs: bytes, config: bytes) -> None:
    """Broken files give problems with a summary, and with a place if they concern a file."""
    result = load_files({"endpoints.yaml": endpoints, "specs.yaml": specs, "config.yaml": config})
    for problem in result.problems:
        assert problem.summary
        assert problem.place is not None
        assert problem.place.line >= 1
        assert problem.place.column >= 1


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_random_bytes_never_raise(raw: bytes) -> None:
    """Random bytes are reported as invalid YAML."""
    load_files({"endpoints.yaml": raw, "specs.yaml": raw, "config.yaml": raw})
