"""The markers of an unfinished merge are called by their name, at the first of them, and nothing else is."""

import pytest

from tests.e2e.sandbox import SPECS, Sandbox, item

FILES = ["endpoints.yaml", "specs.yaml", "config.yaml", "endpoints.json", "endpoints/a.yaml", "prod.yaml"]

CONFLICTS = [
    ("{0}<<<<<<< HEAD\n  replicas: 1\n=======\n  replicas: 2\n>>>>>>> theirs\n", 0),
    ("{0}<<<<<<< HEAD\r\n  replicas: 1\r\n||||||| base\r\n=======\r\n  replicas: 2\r\n>>>>>>> x\r\n", 0),
    ("<<<<<<< HEAD\n=======\n>>>>>>> theirs\n", 0),
    ("{0}  replicas: 1\n=======\n  replicas: 2\n>>>>>>> theirs\n", 1),
    ("{0}>>>>>>> theirs\n", 0),
    ("{0}||||||| 1234567\n", 0),
]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("text", "more"), CONFLICTS)
def test_a_conflict_is_told_by_its_name(sandbox: Sandbox, name: str, text: str, more: int) -> None:
    head = "endpoints:\n- endpoint: chat\n"
    if name != "endpoints.json":
        sandbox.declare(item("chat"))
    sandbox.write(name, text.format(head))
    named = ["-f", "endpoints.yaml", "-f", "prod.yaml"] if name == "prod.yaml" else []
    ran = sandbox.run(*named, "validate", "--json")
    (problem,) = ran.document["problems"]
    line = (3 if "{0}" in text else 1) + more
    assert (ran.code, problem["code"]) == (1, "merge-conflict")
    assert (problem["file"], problem["line"], problem["column"]) == (name, line, 1)
    assert "git merge conflict" in problem["summary"]


@pytest.mark.parametrize("words", [("plan",), ("deploy", "d", "--image", "u:1", "--spec", "small")])
def test_a_conflict_in_a_file_of_values(sandbox: Sandbox, words: tuple[str, ...]) -> None:
    """It is one fault, and no value of either side is shown."""
    sandbox.declare(item("chat", env={"A": "${env:A}"}))
    sandbox.write("prod.env", "A=1\n<<<<<<< HEAD\nB=S3CRET\n=======\nB=0THER\n>>>>>>> theirs\n")
    ran = sandbox.run(*words, "--env-file", "prod.env")
    assert (ran.code, ran.err.count("Error:")) == (1, 1)
    assert "git merge conflict" in ran.err
    assert "prod.env:2:1" in ran.err
    assert "S3CRET" not in ran.err
    assert "0THER" not in ran.err


def test_what_only_looks_like_a_marker_in_a_file_of_values(sandbox: Sandbox) -> None:
    sandbox.declare(item("chat", env={"A": "${env:A}"}))
    sandbox.write("prod.env", "A='title\n=======\ntext'\n")
    assert sandbox.run("plan", "--env-file", "prod.env").code == 0


@pytest.mark.parametrize(
    "text",
    [
        'a: "<<<<<<< HEAD"',
        "a: |\n  <<<<<<< HEAD\n  =======\n  >>>>>>> x",
        "# ======= chat =======\na: 1",
        "#<<<<<<< x\na: b",
    ],
)
def test_what_only_looks_like_a_marker_is_none(sandbox: Sandbox, text: str) -> None:
    sandbox.declare(item("chat"))
    sandbox.write("specs.yaml", text + "\nspecs: " + str(SPECS["specs"]))
    assert sandbox.run("validate").code == 0
