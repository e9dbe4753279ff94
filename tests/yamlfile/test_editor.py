"""Editing files as text: only the intended values change."""

from __future__ import annotations

import json
import tracemalloc
from difflib import unified_diff
from typing import Any

import pytest

from reconciler.model.errors import InvalidConfig
from reconciler.model.values import DataPath
from reconciler.yamlfile import editor
from reconciler.yamlfile.editor import Append, Edit, Remove, Set, edit_text
from reconciler.yamlfile.edits import apply_edits
from reconciler.yamlfile.emitter import to_block
from reconciler.yamlfile.reader import parse

TEXT = """\
# head
defaults:   # for all
  specName: small
endpoints:
  # about a
  - endpoint: a   # the a
    image: 'x:1'  # pinned
    replicas: 3
    env: {A: "1", B: b}   # in the flow
    command: |
      one
      two

    storage: []

  # about b
  - endpoint: b
    image: y:1
    env:
      K: v   # kv

      # below the last
    policy:   # when to scale
      type: queue
      value: 60
# end
"""
A: DataPath = ("endpoints", 0)
B: DataPath = ("endpoints", 1)


def changed(text: str, *edits: Edit) -> list[str]:
    """Return the removed and added lines, as `- ` and `+ `."""
    after = edit_text(text, edits)
    diff = list(unified_diff(text.splitlines(), after.splitlines(), n=0, lineterm=""))
    return [f"{line[0]} {line[1:]}" for line in diff[2:] if line[0] in "-+"]


CASES: dict[str, tuple[tuple[Edit, ...], list[str]]] = {
    "a word keeps its quotes and its comment": (
        (Set(path=(*A, "image"), value="x:2"),),
        ["-     image: 'x:1'  # pinned", "+     image: 'x:2'  # pinned"],
    ),
    "a new key comes before the comments that follow the last one": (
        (Set(path=(*B, "env", "C"), value="1"),),
        ['+       C: "1"'],
    ),
    "a new key at the end of an item": ((Set(path=(*B, "replicas"), value=2),), ["+     replicas: 2"]),
    "a key in a flow map": (
        (Set(path=(*A, "env", "C"), value="a, b"),),
        [
            '-     env: {A: "1", B: b}   # in the flow',
            '+     env: {A: "1", B: b, C: "a, b"}   # in the flow',
        ],
    ),
    "missing maps are made": (
        (Set(path=(*B, "lifecycle", "preventDestroy"), value=True),),
        ["+     lifecycle:", "+       preventDestroy: true"],
    ),
    "a map in the place of an inline one": (
        (Set(path=(*A, "env"), value={"K": "v"}),),
        [
            '-     env: {A: "1", B: b}   # in the flow',
            "+     env:   # in the flow",
            "+       K: v",
        ],
    ),
    "a word in the place of a map": (
        (Set(path=(*B, "policy"), value=None),),
        ["-     policy:   # when to scale", "-       type: queue", "-       value: 60", "+     policy: null"],
    ),
    "a word in the place of a block": (
        (Set(path=(*A, "command"), value="run"),),
        ["-     command: |", "-       one", "-       two", "+     command: run"],
    ),
    "a key is removed with its comment": (
        (Remove(path=(*A, "image")),),
        ["-     image: 'x:1'  # pinned"],
    ),
    "the first key of an item": (
        (Remove(path=(*A, "endpoint")),),
        ["-   - endpoint: a   # the a", "-     image: 'x:1'  # pinned", "+   - image: 'x:1'  # pinned"],
    ),
    "the map that was emptied goes too": (
        (Remove(path=(*B, "env", "K")),),
        ["-     env:", "-       K: v   # kv"],
    ),
    "a key of a flow map is removed": (
        (Remove(path=(*A, "env", "A")),),
        [
            '-     env: {A: "1", B: b}   # in the flow',
            "+     env: {B: b}   # in the flow",
        ],
    ),
    "the last key of a flow map is removed": (
        (Remove(path=(*A, "env", "B")),),
        [
            '-     env: {A: "1", B: b}   # in the flow',
            '+     env: {A: "1"}   # in the flow',
        ],
    ),
    "an item is removed, and what is said around it stays": (
        (Remove(path=B),),
        [
            "-   - endpoint: b",
            "-     image: y:1",
            "-     env:",
            "-       K: v   # kv",
            "- ",
            "-       # below the last",
            "-     policy:   # when to scale",
            "-       type: queue",
            "-       value: 60",
        ],
    ),
    "an item is appended": (
        (Append(path=("endpoints",), value={"endpoint": "c", "env": {"A": "no"}}),),
        ["+   - endpoint: c", "+     env:", '+       A: "no"'],
    ),
    "an empty list is filled": (
        (Append(path=(*A, "storage"), value={"type": "local", "sizeGb": 30}),),
        ["-     storage: []", "+     storage:", "+       - type: local", "+         sizeGb: 30"],
    ),
    "a list that is not there": (
        (Append(path=("removed",), value={"endpoint": "old"}),),
        ["+ removed:", "+   - endpoint: old"],
    ),
    "what is not there cannot be removed": ((Remove(path=(*A, "nothing")),), []),
    "several edits at once": (
        (Remove(path=(*A, "replicas")), Set(path=(*A, "minReplicas"), value=0)),
        ["-     replicas: 3", "+     minReplicas: 0"],
    ),
}


@pytest.mark.parametrize(("edits", "lines"), CASES.values(), ids=CASES)
def test_only_edited_lines_change(edits: tuple[Edit, ...], lines: list[str]) -> None:
    """Comments, quotes, empty lines and everything else stay the same, byte for byte."""
    assert changed(TEXT, *edits) == lines


@pytest.mark.parametrize(
    ("text", "edit", "after"),
    [
        ("", Set(path=("a", "b"), value=1), "a:\n  b: 1\n"),
        ("# none", Append(path=("specs",), value={"name": "x"}), "# none\nspecs:\n  - name: x\n"),
        ("# nothing yet\n", Remove(path=("a",)), "# nothing yet\n"),
        ("{}\n", Set(path=("a",), value=1), "a: 1\n"),
        ("a: 1\n", Remove(path=("a",)), "{}\n"),
        ("- 1\n", Remove(path=(0,)), "[]\n"),
        ("a: 1\nb: 2", Remove(path=("b",)), "a: 1"),
        ("a: 1", Set(path=("b",), value=2), "a: 1\nb: 2"),
        ("env:\nb: 1\n", Set(path=("env", "A"), value="x"), "env:\n  A: x\nb: 1\n"),
        ("a: # why\n  - 1\n", Remove(path=("a", 0)), "a: []\n"),
        ("a:\n- 1\n- 2 # two\n- 3\n", Remove(path=("a", 1)), "a:\n- 1\n- 3\n"),
        ("a:\n- 1\n", Append(path=("a",), value=[1, 2]), "a:\n- 1\n- - 1\n  - 2\n"),
        ("a:\n- 1\n", Set(path=("a", 0), value={"b": 1, "c": 2}), "a:\n- b: 1\n  c: 2\n"),
        ("a: [1, 2]\n", Append(path=("a",), value="no"), 'a: [1, 2, "no"]\n'),
        ("a: [1, 2]\n", Remove(path=("a", 0)), "a: [2]\n"),
        ("a: [1, 2]\n", Set(path=("a", 1), value={"b": []}), "a: [1, {b: []}]\n"),
        ("a:\n    b: {c: 1}\n", Set(path=("d",), value={"e": 1}), "a:\n    b: {c: 1}\nd:\n    e: 1\n"),
        ('{\n  "a": "x"\n}\n', Set(path=("b",), value={"c": "y"}), '{\n  "a": "x",\n  "b": {"c": "y"}\n}\n'),
        ("a: 1\r\nb: 2\r\n", Set(path=("c",), value=3), "a: 1\r\nb: 2\r\nc: 3\r\n"),
        ("\ufeffa: 1\n", Set(path=("a",), value=2), "\ufeffa: 2\n"),
        ("x: &x {a: 1}\ny:\n <<: *x\n", Set(path=("y", "a"), value=3), "x: &x {a: 1}\ny:\n <<: *x\n a: 3\n"),
        ("x: &x {a: 1}\ny: *x\nz: 1\n", Set(path=("z",), value=2), "x: &x {a: 1}\ny: *x\nz: 2\n"),
        ("x: &x {a: 1}\ny: *x\n", Set(path=("y",), value={"a": 2}), "x: &x {a: 1}\ny:\n  a: 2\n"),
        ("a:\n  -\n    # why\n    b: 1\n  - c: 1\n", Remove(path=("a", 0)), "a:\n  - c: 1\n"),
        ("a:\n- b: 1\n  # why\n  c: 1\n", Remove(path=("a", 0, "b")), "a:\n- \n  # why\n  c: 1\n"),
        ("a: |+\n  x\n\nb: 1\n", Set(path=("a",), value="why"), "a: why\nb: 1\n"),
        ("b: 1\na: |+\n  x\n\n", Set(path=("c",), value="why"), "b: 1\na: |+\n  x\n\nc: why\n"),
        ("a: >-\n  x\n  y\n", Set(path=("b",), value=1), "a: >-\n  x\n  y\nb: 1\n"),
        ("a: b\n", Set(path=("a",), value={}), "a: {}\n"),
        ("a:\n  b: 1\nc: 2\n", Set(path=("a",), value={"d": 1}), "a:\n  d: 1\nc: 2\n"),
        ("a:\n", Set(path=("a",), value="x"), "a: x\n"),
    ],
)  # fmt: skip
def test_other_layouts(text: str, edit: Edit, after: str) -> None:
    """Empty files, flow style, other indentation, other line ends, anchors and block scalars."""
    assert edit_text(text, [edit]) == after


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("x: &x {a: 1}\ny: *x\n", Set(path=("x", "a"), value=2)),
        ("x: &x {a: 1}\ny: *x\n", Set(path=("y", "a"), value=2)),
        ("x: &x {a: 1}\ny: {<<: *x, b: 1}\n", Remove(path=("y", "a"))),
        ("x: &x {a: 1}\ny: *x\n", Remove(path=("x",))),
        ("a: 1\n", Set(path=("a", "b"), value=2)),
        ("a: [1]\n", Set(path=("a", 3), value=2)),
        ("a: {}\n", Set(path=("a", 0), value=2)),
        ("a: [1]\n", Append(path=("a", "b"), value=2)),
    ],
)
def test_edits_with_other_effects_are_refused(text: str, edit: Edit) -> None:
    """A shared value or a path that does not exist is an error with a hint, and the text is not changed."""
    with pytest.raises(InvalidConfig) as caught:
        edit_text(text, [edit], shown="endpoints.yaml")
    assert caught.value.problem.code == "cannot-edit"
    assert "endpoints.yaml" in caught.value.problem.summary
    assert caught.value.problem.hint


def test_a_broken_file_cannot_be_edited() -> None:
    """Its errors are reported."""
    with pytest.raises(InvalidConfig) as caught:
        edit_text("a: [", [Set(path=("a",), value=1)], shown="endpoints.yaml")
    assert caught.value.problem.place is not None


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("", "specs:\n  # why\n  - name: b\n"),
        ("{}\n", "specs:\n  # why\n  - name: b\n"),
        ("a: 1\n", "a: 1\nspecs:\n  # why\n  - name: b\n"),
        ("specs: []\n", "specs:\n  # why\n  - name: b\n"),
        ("specs:\n- name: a\n", "specs:\n- name: a\n# why\n- name: b\n"),
        ("specs:\n  - name: a\n", "specs:\n  - name: a\n  # why\n  - name: b\n"),
        ("specs: [{name: a}]\n", "specs: [{name: a}, {name: b}]\n"),
    ],
)
def test_a_new_item_may_have_a_comment(text: str, after: str) -> None:
    """It is on the line above; in flow style there is no comment."""
    edit = Append(path=("specs",), value={"name": "b"}, comment="why")
    assert edit_text(text, [edit]) == after


def test_json_stays_json() -> None:
    """Two spaces of indentation, and unescaped letters."""
    text = json.dumps({"endpoints": [{"endpoint": "ä"}]}, indent=2, ensure_ascii=False) + "\n"
    after = edit_text(text, [Set(path=("endpoints", 0, "port"), value=80)], json=True)
    assert after == text.replace('"ä"', '"ä",\n      "port": 80')


JSON = {"endpoints": [{"endpoint": "ä", "env": {"A": "1"}, "storage": [], "replicas": 1}], "defaults": {}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(JSON, ensure_ascii=False, indent=2) + "\n",
        json.dumps(JSON, ensure_ascii=False, indent=4),
        json.dumps(JSON, ensure_ascii=False, indent="\t") + "\n",
        json.dumps(JSON, ensure_ascii=False, indent=4).replace("\n", "\r\n"),
        json.dumps(JSON, ensure_ascii=False),
        json.dumps(JSON, ensure_ascii=False, separators=(",", ":")),
        '\ufeff{ "endpoints": [\n  { "endpoint": "ä", "env": { "A": "1" }, "storage": [ ], '
        '"replicas" : 1 }\n], "defaults": { } }\n',
    ],
    ids=["two", "four", "tabs", "dos", "line", "tight", "own"],
)
def test_json_keeps_its_layout(text: str) -> None:
    """Only the edited values change, in any layout."""
    after = edit_text(text, [Set(path=(*A, "replicas"), value=3)], json=True)
    assert after == text[::-1].replace("1", "3", 1)[::-1]
    after = edit_text(text, [Set(path=(*A, "image"), value="x:1"), Remove(path=(*A, "env", "A"))], json=True)
    meant = json.loads(text.removeprefix("\ufeff"))
    del meant["endpoints"][0]["env"]
    meant["endpoints"][0]["image"] = "x:1"
    assert json.loads(after.removeprefix("\ufeff")) == meant
    assert after.replace("\r\n", "").count("\n") == (0 if "\r" in text else after.count("\n"))
    kept = [line for line in text.split("\n") if "storage" in line and "env" not in line]
    assert [line for line in after.split("\n") if line in kept] == kept


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda spot: [Set(path=(*spot, "x", "y"), value=1), Set(path=(*spot, "z"), value=2)],
        lambda spot: [Remove(path=spot)],
        lambda spot: [Remove(path=(*spot, "nothing"))],
    ],
    ids=["set", "remove", "nothing"],
)
def test_a_file_is_parsed_a_few_times_for_many_edits(
    monkeypatch: pytest.MonkeyPatch, make: Any, as_json: bool
) -> None:
    looks = []
    parse_tree = editor.parse_tree
    monkeypatch.setattr(editor, "parse_tree", lambda *given: looks.append(1) or parse_tree(*given))
    data = {"endpoints": [{"endpoint": f"e{number}", "image": "x:1"} for number in range(50)]}
    text = json.dumps(data, indent=2) if as_json else to_block(data) + "\n"
    edits = [edit for number in reversed(range(50)) for edit in make(("endpoints", number))]
    assert parse(edit_text(text, edits, json=as_json), "").data == apply_edits(data, edits)
    assert len(looks) <= 4


def test_a_rewritten_json_file_escapes_what_yaml_refuses() -> None:
    """A map in a list has no form that fits in place, so that the file is written anew."""
    edits = [Set(path=("a", 0), value={"A": ""}), Set(path=("a", 0), value="\x7f")]
    assert edit_text('{"a": [{"A": ""}]}', edits, json=True) == '{"a": ["\\u007f"]}'


def test_values_in_place_are_replaced_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many values of an item are replaced, the text is parsed once for the positions."""
    looks = []
    parse_tree = editor.parse_tree
    monkeypatch.setattr(editor, "parse_tree", lambda *given: looks.append(1) or parse_tree(*given))
    data = {
        "endpoints": [
            {"endpoint": f"e{number}", "image": "x:1", "env": {"A": "1"}, "min": 0} for number in range(9)
        ]
    }
    edits = [
        Set(path=("endpoints", number, *path), value=value)
        for number in reversed(range(9))
        for path, value in ((("min",), 2), (("image",), "y: z"), (("env", "A"), "2"))
    ]
    after = edit_text(to_block(data) + "\n", edits)
    assert after == to_block(apply_edits(data, edits)) + "\n"
    assert len(looks) == 1


def test_an_edit_of_a_large_file_takes_little_memory() -> None:
    """The tree of a file is many times its size; only the edited items are kept of it."""
    data = {
        "endpoints": [
            {"endpoint": f"e{number}", "env": {f"K{key}": "v" for key in range(20)}} for number in range(1500)
        ]
    }
    text = to_block(data) + "\n"
    tracemalloc.start()
    try:
        edit_text(text, [Set(path=("endpoints", 700, "env", "K7"), value="w")])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30 * len(text)
