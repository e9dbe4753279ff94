"""An endpoint and a credential may have the same name: reports, guards and hints tell them apart."""

import json
import re
import xml.etree.ElementTree as ET
from html import unescape
from pathlib import Path

import pytest

from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item

from .credentials import TYPE, auths, credential, save

NEW = "n3w-password-of-the-hub"
REPORTS = ("--markdown-into", "run.md", "--html-into", "run.html", "--junit-into", "run.xml")


@pytest.fixture
def namesakes(sandbox: Sandbox) -> Sandbox:
    """An endpoint `hub` with the credential `hub`, whose password is another one by now."""
    sandbox.declare(item("hub", imageAuth="hub"), registries=[credential()])
    sandbox.apply()
    sandbox.monkeypatch.setenv("HUB_PASSWORD", NEW)
    return sandbox


def report(root: Path) -> str:
    """Return the Markdown report with its characters unescaped."""
    return unescape((root / "run.md").read_text())


def markdown_rows(root: Path) -> list[list[str]]:
    """Return the cells of the table of changes, without the marks of code."""
    lines = re.findall(r"^\| <code>.*\|$", report(root), re.MULTILINE)
    return [[re.sub(r"</?code>", "", cell).strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_each_has_its_own_result(namesakes: Sandbox) -> None:
    """The rotation fails, so the endpoint is not attempted: no report mixes them up."""
    fault = Fault(operation="auth_save", kind="status", status=400, reason="VALIDATOR_PARAM")
    namesakes.sim.faults.add(fault)
    ran = namesakes.run("apply", "--auto-approve", *REPORTS)
    assert ran.code == 4
    outcomes = {row[1]: row[6].split(",")[0] for row in markdown_rows(namesakes.root) if len(row) == 7}
    assert outcomes == {"hub": "not attempted", f"{TYPE}.hub": "failed"}
    suite = ET.parse(namesakes.root / "run.xml").getroot()
    cases = [case.attrib["name"] for case in suite.iter("testcase")]
    assert {"hub", f"{TYPE}.hub"} <= set(cases)
    assert len(cases) == len(set(cases))
    html = (namesakes.root / "run.html").read_text()
    assert f"{TYPE}.hub" in html
    assert NEW not in html + ran.out + ran.err


def test_an_unmanaged_one_is_named_with_its_kind(namesakes: Sandbox) -> None:
    save(namesakes, "other")
    namesakes.run("plan", *REPORTS)
    assert f"<code>{TYPE}.other</code>" in report(namesakes.root)
    assert f"{TYPE}.other" in (namesakes.root / "run.html").read_text()


def test_the_command_of_a_guard_works(sandbox: Sandbox) -> None:
    """A credential that was adopted by its name is forgotten under its address."""
    save(sandbox)
    sandbox.declare(registries=[credential()])
    sandbox.apply()
    sandbox.declare(item("public"))
    refused = sandbox.run("apply", "--auto-approve")
    assert refused.code == 3
    (command,) = re.findall(r"forget it with: reconciler (.*)", refused.err)
    assert command == f"state rm {TYPE}.hub"
    forgotten = sandbox.run(*command.split())
    assert forgotten.code == 0
    assert "The registry credential itself still exists." in forgotten.err
    sandbox.apply()
    assert [one["name"] for one in auths(sandbox)] == ["hub"]


def test_a_rotation_that_cannot_end_says_so_first(sandbox: Sandbox) -> None:
    """With --target the endpoints that use the credential as well keep the old one."""
    sandbox.declare(item("hub", imageAuth="hub"), item("chat", imageAuth="hub"), registries=[credential()])
    sandbox.apply()
    sandbox.monkeypatch.setenv("HUB_PASSWORD", NEW)
    warned = sandbox.run("plan", "--target", "hub")
    assert f"`chat` uses {TYPE}.hub" in warned.err
    assert "this run does not change that" in warned.err
    assert "as well" not in sandbox.run("plan").err
    assert sandbox.run("apply", "--auto-approve", "--target", "hub").code == 4
    sandbox.apply()
    assert [one["password"] for one in auths(sandbox)] == [NEW]


def test_a_removal_of_another_kind_is_refused(namesakes: Sandbox) -> None:
    """`removed` names endpoints; an address in it was taken for the name of one."""
    files = json.loads((namesakes.root / "endpoints.yaml").read_text())
    files["removed"] = [{"endpoint": f"{TYPE}.hub", "destroy": False}]
    namesakes.write("endpoints.yaml", files)
    refused = namesakes.run("validate")
    assert refused.code == 1
    assert f"reconciler state rm {TYPE}.hub" in refused.err


def test_an_import_counts_resources(sandbox: Sandbox) -> None:
    sandbox.declare(item("hub", imageAuth="hub"), registries=[credential()])
    sandbox.apply()
    (sandbox.root / "endpoints.yaml").unlink()
    (sandbox.root / "state/novita.json").unlink()
    imported = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert "2 resources declared and recorded" in imported.out
