"""The commands and the tables of docs/notifications.md are real."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from reconciler.config.schema import load_schema
from reconciler.controller.events import EventKind
from reconciler.controller.notify.delivery import DeliveryCounts
from reconciler.controller.observer import RoundEnd
from reconciler.server.controller_metrics import ControllerMetrics
from tests.controller.notify.receiver import receiver
from tests.server.test_controller_metrics import CALL, STATE

ROOT = Path(__file__).resolve().parents[3]
GUIDE = (ROOT / "docs/notifications.md").read_text(encoding="utf-8")


def block(name: str) -> str:
    """Return the text of the one block that is marked with this name."""
    (text,) = re.findall(rf"^<!-- {name} -->\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    return str(text)


def table(first: str) -> list[list[str]]:
    """Return the names in backticks of the first two columns of a table, by the head of its first column."""
    rows = re.search(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    assert rows
    return [re.findall(r"`(\w+)`", " ".join(row.split("|")[1:3])) for row in rows[1].splitlines()]


def test_the_commands_run_and_tell_once(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin/reconciler"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m reconciler "$@"\n')
    command.chmod(0o755)
    infra = tmp_path / "infra"
    infra.mkdir()
    with receiver() as server:
        script = block("commands").replace("https://chat.example.com/hooks/f00", server.url)
        done = subprocess.run(
            ["sh", "-ec", script],
            cwd=infra,
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "HOME": str(tmp_path),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [event["kind"] for document in server.documents for event in document["events"]]
    assert told == ["waiting"]


def test_the_body_is_as_the_schema_says() -> None:
    Draft202012Validator(load_schema("notification")).validate(json.loads(block("body")))


def test_each_kind_of_event_is_explained() -> None:
    assert {name for row in table("event") for name in row} == {kind.value for kind in EventKind}


def test_each_metric_is_explained_with_its_labels() -> None:
    metrics = ControllerMetrics()
    metrics.notifications = DeliveryCounts
    observer = metrics.observer("prod")
    observer.call(CALL)
    observer.ended(RoundEnd(state=STATE))
    families = text_string_to_metric_families(metrics.text().decode())
    real = {
        sample.name.removeprefix("novita_reconciler_"): set(sample.labels)
        for family in families
        for sample in family.samples
        if "http_" not in sample.name and not sample.name.endswith("_created")
    }
    text = metrics.text().decode()
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", GUIDE.partition("## Metrics")[2], re.MULTILINE):
        names, labels = (re.findall(r"`(\w+)`", cell) for cell in row)
        for name in names:
            assert f"# TYPE novita_reconciler_{name} " in text, name
            found = real.pop(name, None)
            if found is not None and name != "notifications_queued":
                assert found == set(labels), name
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in real} == {"reconcile_duration_seconds"}


@pytest.mark.parametrize(
    "rule", yaml.safe_load(block("rules"))["groups"][0]["rules"], ids=lambda rule: rule["alert"]
)
def test_the_rules_are_about_metrics_that_exist(rule: dict[str, str]) -> None:
    metrics = ControllerMetrics()
    metrics.observer("prod").ended(RoundEnd(state=STATE))
    (name,) = re.findall(r"novita_reconciler_\w+", rule["expr"])
    assert f"\n{name}{{" in metrics.text().decode()
