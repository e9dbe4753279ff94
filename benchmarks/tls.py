"""Ten endpoints over HTTPS, a tenth of a second away."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from benchmarks import terraform_provider
from benchmarks.measure import ROOT, Timing, delayed, fake, measure_in_turn, run_measured
from benchmarks.rows import Row
from benchmarks.targets import MORE_RUNS, PYTHON, Bench
from benchmarks.ten import TERRAFORM

COUNT = 10
ROUND_TRIP = 100
"""Milliseconds."""


def tls(bench: Bench) -> Iterator[Row | str]:
    if shutil.which("openssl") is None:
        yield "openssl is not installed; the rows over HTTPS are omitted."
        return
    certificate = make_certificate(bench.folder)
    with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(certificate)}):
        plan, bare, *peer = _plans(bench, certificate)
        apply, *peer_apply = _applies(bench, certificate)
    for other, name, limit in [
        (bare, "bare http.client + CSafeLoader, overlapped", 1.2),
        *((other, TERRAFORM, 0.9) for other in peer),
    ]:
        yield Row(
            what=f"no-change plan, {COUNT}, HTTPS, round trip {ROUND_TRIP} ms", result=plan.wall,
            baseline=other.wall, baseline_name=name, limit=limit,
        )  # fmt: skip
    for seconds, name in [
        (plan.wall + 2 * ROUND_TRIP / 1000, "the plan and two round trips"),
        *((other.wall, f"{TERRAFORM}, which reads nothing back") for other in peer_apply),
    ]:
        yield Row(
            what=f"apply, {COUNT} creates, HTTPS, round trip {ROUND_TRIP} ms", result=apply.wall,
            baseline=seconds, baseline_name=name, limit=1.25,
        )  # fmt: skip


def _plans(bench: Bench, certificate: Path) -> list[Timing]:
    """Return reconciler, the floor, and Terraform if there is a provider."""
    repo = bench.recorded(COUNT)
    with distant(COUNT, certificate) as url:
        floor = [PYTHON, str(ROOT / "benchmarks/floor.py"), url, str(repo / "endpoints.yaml")]
        contestants = [bench.reconciler(repo, "plan", url=url), lambda: run_measured(floor)]
        if not terraform_provider.missing():
            folder = bench.folder / "terraform-tls"
            contestants.append(terraform_provider.no_change(folder, COUNT, url))
        return measure_in_turn(*contestants, runs=MORE_RUNS * bench.runs)


def _applies(bench: Bench, certificate: Path) -> list[Timing]:
    """Return reconciler, and Terraform if there is a provider. Each run has a new account."""
    contestants = [lambda: _creates(bench, certificate)]
    if not terraform_provider.missing():
        peer = terraform_provider.creates(bench.folder / "terraform-tls-creates", COUNT)

        def run() -> Timing:
            with distant(0, certificate) as url:
                return peer(url)

        contestants.append(run)
    return measure_in_turn(*contestants, runs=MORE_RUNS * bench.runs)


def _creates(bench: Bench, certificate: Path) -> Timing:
    repo = bench.folder / "apply-tls"
    shutil.rmtree(repo, ignore_errors=True)
    shutil.copytree(bench.repo(COUNT), repo, ignore=shutil.ignore_patterns("state"))
    with distant(0, certificate) as url:
        return bench.reconciler(repo, "apply", "--yes", url=url)()


def make_certificate(folder: Path) -> Path:
    """Return the file of a certificate for 127.0.0.1 with its key."""
    file = folder / "tls.pem"
    subject = "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    words = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 {subject}"
    run_measured([*words.split(), "-keyout", str(file), "-out", str(file) + ".cert"])
    file.write_text(file.read_text() + Path(f"{file}.cert").read_text())
    return file


@contextlib.contextmanager
def distant(count: int, certificate: Path) -> Iterator[str]:
    """Serve a fake account over TLS behind a relay with the round-trip time, and yield its URL."""
    with fake(count, tls=certificate) as near, delayed(near.rpartition(":")[2], ROUND_TRIP) as port:
        yield f"https://127.0.0.1:{port}"
