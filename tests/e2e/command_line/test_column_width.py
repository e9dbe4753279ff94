"""Columns are as wide as a terminal shows them: ideographs, emoji, flags, combining marks."""

import pytest
from rich.cells import cell_len

from reconciler.model.problem import Place
from reconciler.reports.terminal.problems import marked_line
from tests.e2e.sandbox import Sandbox, item

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
DECLARABLE = (
    "聊天服务",
    "emoji-\U0001f680-x",
    "\U0001f1e9\U0001f1ea",
    "❤\ufe0f",
    "e\u0301e\u0301",
    "한국어",
    "plain-name-of-some-length",
)
NAMES = (*DECLARABLE, FAMILY, "a\u200db")


def column_of(line: str, word: str) -> int:
    return cell_len(line[: line.index(word)])


@pytest.fixture
def account(sandbox: Sandbox) -> Sandbox:
    for number, name in enumerate(NAMES):
        sandbox.sim.world.console_create(name=name, appName=f"a{number}")
    return sandbox


@pytest.mark.parametrize("command", [("list",), ("list", "--output", "wide"), ("status",)])
def test_tables_are_aligned(account: Sandbox, command: tuple[str, ...]) -> None:
    """The second column begins in one column of the terminal, in every row."""
    head, *rows = account.run(*command).out.splitlines()
    assert len(rows) == len(NAMES)
    title = "ID" if "wide" in command else "STATUS"
    starts = {column_of(head, title)}
    for row in rows:
        second = row.split()[1]
        starts.add(column_of(row, f" {second}") + 1)
    assert len(starts) == 1, rows


def test_a_plan_and_the_state_are_aligned(sandbox: Sandbox) -> None:
    """Keys of envs and names of records."""
    sandbox.declare(*(item(name, appName=f"a{number}") for number, name in enumerate(DECLARABLE)))
    sandbox.apply()
    lines = sandbox.run("state", "list").out.splitlines()
    starts = {
        cell_len(line[: line.index(sandbox.id(name))])
        for name in DECLARABLE
        for line in lines
        if sandbox.id(name) in line
    }
    assert len(starts) == 1
    for name in DECLARABLE[:2]:
        sandbox.sim.world.console_update(
            sandbox.id(name), envs=[{"key": "聊天", "value": "x"}, {"key": "AB", "value": "x"}]
        )
    lines = [line for line in sandbox.run("drift").out.splitlines() if " env." in line]
    assert len(lines) == 4
    assert len({column_of(line, " = ") for line in lines}) == 1


@pytest.mark.parametrize(
    ("text", "column", "width", "under"),
    [
        ("a: 聊天 x", 7, 1, "x"),
        ("聊天: no", 5, 2, "no"),
        ("\tkey: no", 7, 2, "no"),
        ("\t\t聊\tx: 1", 5, 1, "x"),
        ("a: 聊天", 4, 2, "聊天"),
        ("\U0001f680: \u202eno", 5, 2, "no"),
        ("a: ", 5, 1, ""),
    ],
)
def test_the_mark_is_under_the_word(text: str, column: int, width: int, under: str) -> None:
    """Whatever stands before it."""
    line, pointer = marked_line(Place(file="f", line=1, column=column, text=text, width=width))
    start = cell_len(pointer) - pointer.count("^")
    assert pointer.count("^") == max(1, cell_len(under))
    if under:
        assert cell_len(line[: line.index(under)]) == start


def test_the_mark_of_a_problem_in_a_file(sandbox: Sandbox) -> None:
    """End to end."""
    sandbox.write(
        "endpoints.yaml",
        "endpoints:\n- {endpoint: 聊天聊天, appName: a, image: x:1, specName: small, tpyo: 1}\n",
    )
    lines = sandbox.run("validate").err.splitlines()
    at = next(number for number, line in enumerate(lines) if line.strip().endswith("^"))
    assert column_of(lines[at], "^") == column_of(lines[at - 1], "tpyo")
