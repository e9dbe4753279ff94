"""References: braces balance in a default, each fault is underlined by itself, hints have the right form."""

import json

import pytest

from tests.e2e.sandbox import Sandbox, item


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('${env:LIMITS:-{"batch":4}}', '{"batch":4}'),
        ('${env:LIMITS:-{"a":{"b":{}}}}', '{"a":{"b":{}}}'),
        ('[${env:LIMITS:-{"a":1}}, ${env:OTHER:-{}}]', '[{"a":1}, {}]'),
        ('${env:LIMITS:-{"stop":"}"}}', '{"stop":"}"}'),
        ('${env:LIMITS:-{"open":"{{","list":["}}","\\"}"]}}', '{"open":"{{","list":["}}","\\"}"]}'),
        ('${env:LIMITS:- ["{", {"a": "}"}]}', ' ["{", {"a": "}"}]'),
        ('${env:LIMITS:-"}"}', '"}"'),
        ('${env:LIMITS:-{"a":1} or {"b":2}}', '{"a":1} or {"b":2}'),
        ("${env:LIMITS:-{{ name }}}", "{{ name }}"),
        ("${env:LIMITS:-a}}", "a}"),
        ("${env:LIMITS:-}{}", "{}"),
        ("$${env:LIMITS}", "${env:LIMITS}"),
        ("$${env:A} ${env:SET} $${", "${env:A} set ${"),
        ("$$${env:SET}", "$${env:SET}"),
        ("${env:DOLLAR:-$}${env:SET}", "$set"),
        ("$ {env:SET} $SET", "$ {env:SET} $SET"),
    ],
)
def test_what_a_text_says(sandbox: Sandbox, text: str, value: str) -> None:
    """The true value is sent."""
    sandbox.monkeypatch.setenv("SET", "set")
    sandbox.declare(item("chat", env={"A": text}))
    sandbox.apply()
    assert sandbox.live()["chat"]["envs"] == [{"key": "A", "value": value}]
    sandbox.monkeypatch.setenv("LIMITS", '{"batch":9}')
    if "env:LIMITS:-{" in text and text.startswith("${"):
        sandbox.apply()
        assert json.loads(sandbox.live()["chat"]["envs"][0]["value"]) == {"batch": 9}


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${MODEL:-x}", "`${env:MODEL:-x}`"),
        ("${MODEL-x}", "`${env:MODEL:-x}`"),
        ('${MODEL:-{"a": 1}}', '`${env:MODEL:-{"a": 1}}`'),
        ("${MODEL}", "`${env:MODEL}`"),
        ("${MODEL:?must be set}", "`${env:MODEL}`"),
        ("${env:MODEL:x}", "`${env:MODEL:-x}`"),
        ("${env: MODEL}", "`${env:MODEL}`"),
        ("${env.MODEL}", "`${env:MODEL}`"),
        ("${ENV:MODEL}", "`${env:MODEL}`"),
        ("${ env:MODEL:-x }", "`${env:MODEL:-x}`"),
        ("${File:a/b}", "`${file:a/b}`"),
        ("${{ secrets.MODEL }}", "`${env:NAME}`"),
        ("${vault:x}", "`${env:NAME}`"),
        ("${env:MODEL:-${env:B}}", "Name one variable"),
        ("${env:MODEL", "`${env:MODEL}`"),
        ('${env:MODEL:-{"a":1}', "Balance the braces"),
    ],
)
def test_the_hint_has_the_right_form(sandbox: Sandbox, text: str, hint: str) -> None:
    """Other tools' spellings, and those that are nearly ours."""
    sandbox.declare(item("chat", env={"A": text}))
    ran = sandbox.run("validate")
    assert ran.code == 1
    assert hint in ran.err
    assert ran.err.count("Error:") == 1, ran.err


FAULTS = """\
endpoints:
  - endpoint: chat
    specName: small
    image: "a/b:${TAG}-${env:UNSET}-${TAG}"
    command: >-
      serve --a ${env:X-}
      --b ${nope:y}
    env:
      ONE: "é ${A} ${env:SET} ${B}"
      TWO: ${env:open
    healthPath: ${env:UNSET}
"""


def test_each_fault_is_underlined_by_itself(sandbox: Sandbox) -> None:
    """Line, column and width of every single one, the same twice in one value included."""
    sandbox.monkeypatch.setenv("SET", "set")
    sandbox.write("endpoints.yaml", FAULTS)
    ran = sandbox.run("plan", "--json")
    places = [(one["line"], one["column"], one["code"]) for one in ran.document["problems"]]
    assert places == [
        (4, 17, "bad-reference"),
        (4, 24, "unset-reference"),
        (4, 37, "bad-reference"),
        (6, 17, "bad-reference"),
        (7, 11, "bad-reference"),
        (9, 15, "bad-reference"),
        (9, 31, "bad-reference"),
        (10, 12, "bad-reference"),
        (11, 17, "unset-reference"),
    ]
    lines = [
        line
        for line in sandbox.run("plan").err.splitlines()
        if set(line.strip()) <= {"|", "^", " "} and "^" in line
    ]
    assert [line.count("^") for line in lines] == [6, 12, 6, 9, 9, 4, 4, 10, 12]
