"""U+0085, U+2028 and U+2029 are characters like others in a value, and no end of a line anywhere."""

import json
from typing import Any

import pytest

from tests.e2e.sandbox import Sandbox, item

MARKS = ["\x85", "\u2028", "\u2029"]
HEAD = "endpoints:\n- endpoint: chat\n  specName: small\n  image: x:1\n"


def env(sandbox: Sandbox) -> dict[str, str]:
    """The variables of the endpoint `chat` as they would be sent."""
    created = sandbox.run("preview", "--create", "--reveal", "--json").document
    body = created[0]["body"]["endpoint"]
    return {one["key"]: one["value"] for one in body["envs"]}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a{0}b"', "a{0}b"),
        ("'a{0} b'", "a{0} b"),
        ("a{0}b", "a{0}b"),
        ("{0}a", "{0}a"),
        ("a{0}", "a{0}"),
        ("|-\n      a{0}b\n      c", "a{0}b\nc"),
        (">-\n      a{0}\n      b", "a{0} b"),
        ('"a{0}\n      b"', "a{0} b"),
        ('"\\N\\L\\P{0}"', "\x85\u2028\u2029{0}"),
        ("'\ue000{0}\ue001\ue002'", "\ue000{0}\ue001\ue002"),
    ],
)
def test_a_value_holds_what_is_written(sandbox: Sandbox, mark: str, text: str, value: str) -> None:
    sandbox.write("endpoints.yaml", f"{HEAD}  env:\n    A: {text.format(mark)}\n    B: b\n")
    assert env(sandbox) == {"A": value.format(mark), "B": "b"}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["endpoints.yaml", "endpoints.json"])
@pytest.mark.parametrize("escaped", [False, True])
def test_json_says_the_same_in_both_kinds_of_file(
    sandbox: Sandbox, mark: str, name: str, escaped: bool
) -> None:
    values = {"A": f'{mark}a{mark}\tb"\\/{mark}', "B": "\U0001f600\ue000", "C": "\x7f"}
    document = {"endpoints": [item("chat", env={**values, "D": "d"})]}
    sandbox.write(name, json.dumps(document, ensure_ascii=escaped).replace("/", "\\/"))
    if name.endswith(".json"):
        assert env(sandbox) == {**values, "D": "d"}
    elif escaped:
        assert {key: value for key, value in env(sandbox).items() if key != "C"} == {
            "A": values["A"],
            "B": values["B"],
            "D": "d",
        }


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        (HEAD + "# a note{0}  maxReplicas: 50\n  port: 80\n", 5, 9),
        (HEAD + "  port: 80 # {0}image: evil:1\n", 5, 14),
        (HEAD + "  env:\n    A: | # {0}b\n      a\n", 6, 12),
        (HEAD + "  port: 80{0}  maxReplicas: 50\n", 5, 11),
        (HEAD + "{0}", 5, 1),
        ("{0}" + HEAD, 1, 1),
        (HEAD + "  env: {{A: b,{0} C: d}}\n", 5, 14),
        (HEAD + "  env: {{A: 'b'}}{0}\n", 5, 16),
    ],
)
@pytest.mark.parametrize("name", ["endpoints.yaml", "prod.yaml"])
def test_it_is_named_where_a_line_or_a_comment_would_end(
    sandbox: Sandbox, mark: str, text: str, line: int, column: int, name: str
) -> None:
    """Nothing that follows it on the line becomes a field without being seen, or is hidden by a comment."""
    sandbox.write(name, text.format(mark))
    ran = sandbox.run("-f", name, "validate", "--json")
    (problem,) = ran.document["problems"]
    assert (ran.code, problem["code"]) == (1, "not-text")
    assert (problem["line"], problem["column"]) == (line, column)
    assert f"U+{ord(mark):04X}" in problem["summary"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("name", ["specs.yaml", "config.yaml"])
def test_other_files_are_read_the_same(sandbox: Sandbox, mark: str, name: str) -> None:
    sandbox.declare(item("chat"))
    path = sandbox.root / name
    path.write_text(path.read_text() + f"\n# a{mark}b\n")
    (problem,) = sandbox.run("validate", "--json").document["problems"]
    assert (problem["file"], problem["code"]) == (name, "not-text")
    assert f"U+{ord(mark):04X}" in problem["summary"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("style", ["yaml", "flow", "json"])
def test_an_edit_writes_what_is_read_back(sandbox: Sandbox, mark: str, style: str) -> None:
    """`drift accept` and `scale --write`: the value is the live one, and the rest of the file stays."""
    fields: dict[str, Any] = {"command": "serve", "env": {"A": f"x{mark}y"}}
    name = "endpoints.json" if style == "json" else "endpoints.yaml"
    if style == "yaml":
        sandbox.write(name, f"# kept\n{HEAD}  command: serve\n  env:\n    A: 'x{mark}y'  # kept too\n")
    else:
        sandbox.write(name, {"endpoints": [item("chat", **fields)]})
    sandbox.apply()
    live = f"serve{mark} --all {mark}"
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"command": live}, healthy={"path": "/h"})
    ran = sandbox.run("drift", "accept", "chat")
    assert ran.code == 0, ran.err
    assert sandbox.plan().code == 0
    ran = sandbox.run("scale", "chat", "3", "--write")
    assert ran.code == 0, ran.err
    sandbox.apply()
    assert sandbox.live()["chat"]["workerConfig"]["maxNum"] == 3
    text = (sandbox.root / name).read_text()
    assert f"x{mark}y" in text or f"x\\u{ord(mark):04x}y" in text
    if style == "yaml":
        assert text.startswith("# kept\n")
        assert "# kept too\n" in text
    assert sandbox.live()["chat"]["image"]["command"] == live


@pytest.mark.parametrize("mark", MARKS)
def test_what_import_writes_is_read_back(sandbox: Sandbox, mark: str) -> None:
    sandbox.declare(item("chat", command="serve"))
    sandbox.apply()
    sandbox.sim.world.console_update(sandbox.id("chat"), image={"command": f"a{mark}b"})
    (sandbox.root / "endpoints.yaml").unlink()
    (sandbox.root / "state/novita.json").unlink()
    ran = sandbox.run("import", "--all", "--out", "endpoints.yaml")
    assert ran.code == 0, ran.err
    ran = sandbox.plan()
    assert ran.code == 0, ran.out
