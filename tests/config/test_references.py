"""References in text: `${...}` is resolved, masked or refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.references.resolver import MAX_SIZE, Resolver, coerce
from reconciler.config.references.syntax import is_single_reference, parse_parts
from reconciler.model.problem import Problem, Severity
from reconciler.model.secrets import MASK, Secret, reveal

from .support import codes, loaded, problem_lines

ENVIRON = {"A": "one", "EMPTY": "", "BAD": "\udc80"}


@pytest.mark.parametrize(
    ("text", "value", "masked"),
    [
        ("plain", "plain", "plain"),
        ("${env:A}", "one", "(sensitive value)"),
        ("<${env:A}-${env:A}>", "<one-one>", "<(sensitive value)-(sensitive value)>"),
        ("${env:EMPTY:-x}", "x", "(sensitive value)"),
        ("${env:NONE:-}", "", ""),
        ("${env:NONE:-a:-b}", "a:-b", "(sensitive value)"),
        ("${env:A:-x}", "one", "(sensitive value)"),
        ("$${env:A}", "${env:A}", "${env:A}"),
        ("$$${env:A}", "$${env:A}", "$${env:A}"),
        ("$A $ {x} $", "$A $ {x} $", "$A $ {x} $"),
        ("${file:secret.txt}", "from file", "(sensitive value)"),
        ("${file:dos.txt}", "from dos", "(sensitive value)"),
        ("${file:two.txt}", "x\n", "(sensitive value)"),
    ],
)
def test_references_are_resolved(tmp_path: Path, text: str, value: str, masked: str) -> None:
    """Each form has its value; the masked text hides the values and nothing else."""
    (tmp_path / "secret.txt").write_text("from file\n")
    (tmp_path / "dos.txt").write_bytes(b"from dos\r\n")
    (tmp_path / "two.txt").write_text("x\n\n")
    resolved = Resolver(tmp_path, ENVIRON).resolve(text)
    assert (resolved.value, str(resolved.secret), resolved.problems) == (value, masked, ())


@pytest.mark.parametrize(
    ("text", "summary", "hint"),
    [
        ("${env:A", "the reference ${env:A has no closing brace", "write `${env:A}`"),
        ("${HOME}", "the reference ${HOME} has no source", "write `${env:HOME}`"),
        ("${}", "the reference ${} has no source", "write `${env:NAME}`"),
        ("${vault:x}", "the reference ${vault:x} has an unknown source", "write `${env:NAME}`"),
        ("${env:}", "the reference ${env:} has no name", "write `${env:NAME}`"),
        ("${file: }", "the reference ${file: } has no name", "write `${file:PATH}`"),
        ("${env:a-b}", "the reference ${env:a-b} does not name a variable", "use letters, digits and `_`"),
        (
            "${env:A:-${env:B}}",
            "the reference ${env:A:-${env:B}} contains another reference",
            "name one variable",
        ),
        ("${" + "x" * 100 + "}", "the reference ${" + "x" * 57 + "… has no source", "write `${env:xxx"),
    ],
)
def test_malformed_references_are_explained(tmp_path: Path, text: str, summary: str, hint: str) -> None:
    """The hint says how to write a literal `${`, or the syntax of another tool."""
    (problem,) = Resolver(tmp_path, ENVIRON).resolve(text).problems
    assert problem.code == "bad-reference"
    assert problem.summary.startswith(summary)
    assert problem.hint.startswith(hint)
    assert problem.hint.endswith("a literal `${` is written `$${`")


@pytest.mark.parametrize("lenient", [False, True])
def test_an_unset_variable(tmp_path: Path, lenient: bool) -> None:
    """An unset variable is an error, or a warning in a lenient run, where it counts as a secret."""
    resolved, problems = Resolver(tmp_path, ENVIRON, lenient).secret("x${env:NONE}")
    assert (reveal(resolved), str(resolved)) == ("x${env:NONE}", MASK if lenient else "x${env:NONE}")
    assert [problem.severity for problem in problems] == [Severity.WARNING if lenient else Severity.ERROR]
    assert problems[0].hint == "export NONE=...   or give a default: ${env:NONE:-default}"


def test_unusable_files(tmp_path: Path) -> None:
    """A missing, special, huge or binary file is a problem, and reading it never hangs."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b"x" * (MAX_SIZE + 1))
    (tmp_path / "binary").write_bytes(b"\xff\x00")
    (tmp_path / "nul").write_bytes(b"a\0b")
    resolver = Resolver(tmp_path, ENVIRON)
    said = {
        name: resolver.resolve(f"${{file:{name}}}").problems[0].summary
        for name in ("nope", "pipe", "huge", "binary", "nul", "x" * 5000)
    }
    assert "there is no such file" in said["nope"]
    assert "it is not a file" in said["pipe"]
    assert "larger than 1 MiB" in said["huge"]
    assert "not UTF-8 text" in said["binary"]
    assert "not UTF-8 text" in said["nul"]
    assert "cannot be read" in said["x" * 5000]
    assert codes(resolver.resolve("${env:BAD}").problems) == ["unreadable-reference"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """All endpoints of a run get the same content, even if the file changes during the run."""
    (tmp_path / "f").write_text("a")
    resolver = Resolver(tmp_path, {})
    assert resolver.resolve("${file:f}").value == "a"
    (tmp_path / "f").write_text("b")
    assert resolver.resolve("${file:f}").value == "a"


@given(st.text(st.sampled_from("ab$}{: \n"), max_size=12))
def test_escaped_text_is_unchanged(text: str) -> None:
    """Text escaped with `$${` resolves to itself and is not a secret."""
    if "$${" in text:
        text = text.replace("$${", "")
    resolver = Resolver(Path(), {})
    escaped = text.replace("${", "$${")
    assert resolver.secret(escaped) == (text, ())


@given(
    st.lists(
        st.one_of(st.text(st.characters(exclude_characters="$", codec="utf-8")), st.sampled_from(["A", "B"])),
        max_size=5,
    )
)
def test_references_and_literals_keep_their_order(parts: list[str]) -> None:
    """Any mixture of literals and references is resolved part by part."""
    environ = {"A": "first", "B": "${env:A}"}
    text = "".join(f"${{env:{part}}}" if part in environ else part for part in parts)
    expected = "".join(environ.get(part, part) for part in parts)
    secret, problems = Resolver(Path(), environ).secret(text)
    assert problems == ()
    assert (secret.value if isinstance(secret, Secret) else secret) == expected


@given(st.text(st.sampled_from("env:file-$}{A. \n\0"), max_size=20))
def test_any_text_can_be_parsed(text: str) -> None:
    """Any text gives either parts or one problem."""
    assert isinstance(parse_parts(text), tuple | Problem)
    assert is_single_reference(text) in (True, False)
    Resolver(Path("/nonexistent"), {}).secret(text)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        (" 12\n", "integer", 12),
        ("-1", "integer", -1),
        ("1.5", "integer", None),
        ("9" * 30, "integer", None),
        ("1.5", "number", 1.5),
        ("x", "number", None),
        ("True", "boolean", True),
        ("0", "boolean", False),
        ("maybe", "boolean", None),
    ],
)
def test_coercion(text: str, kind: str, value: object) -> None:
    """A reference that fills a field has the type of the field."""
    assert coerce(text, kind) == value


FILE = """\
endpoints:
  - endpoint: a
    specName: one
    image: "repo:${env:TAG}"
    port: ${env:PORT}
    command: run ${env:TOKEN}
    replicas: ${env:REPLICAS:-2}
    lifecycle: {preventDestroy: "${env:KEEP}"}
    storage: [{type: local, sizeGb: "${env:SIZE}", mountPath: "${env:MOUNT}"}]
    policy: {type: queue, value: "${env:WAIT}"}
    env: {TOKEN: "Bearer ${env:TOKEN}", HOME: "$${HOME}", N: "${env:PORT}"}
"""
SET = {
    "TAG": "1",
    "PORT": "8080",
    "TOKEN": "s3cret",
    "KEEP": "true",
    "SIZE": "30",
    "MOUNT": "/data",
    "WAIT": "9",
}


def test_references_in_an_endpoint(tmp_path: Path) -> None:
    """Numbers and booleans are converted, env and command are secret, an image tag is shown."""
    result = loaded(tmp_path, {"endpoints.yaml": FILE}, environ=SET)
    assert result.problems == ()
    (desired,) = result.desired
    fields = desired.fields
    assert fields["image"] == {
        "image": "repo:1",
        "command": Secret("run s3cret", "run ${env:TOKEN}", "run (sensitive value)"),
    }
    assert fields["ports"] == [{"port": 8080}]
    assert fields["workerConfig"]["maxNum"] == 2
    assert fields["policy"] == {"type": "queue", "value": 9}
    assert fields["envs"] == {
        "TOKEN": Secret("Bearer s3cret", "Bearer ${env:TOKEN}", "Bearer (sensitive value)"),
        "HOME": "${HOME}",
        "N": Secret("8080", "${env:PORT}"),
    }
    assert desired.lifecycle.prevent_destroy is True
    assert "s3cret" not in repr(result)


def test_values_of_references_are_validated(tmp_path: Path) -> None:
    """The value must match the field; the message names the reference and not the value."""
    bad = {**SET, "PORT": "eighty", "SIZE": "0", "MOUNT": "data", "KEEP": "maybe", "TOKEN": "x" * 2100}
    result = loaded(tmp_path, {"endpoints.yaml": FILE}, environ=bad)
    assert problem_lines(result.problems) == [
        "endpoints.yaml:5:11 bad-reference | correct the value behind the reference",
        "endpoints.yaml:6:14 bad-format | shorten it",
        "endpoints.yaml:8:33 bad-reference | correct the value behind the reference",
        "endpoints.yaml:9:37 out-of-range | write a number that is 1 or more",
        "endpoints.yaml:9:63 bad-format | write for example `mountPath: /workspace`",
    ]
    assert "xxx" not in repr(result.problems)


def test_unset_references_strict_and_lenient(tmp_path: Path) -> None:
    """Strict: errors and no endpoint. Lenient: warnings, and the text of the reference as the value."""
    strict = loaded(tmp_path, {"endpoints.yaml": FILE})
    assert set(codes(strict.errors)) == {"unset-reference"}
    assert len(strict.problems) == 9
    assert strict.desired == ()
    lenient = loaded(tmp_path, {"endpoints.yaml": FILE}, lenient=True)
    assert {problem.severity for problem in lenient.problems} == {Severity.WARNING}
    assert lenient.desired[0].fields["ports"] == [{"port": "${env:PORT}"}]
    assert reveal(lenient.desired[0].fields["envs"]["N"]) == "${env:PORT}"
    assert ("ports",) in lenient.desired[0].unset
    assert ("envs", "N") in lenient.desired[0].unset


@pytest.mark.parametrize("field", ["endpoint", "specName", "appName", "renamedFrom"])
def test_names_cannot_contain_references(tmp_path: Path, field: str) -> None:
    """Names must be the same in every environment."""
    item = {"endpoint": "a", "specName": "one", "image": "x:1"} | {field: "x${env:A}"}
    text = "endpoints:\n- " + "\n  ".join(f"{key}: {value}" for key, value in item.items())
    result = loaded(tmp_path, {"endpoints.yaml": text}, environ={"A": "x"})
    assert [problem.summary for problem in result.errors] == [f"`{field}` cannot contain a reference"]


@pytest.mark.parametrize("text", ["8${env:A}", "$${env:A}"])
def test_a_number_is_a_whole_reference_or_none(tmp_path: Path, text: str) -> None:
    """A number cannot be composed of text and references."""
    item = f"endpoints: [{{endpoint: a, specName: one, image: x:1, port: '{text}'}}]"
    result = loaded(tmp_path, {"endpoints.yaml": item}, environ={"A": "0"})
    assert codes(result.problems) == ["wrong-type"]
