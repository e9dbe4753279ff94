"""Text of others in every field of an account, of the files and of the inventory, through every command."""

import html
import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reconciler.reports.terminal.escape import for_terminal, in_json, plain
from reconciler.simulator import Fault
from tests.e2e.sandbox import Sandbox, item
from tests.gfm import assert_no_links

CONTROLS = "".join(map(chr, (*range(1, 32), *range(0x7F, 0xA0))))
UNSEEN = "".join(
    map(
        chr,
        (
            *(0xAD, 0x34F, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F)),
            *(*range(0x2060, 0x2070), 0x3164, 0xFEFF, 0xFE0F, 0xFFF9, 0x1D173, 0xE0001, 0xE0041, 0xE0100),
        ),
    )
)
EVIL = f"\n::set-output name=a::b\r\n  ::add-mask::x\n##vso[task]y\n##[error]z\x1b[2J{CONTROLS}{UNSEEN}"
LINKS = (
    "www.evil.example http://evil.example/x mail@evil.example @someone #12 GH-1 acme/chat#3 <b>x</b> [a](b) `"
)
HOSTILE = EVIL + LINKS
UNREADABLE_NAME = "\ud800"
OURS = re.compile(r"::(error|warning|notice) ")


def unsafe(text: str) -> list[str]:
    """The characters that nobody sees or that do something."""
    return [
        f"{ord(char):04x}"
        for char in text
        if char != "\n"
        and (
            unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
            or char in "\u034f\ufe0f\u3164\U000e0100"
        )
    ]


def check(said: str, where: object) -> None:
    assert unsafe(said) == [], where
    assert "##vso[" not in said, where
    assert "##[" not in said, where
    for line in re.split("[\n\r\x0b\x0c\x85\u2028\u2029]", said):
        assert not line.lstrip().startswith("::") or OURS.match(line), (where, line)


@pytest.fixture
def hostile(sandbox: Sandbox) -> Sandbox:
    """Ours was applied and changed since; somebody else's endpoint and a gone record have evil names."""
    sandbox.declare(item("ours", env={"A": "1"}, command="run"))
    sandbox.apply()
    evil = [{"key": HOSTILE, "value": HOSTILE}, {"key": "A", "value": HOSTILE}]
    sandbox.sim.world.console_update(
        sandbox.id("ours"), envs=evil, image={"image": HOSTILE, "command": HOSTILE}
    )
    sandbox.sim.world.console_create(name=HOSTILE, appName="x", envs=evil, clusterID=HOSTILE)

    def speak(answered: Any) -> Any:
        for one in answered.get("endpoints", [answered.get("endpoint", answered)]):
            one["state"] = {"state": HOSTILE, "error": HOSTILE, "message": HOSTILE}
            one["url"] = HOSTILE
            one["workers"] = [
                {"id": HOSTILE, "state": {"state": HOSTILE, "error": HOSTILE}, "healthy": False}
            ]
        return answered

    for operation in ("list", "get"):
        sandbox.sim.faults.rewrite(operation, speak)
    path = sandbox.root / "state/novita.json"
    known = json.loads(path.read_text())
    record = known["endpoints"]["ours"]
    known["endpoints"][HOSTILE] = {**record, "id": f"gone-{HOSTILE}"}
    path.write_text(json.dumps(known))
    for name in ("GITHUB_ACTIONS", "CI"):
        sandbox.monkeypatch.setenv(name, "true")
    sandbox.monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(sandbox.root / "summary.md"))
    return sandbox


COMMANDS = (
    ("plan",),
    ("plan", "--explain"),
    ("plan", "--json"),
    ("preview",),
    ("preview", "--curl", "--reveal"),
    ("preview", "--json", "--reveal"),
    ("drift",),
    ("drift", "--json"),
    ("drift", "--explain"),
    ("drift", "accept", "--all"),
    ("list",),
    ("list", "--output", "wide"),
    ("list", "--output", "name"),
    ("list", "--json"),
    ("get", "ours"),
    ("get", HOSTILE),
    ("get", HOSTILE, "--json"),
    ("status", "--output", "wide"),
    ("status", HOSTILE),
    ("watch", "--initial", "--output", "wide", "--interval", "0.1", "--for", "0.2s"),
    ("watch", "--initial", "--json", "--interval", "0.1", "--for", "0.2s"),
    ("cost",),
    ("cost", "--json"),
    ("doctor",),
    ("state", "list"),
    ("state", "show", HOSTILE),
    ("state", "show", "nope" + HOSTILE),
    ("history",),
    ("import", "--all", "--out", "more.yaml"),
    ("import", HOSTILE, "some-id"),
    ("recover",),
    ("scale", HOSTILE, "3"),
    ("delete", HOSTILE),
    ("update", HOSTILE, "--image", HOSTILE, "--yes"),
    ("deploy", HOSTILE, "--image", HOSTILE, "--spec", HOSTILE),
    ("rollback", HOSTILE),
    ("plan", "--target", HOSTILE),
    ("apply", "--yes"),
    ("apply", "--yes", "--events"),
    ("state", "rm", HOSTILE),
    ("state", "rebuild"),
    ("destroy", "--yes"),
    ("apply", HOSTILE),
)


def test_no_command_prints_what_is_foreign_as_it_is(hostile: Sandbox) -> None:
    """Neither on a stream, nor in an annotation, nor as a message of a stream of JSON."""
    for number, command in enumerate(COMMANDS):
        ran = hostile.run("-v", *command)
        assert "has a bug" not in ran.err, (command, ran.err)
        said = ran.out + ran.err
        check(said, command)
        assert "EVIL" not in said
        if "--json" in command and ran.out.count("\n{") == 0 and ran.code in (0, 2):
            json.loads(ran.out.splitlines()[0] if command[0] == "watch" else ran.out)
        assert number < len(COMMANDS)


def test_no_refusal_prints_what_is_foreign_as_it_is(hostile: Sandbox) -> None:
    """A server's words, under each kind of failure."""
    for status in (400, 401, 403, 404, 409, 429, 500):
        for operation in ("list", "get", "update"):
            hostile.sim.faults.add(
                Fault(operation=operation, status=status, reason=HOSTILE, message=HOSTILE, times=1)
            )
            ran = hostile.run("-v", "apply", "--yes", "--exclude", HOSTILE.replace("[", "[[]"))
            check(ran.out + ran.err, (status, operation))
            hostile.sim.faults._scripted.clear()


def test_lines_of_files_are_shown_as_text(sandbox: Sandbox) -> None:
    """Excerpts, names of files, keys and values of YAML."""
    sandbox.monkeypatch.setenv("GITHUB_ACTIONS", "true")
    name = f"endpoints/a\x1b[2J\u202e{chr(0x85)}##vso[x]\n::error ::y.yaml"
    sandbox.write(
        name,
        "endpoints:\n- endpoint: a\n  image: x:1\n  specName: small\n"
        '  env: {A: no} # \u202e\u200b ##vso[z] \u2066\n\u200btypo\u202e##[x]: 1\n  "::k": 1\n',
    )
    sandbox.write("specs.yaml", json.dumps({"specs": [{"name": HOSTILE, "platforms": {HOSTILE: 1}}]}))
    for command in (("validate",), ("validate", "--json"), ("plan",), ("specs",), ("doctor",)):
        ran = sandbox.run(*command)
        check(ran.out + ran.err, command)


def reports(sandbox: Sandbox, *command: str) -> dict[str, str]:
    into = {name: sandbox.root / f"report.{name}" for name in ("json", "markdown", "html", "junit")}
    sandbox.run(*command, *(word for name, path in into.items() for word in (f"--{name}-into", str(path))))
    return {name: path.read_text() for name, path in into.items()}


def test_no_report_holds_what_is_foreign_as_it_is(hostile: Sandbox) -> None:
    """JSON, Markdown, HTML, JUnit and the summary of a job."""
    for command in (("plan", "--explain"), ("drift", "--explain"), ("apply", "--yes")):
        found = reports(hostile, *command)
        for name in ("json", "html", "junit"):
            check(found[name], (command, name))
            check(html.unescape(found[name]), (command, name))
        json.loads(found["json"])
        ET.fromstring(found["junit"])
        for page in (found["markdown"], Path(hostile.root / "summary.md").read_text()):
            check(page, command)
            assert_no_links(page)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🇩🇪", "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 🇩🇪"),
        ("a\u200db", r"a\u200db"),
        ("x\ufe0f", r"x\ufe0f"),
        ("é ü 聊天 e\u0301", "é ü 聊天 e\u0301"),
        ("a\tb\r\n\0\x1b\x85", r"a\tb\r\n\x00\x1b\x85"),
        ("\U000e0041\ud800", r"\U000e0041\ud800"),
        ("  ::x", r"  \x3a:x"),
        ("a ##vso[b]", r"a \x23#vso[b]"),
        ("a :: b ## c", "a :: b ## c"),
    ],
)
def test_what_is_escaped(text: str, shown: str) -> None:
    """What is seen stays; twice is as once."""
    assert plain(text) == shown
    assert plain(shown) == shown


def test_the_second_line_of_defence_keeps_our_colours_and_lines() -> None:
    """And nothing else that is no text."""
    assert for_terminal("\x1b[1;31mError:\x1b[0m a\n\x1b[2J::b") == "\x1b[1;31mError:\x1b[0m a\n\\x1b[2J::b"
    assert for_terminal("a\n::b\n") == "a\n\\x3a:b\n"
    assert for_terminal("\x1b[31m::b\x1b[0m") == "\x1b[31m\\x3a:b\x1b[0m"
    assert for_terminal("\x1b[1ma\x1b[0m\n\x1b[32m+\x1b[0m b\n") == "\x1b[1ma\x1b[0m\n\x1b[32m+\x1b[0m b\n"
    assert for_terminal("\x1b\x1b[0m[2J") == "\\x1b\x1b[0m[2J"


def test_json_stays_the_same_json() -> None:
    """With escapes of its own."""
    for value in (HOSTILE, {"é聊": "👨\u200d👩"}, "\U000e0041", "##vso[x]", "\x7f", "plain"):
        said = in_json(json.dumps(value, ensure_ascii=False))
        assert json.loads(said) == value
        check(said, value)
    assert in_json('"é聊"') == '"é聊"'
