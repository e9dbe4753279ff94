"""The time of a run grows with what it reads and no faster, whoever wrote it; and what it says is bounded."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from reconciler.config import schema
from reconciler.config.files.env_files import MAX_SPACES
from reconciler.config.references.syntax import scan
from reconciler.config.validation import MAX_EXPLAINED
from reconciler.kinds.secret_text import holds_credential
from reconciler.model.command import shell_quote
from reconciler.model.problem import MAX_LISTED
from reconciler.model.text import closest_match
from reconciler.novita.http.body import parse_json
from reconciler.novita.http.masking import Secrets
from tests.e2e.sandbox import Sandbox, item

SLOWER = 10
"""A text four times as long may take that much longer; twice sixteen times is what a square would take."""


def cost(act: Callable[[], object]) -> float:
    """Seconds of this process's CPU."""
    began = time.process_time()
    act()
    return time.process_time() - began


def grows_linearly(act: Callable[[int], object], n: int) -> bool:
    """Whether 4n take not much longer than four times n; what is over in an instant is not measured."""
    act(n // 10)  # what is imported or compiled once
    small = None
    for _ in range(3):
        large = cost(lambda: act(4 * n))
        if large < 0.2:
            return True
        small = small or min(cost(lambda: act(n)) for _ in range(3))
        if large < SLOWER * small:
            return True
    return False


def one(**fields: Any) -> str:
    return json.dumps({"endpoints": [item("a", **fields)]})


LINES: dict[str, tuple[Callable[[int], str], int]] = {
    # of many characters, in a file that is no YAML
    "a word with a key's beginning": (lambda n: "api_key: 3\n" + "apiapi_" * (n // 7) + "\nx: {", 10_000),
    "a word of many keys": (lambda n: "api_key: 3\n" + "api_key" * (n // 7) + "!\nx: {", 10_000),
    "a line of dashes": (lambda n: "api_key: 3\n" + "-" * n + "\nx: {", 10_000),
    "a key and spaces": (lambda n: "api_key" + " " * n + "x\ny: {", 10_000),
    "many keys in a line": (lambda n: "api_key=x " * (n // 10) + "\ny: {", 10_000),
    "an open quote for a key": (lambda n: "api_key: 'x\n" + " api_key: 'x\n" * n + "y: {", 5_000),
    # of many parts
    "tiny items": (lambda n: "endpoints:\n" + "- a\n" * n, 10_000),
    "empty items": (lambda n: "endpoints: [" + "{}," * n + "]", 500),
    "items on one line": (lambda n: "endpoints: [" + "a," * n + "]", 10_000),
    "items of one unknown key": (lambda n: "endpoints:\n" + "- {a: 1}\n" * n, 500),
    "keys of one item": (lambda n: one(**{f"k{i}": 1 for i in range(n)}), 1_500),
    "keys at the top": (lambda n: json.dumps({f"k{i}": 1 for i in range(n)} | {"endpoints": []}), 2_500),
    "the same key": (lambda n: "endpoints:\n- endpoint: a\n" + "  image: b:1\n" * n, 5_000),
    "the same endpoint": (lambda n: json.dumps({"endpoints": [item("a")] * n}), 500),
    "nulls": (lambda n: one(env={f"K{i}": None for i in range(n)}), 2_500),
    "names that are none": (lambda n: one(env={f"K {i}": "v" for i in range(n)}), 1_500),
    "unset references": (lambda n: one(env={f"K{i}": f"${{env:B20_{i}}}" for i in range(n)}), 1_500),
    "removals": (lambda n: json.dumps({"endpoints": [], "removed": ["a"] * n}), 1_000),
    "aliases": (lambda n: "x: &a {b: c}\nendpoints:\n" + "- *a\n" * n, 250),
    "merges": (lambda n: "x: &a {b: c}\ny:\n  <<: [" + "*a," * n + "]\nendpoints: []\nz: 1\n", 5_000),
    # in one value
    "references in one value": (lambda n: one(env={"K": "${env:B20} " * n}), 3_000),
    "references that are malformed": (lambda n: one(env={"K": "${env} " * n}), 3_000),
    "braces that stay open": (lambda n: one(env={"K": "${env:A:-{" * n}), 5_000),
    "spaces in a reference": (lambda n: one(env={"K": "${Env:a" + " " * n + "b}"}), 10_000),
    "an image with a line feed": (lambda n: one(image="${" * n + "\n"), 10_000),
    "an amount and spaces": (lambda n: one(taskTimeout="1" + " " * n + "x"), 10_000),
    "a word for a password": (lambda n: one(command="token" + " " * n + "$X"), 10_000),
}


@pytest.mark.parametrize("kind", LINES)
def test_a_file_is_read_in_a_time_that_grows_with_it(sandbox: Sandbox, kind: str) -> None:
    make, n = LINES[kind]

    def validated(size: int) -> None:
        sandbox.write("endpoints.yaml", make(size))
        ran = sandbox.run("validate")
        assert "has a bug" not in ran.err

    assert grows_linearly(validated, n)


UNITS: dict[str, tuple[Callable[[int], object], int]] = {
    "base64 of one secret": (lambda n: Secrets(["a" * 8]).masked("YWFh" * (n // 4)), 1_000),
    "text that begins a secret": (lambda n: Secrets(["a" * 9_999]).masked("a" * n), 1_000),
    "deep JSON with an open quote": (lambda n: _refused("[" * 100_000 + '"' + '\\"' * n), 20_000),
    "defaults that are no JSON": (lambda n: list(scan("${env:A:-{" * n)), 20_000),
    "defaults that are JSON": (lambda n: list(scan('${env:A:-{"a": "}"}} ' * n)), 10_000),
    "a command with spaces": (lambda n: holds_credential("token" + " " * n + "$X", ()), 20_000),
    "an option of options": (lambda n: shell_quote("a=" * n), 20_000),
    "a word to guess": (lambda n: closest_match("a" * n, ["a" * n + "b"]), 20_000),
    "words to guess from": (lambda n: closest_match("endpoint", (f"endpoint{i}" for i in range(n))), 20_000),
    "a pattern": (
        lambda n: list(schema.validation_errors("endpoints", {"image": "${" * n + "\n"}, "endpoint")),
        20_000,
    ),
}


def _refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_json(text.encode())


@pytest.mark.parametrize("kind", UNITS)
def test_a_text_of_others_is_looked_at_in_a_time_that_grows_with_it(kind: str) -> None:
    assert grows_linearly(*UNITS[kind])


def test_a_thousand_problems_are_listed_and_the_others_counted(sandbox: Sandbox) -> None:
    sandbox.write("endpoints.yaml", "endpoints:\n" + "- a\n" * 5_000)
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert ran.err.count("endpoints.yaml:") == MAX_LISTED - 1
    assert "Note: 4,001 more problems are not listed, 4,001 of them errors" in ran.err
    assert ran.err.rstrip().endswith("5,000 errors.")
    for command in (["validate", "--json"], ["plan", "--json"]):
        found = sandbox.run(*command).document["problems"]
        assert len(found) == MAX_LISTED
        assert found[-1]["code"] == "more-problems"
        assert found[-1]["summary"].startswith("4,001 more problems")


def test_six_hundred_thousand_tiny_items_are_told_soon(sandbox: Sandbox) -> None:
    """Each lacks its name; what else a few of them lack is told as well, and then no more."""
    sandbox.write("endpoints.yaml", "endpoints: [" + "{}," * 600_000 + "]")
    began = time.process_time()
    ran = sandbox.run("validate")
    assert time.process_time() - began < 60
    assert ran.err.rstrip().endswith("600,000 errors.")


@pytest.mark.parametrize("field", ["specName", "zzz", "x" * 40_000])
def test_a_message_quotes_the_beginning_of_a_long_name(sandbox: Sandbox, field: str) -> None:
    sandbox.declare(item("a", **{field: "y" * 40_000}))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert len(ran.err) < 3_000


def test_what_is_listed_are_the_gravest_problems(sandbox: Sandbox) -> None:
    """A flood of warnings hides no error that comes after them."""
    unset = {f"K{i}": f"${{env:B20_{i}}}" for i in range(1_500)}
    sandbox.declare(item("a", env=unset), {"endpoint": "b"})
    ran = sandbox.run("validate", "--json")
    assert ran.document["error_count"] == len(
        [p for p in ran.document["problems"] if p["severity"] == "error"]
    )
    assert ran.document["error_count"] > 0
    assert ran.document["warning_count"] == 1_500


def test_reports_are_bounded_as_well(sandbox: Sandbox) -> None:
    sandbox.write("endpoints.yaml", "endpoints:\n" + "- a\n" * 5_000)
    ran = sandbox.run("plan", "--junit-into", "a.xml", "--html-into", "a.html", "--markdown-into", "a.md")
    assert ran.code == 1
    more = "4,001 more problems are not listed"
    for name, said in {
        "a.xml": more,
        "a.html": more,
        "a.md": "4,785 of 5,000 problems are not shown",
    }.items():
        text = (sandbox.root / name).read_text()
        assert len(text) < 1_500_000
        assert said in text


def test_endpoints_after_too_many_problems_are_named(sandbox: Sandbox) -> None:
    keys = {f"k{i}": 1 for i in range(MAX_EXPLAINED)}
    sandbox.declare(item("first", **keys), item("second", k=1), item("third"))
    ran = sandbox.run("validate", "--json")
    assert ran.document["endpoints"] == ["third"]
    assert ran.document["error_count"] == MAX_EXPLAINED + 1
    assert ran.document["problems"][-1]["code"] == "more-problems"


def test_faults_of_one_text_are_counted(sandbox: Sandbox) -> None:
    sandbox.declare(item("a", env={"K": "${env} " * 1_000}))
    ran = sandbox.run("validate")
    assert ran.err.count("Error: the reference ${env} has no source") == 99
    assert "Error: 901 more references in this text are wrong" in ran.err


def test_spaces_of_an_env_file_are_bounded(sandbox: Sandbox) -> None:
    """python-dotenv takes a time that grows with their square."""
    sandbox.declare(item("a"))
    sandbox.write("a.env", "A=b\n\nB=c" + " " * 500_000 + "d\n")
    began = time.process_time()
    ran = sandbox.run("validate", "--env-file", "a.env")
    assert time.process_time() - began < 5
    assert ran.code == 1
    assert "a.env:3:1" in ran.err
    assert f"this line has more than {MAX_SPACES} spaces in a row" in ran.err
    sandbox.write("a.env", "A=b" + " " * MAX_SPACES + "# said\n")
    assert sandbox.run("validate", "--env-file", "a.env").code == 0


def test_many_entries_of_drift_ignore_are_looked_up(sandbox: Sandbox) -> None:
    sandbox.declare(*(item(f"a{i}", env={"A": "1"}) for i in range(20)))
    sandbox.apply()
    for endpoint in sandbox.sim.world.endpoints:
        sandbox.sim.world.console_update(endpoint["id"], image={"image": "other:1"})
    entries = [{"endpoint": f"b{i}", "why": "x"} for i in range(5_000)]
    sandbox.write("config.yaml", {"drift": {"ignore": [*entries, {"endpoint": "a7", "why": "known"}]}})
    began = time.process_time()
    ran = sandbox.run("drift", "--json")
    assert time.process_time() - began < 10
    moved = ran.document["resource_drift"]
    assert ran.code == 2
    assert len(moved) == 20
    assert [one["name"] for one in moved if one["standing"] == "ignored"] == ["a7"]


def test_many_targets_are_looked_up(sandbox: Sandbox) -> None:
    sandbox.declare(*(item(f"a{i}") for i in range(300)))
    targets = [word for i in range(300) for word in ("--target", f"novita_endpoint.a{i}")]
    began = time.process_time()
    ran = sandbox.plan(*targets[:-2], "--exclude", "a1?", "--target", "none")
    assert time.process_time() - began < 10
    assert len(ran.actions) == 299 - 10
    assert ran.codes.count("no-such-target") == 1
