"""The markers of an unfinished merge are called by their name, at the first of them, and nothing else is."""

import pytest

from tests.e2e.desk import SPECS, Desk, item

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
def test_a_conflict_is_told_by_its_name(desk: Desk, name: str, text: str, more: int) -> None:
    head = "endpoints:\n- endpoint: chat\n"
    if name != "endpoints.json":
        desk.declare(item("chat"))
    desk.write(name, text.format(head))
    named = ["-f", "endpoints.yaml", "-f", "prod.yaml"] if name == "prod.yaml" else []
    ran = desk.run(*named, "validate", "--json")
    (problem,) = ran.document["problems"]
    line = (3 if "{0}" in text else 1) + more
    assert (ran.code, problem["code"]) == (1, "merge-conflict")
    assert (problem["file"], problem["line"], problem["column"]) == (name, line, 1)
    assert "git merge conflict" in problem["summary"]


@pytest.mark.parametrize(
    "text",
    [
        'a: "<<<<<<< HEAD"',
        "a: |\n  <<<<<<< HEAD\n  =======\n  >>>>>>> x",
        "# ======= chat =======\na: 1",
        "#<<<<<<< x\na: b",
    ],
)
def test_what_only_looks_like_a_marker_is_none(desk: Desk, text: str) -> None:
    desk.declare(item("chat"))
    desk.write("specs.yaml", text + "\nspecs: " + str(SPECS["specs"]))
    assert desk.run("validate").code == 0
