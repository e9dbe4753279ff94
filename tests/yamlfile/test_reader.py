"""Reading YAML: data and positions, or explained errors."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.loader import sort_problems
from reconciler.yamlfile.document import MAX_LINE_WIDTH
from reconciler.yamlfile.nodes import Node
from reconciler.yamlfile.parser import compose
from reconciler.yamlfile.reader import gc_paused, parse, read
from tests.config.support import codes, problem_lines

BOTH = pytest.mark.parametrize("pure", [False, True], ids=["libyaml", "pure"])

BROKEN = [
    ("a: [1", "1:4", "this bracket is not closed, or a comma is missing in it", "check the brackets"),
    ("{a: 1 b: 2}", "1:1", "this bracket is not closed, or a comma is missing in it", "check the brackets"),
    ('a: "x', "1:4", "the quote that opens here is never closed", "close it"),
    ("a: 'x\nb: 1\n", "1:4", "the quote that opens here is never closed", "close it"),
    ("a: b: c", "1:5", "a `:` is not allowed here", 'quote a value that contains ": "'),
    ("a: 1\n b: 2", "2:3", "a `:` is not allowed here", "check the indentation"),
    (
        "a:\n  b: 1\n c: 2",
        "3:2",
        "the indentation of this line matches no line above",
        "align it",
    ),
    ("- a\nb: 1", "2:1", "this line is not an item of the list above", "start it with `- `"),
    ("a:\n\tb: 1", "2:1", "a tab indents this line", "indent with spaces"),
    ("a: @x", "1:4", "a value cannot start with `@`", "put double quotes around the value"),
    ("a: %x", "1:4", "a value cannot start with `%`", "put double quotes around the value"),
    ("a: *foo", "1:4", "this alias has no anchor above it", "quote the value if it is text"),
    ("a: *", "1:4", "a value that starts with `*` or `&` must be quoted", "put double quotes"),
    ("a: &x 1\nb: &x 2", "2:4", "this anchor is used twice", "a name of its own"),
    ("a: 1\n---\nb: 2", "2:1", "a second document starts here", "keep one document in a file"),
    ('a: "\\q"', "1:4", "double quotes do not have this escape", "use single quotes"),
    ('a: "\\x4"', "1:4", "this escape is not a character", "four hexadecimal digits"),
    ("a: |x", "1:5", "this is not allowed after `|` or `>`", "start the text on the next line"),
    ("a: - b", "1:4", "a `-` is not allowed here", "on its own line"),
    ("a: ? b", "1:4", "a `?` is not allowed here", "quote the value"),
    ("a: !f!x 1", "1:4", "a value that starts with `!` or `%` must be quoted", "put double quotes"),
    ("a: }", "1:4", "this is not valid YAML", "check the indentation"),
    (
        "a: 1\nb\nc: 1",
        "3:1",
        "this line is neither `key: value` nor the end of the value above",
        "write a `:`",
    ),
    ("a: \x01", "1:4", "there is the control character U+0001 here, which YAML does not allow", "remove it"),
    (
        "a: 1\nb: \0",
        "2:4",
        "there is the control character U+0000 here, which YAML does not allow",
        "remove it",
    ),
]


@BOTH
@pytest.mark.parametrize(("text", "at", "summary", "hint"), BROKEN, ids=[case[0][:12] for case in BROKEN])
def test_broken_yaml_is_explained(text: str, at: str, summary: str, hint: str, pure: bool) -> None:
    """Each kind of syntax error is explained, at the place of its cause."""
    (problem,) = parse(text, "f.yaml", pure=pure).problems
    assert str(problem.place) == f"f.yaml:{at}"
    assert problem.summary.startswith(summary)
    assert hint in problem.hint


@BOTH
@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", None),
        ("# nothing\n", None),
        ("a: 1\nb: [x, 'y', \"z\"]\n", {"a": 1, "b": ["x", "y", "z"]}),
        ("a: 1\r\nb: 2\r\n", {"a": 1, "b": 2}),
        ("base: &b {x: 1, y: 2}\nc: {<<: *b, y: 3}\n", {"base": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}}),
        (
            "l: [&p {x: 1}, &q {x: 2, z: 3}]\nc: {<<: [*p, *q]}\n",
            {"l": [{"x": 1}, {"x": 2, "z": 3}], "c": {"x": 1, "z": 3}},
        ),
        ("<<: [{x: 1}, {x: 2, z: 3}, {w: 4}]\nx: 0\n", {"x": 0, "z": 3, "w": 4}),
        ("a: &x [1]\nb: *x\n", {"a": [1], "b": [1]}),
        ("a: '<<'\n'<<': 1\n", {"a": "<<", "<<": 1}),
        ("a: &a {x: 1}\nb: {'<<': 0}\nc: {<<: *a}\n", {"a": {"x": 1}, "b": {"<<": 0}, "c": {"x": 1}}),
        (
            "a: !!str 1.10\nb: !!int 3\nc: !!map {x: 1}\nd: !!seq [1]\n",
            {"a": "1.10", "b": 3, "c": {"x": 1}, "d": [1]},
        ),
        ('!!str yes: 1\n"on": 2\n', {"yes": 1, "on": 2}),
        ("a: !!float .inf\n", {"a": ".inf"}),
        ('"a\\tb": "\\u0041"', {"a\tb": "A"}),
    ],
)
def test_good_yaml_is_read(text: str, data: object, pure: bool) -> None:
    """Common YAML is read into plain data, with libyaml and without."""
    document = parse(text, "f.yaml", pure=pure)
    assert document.problems == ()
    assert document.data == data


def test_json_with_tabs_and_surrogate_pairs() -> None:
    r"""JSON is valid input, indented by tabs and with escaped surrogate pairs."""
    document = parse('{\n\t"a": "\\ud83d\\ude00 \\\\ud83d",\n\t"b": [1e3, -2.5, true, null]\n}', "f.json")
    assert document.problems == ()
    assert document.data == {"a": "😀 \\ud83d", "b": [1000, -2.5, True, None]}


@BOTH
def test_a_lone_surrogate_is_refused(pure: bool) -> None:
    """It cannot be encoded in UTF-8."""
    document = parse('a: "\\ud83d"', "f.yaml", pure=pure)
    assert document.data is None
    assert str(document.problems[0].place) == "f.yaml:1:4"


def test_an_impossible_escape_is_refused_without_libyaml() -> None:
    """An escape beyond Unicode is a problem, not a crash."""
    assert codes(parse('a: "\\UFFFFFFFF"', "f.yaml", pure=True).problems) == ["not-text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2\n", "f.yaml:2:1 duplicate-key | keep one of the two; the first is at f.yaml:1:1"),
        (
            "x: {a: 1, b: 2, 'a': 3}",
            "f.yaml:1:17 duplicate-key | keep one of the two; the first is at f.yaml:1:5",
        ),
        ("on: 1", 'f.yaml:1:1 non-string-key | write "on"'),
        ("8000: 1", 'f.yaml:1:1 non-string-key | write "8000"'),
        ("~: 1", 'f.yaml:1:1 non-string-key | write "~"'),
        ("? \n: 1", 'f.yaml:1:2 non-string-key | write ""'),
        ("0123: 1", 'f.yaml:1:1 non-string-key | write "0123"'),
        ("? [a]\n: 1", "f.yaml:1:3 non-string-key | write `key: value`"),
        ("? [{b: 1, b: 2}, c]\n: 1", "f.yaml:1:3 non-string-key | write `key: value`"),
        ("<<: [1, {}]", "f.yaml:1:6 invalid-yaml | write `<<: *name`, where `&name` marks a mapping"),
        ("a: !foo 1", "f.yaml:1:4 unknown-tag | remove the tag; quote the value"),
        ("a: !foo {x: 1}", "f.yaml:1:4 unknown-tag | remove the tag; quote the value"),
        ("!foo a: 1", "f.yaml:1:1 unknown-tag | remove the tag; quote the value"),
        ("a: !!python/object:os.system x", "f.yaml:1:4 unknown-tag | remove the tag; quote the value"),
        ("<<: 1", "f.yaml:1:5 invalid-yaml | write `<<: *name`, where `&name` marks a mapping"),
        (
            "a: &a [*a]",
            "f.yaml:1:4 alias-loop | remove the `*alias` inside of its own `&anchor`",
        ),
        ("a: &a\n  <<: *a\n", "f.yaml:1:4 alias-loop | remove the `*alias` inside of its own `&anchor`"),
    ],
)
def test_problems_of_the_syntax(text: str, expected: str) -> None:
    """Duplicate keys, keys that are not text, tags and endless aliases are problems with a place."""
    assert problem_lines(parse(text, "f.yaml").problems) == [expected]


def test_an_alias_bomb_is_not_expanded() -> None:
    """A few lines that expand to billions of values are refused at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    document = parse("\n".join(lines), "f.yaml")
    assert document.data is None
    assert codes(document.problems) == ["alias-bomb"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[" * 120 + "]" * 120,
        "- " * 200_000 + "x",
        "a:\n" + "\n".join(" " * n + "a:" for n in range(1, 150)),
        "a:\n" + "\n".join(" " * n + "a:" for n in range(1, 2200)),
    ],
    ids=["brackets", "closed", "dashes", "indented", "deeply-indented"],
)
def test_deep_nesting_is_a_problem(text: str) -> None:
    """No file can exhaust the stack of Python or of libyaml."""
    assert "too-deep" in codes(parse(text, "f.yaml").problems)


@pytest.mark.parametrize(
    ("raw", "code", "at"),
    [
        (b"a: caf\xe9\n", "not-text", "1:7"),
        (b"a: 1\nb: \xff\n", "not-text", "2:4"),
        (b"\xff\xfea\0:\0 \0\x00\xd8", "not-text", "1:4"),
    ],
)
def test_bytes_that_are_not_text(tmp_path: Path, raw: bytes, code: str, at: str) -> None:
    """The first invalid byte is reported with its place."""
    (tmp_path / "f.yaml").write_bytes(raw)
    (problem,) = read(tmp_path / "f.yaml", "f.yaml").problems
    assert (problem.code, str(problem.place)) == (code, f"f.yaml:{at}")
    assert problem.hint == "save the file as UTF-8"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    """Columns do not count them."""
    (tmp_path / "f.yaml").write_text("näme: 1\n", encoding=encoding)
    document = read(tmp_path / "f.yaml", "f.yaml")
    assert document.data == {"näme": 1}
    assert str(document.place(("näme",))) == "f.yaml:1:7"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file, a directory, a pipe, an invalid name and a huge file have different problems."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "huge").write_bytes(b" " * (33 * 2**20))
    paths = {
        "nope": "file-not-found",
        ".": "unreadable-file",
        "pipe": "unreadable-file",
        "huge": "unreadable-file",
    }
    for name, code in {**paths, "a\0b": "unreadable-file", "x" * 5000: "unreadable-file"}.items():
        assert codes(read(tmp_path / name, "f.yaml").problems) == [code]


def test_positions_of_values_and_keys() -> None:
    """A path leads to a value or its key, through lists, quotes and merges."""
    document = parse("b: &b {deep: 1}\nl: [x, {y: é, 'z': 2}]\nm: {<<: *b, k: 1}\n", "f.yaml")
    assert str(document.place()) == "f.yaml:1:1"
    assert str(document.place(("l", 1, "z"))) == "f.yaml:2:20"
    assert str(document.place(("l", "1", "z"), key=True)) == "f.yaml:2:15"
    assert str(document.place(("m", "deep"))) == "f.yaml:1:14"
    for path in (("x",), ("l", 9), ("l", "x"), ("l", 0, "x"), ("b", "deep", "deeper")):
        assert document.place(path) is None
        assert document.place(path, key=True) is None
    assert parse("", "f.yaml").place() is None
    assert parse("", "f.yaml").node(()) is None


def test_an_excerpt_never_shows_an_api_key() -> None:
    """No line of an API key is shown, however it is written."""
    text = """\
novita:
  api_key: sk-secret-1 # comment
  other: 1
  "api_key": |
    sk-secret-2

    sk-secret-3
  OPENAI_API_KEY:
    sk-secret-4
  flow: {api-key: 'sk-secret-5
    sk-secret-6', b: 1}
  ? apiKey
  : sk-secret-7
  last: 1
"""
    source = parse(text, "f.yaml").source
    shown = [source.place_at(line, 0).text for line in range(len(source.lines))]
    assert not [line for line in shown if "secret-" in line]
    assert shown[1] == "  api_key: (sensitive value)"
    assert shown[2] == "  other: 1"
    assert shown[-2] == "  last: 1"
    assert parse('{"api_key":\n"sk",\n"b": 1}', "f").source.place_at(1, 0).text == "(sensitive value)"


def test_an_excerpt_is_cut_and_cleaned() -> None:
    """Long lines are cut, and control characters are replaced."""
    source = parse("a: " + "x" * 5000 + "\nb: \x1b[31m\tx\n", "f.yaml").source
    assert source.place_at(0, 0).text == "a: " + "x" * (MAX_LINE_WIDTH - 3) + "…"
    assert source.place_at(0, MAX_LINE_WIDTH + 40).text.startswith("a: ")
    assert source.place_at(0, 4000).text == ""
    assert source.place_at(1, 0).text == "b: �[31m\tx"
    assert source.place_at(9, 0).text == ""
    assert source.place_at(2, 7).text == ""


def test_a_value_of_one_line_is_underlined() -> None:
    """The width of a place is that of the value; of a block it is 1."""
    document = parse("a: hello\nb: |\n  x\n  y\n", "f.yaml")
    places = [document.place((name,)) for name in "ab"]
    assert [place and place.width for place in places] == [5, 1]


def test_garbage_collection_is_restored() -> None:
    """Reading leaves garbage collection as it was."""
    import gc

    with gc_paused(), gc_paused():
        assert not gc.isenabled()
    assert gc.isenabled()


# `1e3` is a number in JSON, and so to us; PyYAML's YAML 1.1 takes it for text and writes it without quotes.
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8).filter(
    lambda text: not re.fullmatch(r"[-+]?[0-9]+[eE][-+]?[0-9]+", text)
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**9), 10**9), TEXTS)
TREES = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.text("abc_", min_size=1, max_size=4), below, max_size=3)
    ),
    max_leaves=8,
)


@given(TREES)
def test_what_pyyaml_writes_is_read_back(data: object) -> None:
    """Values that PyYAML writes are read back unchanged."""
    text = yaml.safe_dump(data)
    for pure in (False, True):
        document = parse(text, "f.yaml", pure=pure)
        assert document.problems == ()
        assert document.data == data


LISTS = """\
defaults: {env: {A: "1"}}
endpoints:
  - endpoint: one
    env: {B: 010, C: [x, [y, {z: 1}]]}
    storage: [{type: local}, {type: network}]
  - just text
  - [nested, [list]]
  - endpoint: two
    endpoint: twice
  - !odd tagged
? [a, b]
: [c, d]
removed:
- {endpoint: three, on: no}
- {}
"""


@BOTH
@pytest.mark.parametrize(
    "text", [LISTS, "- a: [1, 2]\n- [{b: 1}, {c: 2}]\n- 3\n", "a: []\nb: [1]\n", "[[1], 2]"]
)
def test_reading_by_item_equals_reading_the_whole(text: str, pure: bool) -> None:
    """A text with an alias is read as a whole; this one has an alias in a comment."""
    by_item, whole = parse(text, "f", pure=pure), parse(text + "# &a *a\n", "f", pure=pure)
    assert by_item.data == whole.data is not None
    assert sort_problems(by_item.problems) == sort_problems(whole.problems)
    assert by_item.ambiguous == whole.ambiguous
    if text == LISTS:
        assert codes(sort_problems(by_item.problems)) == [
            "duplicate-key",
            "unknown-tag",
            "non-string-key",
            "non-string-key",
        ]
        assert [str(problem.place) for _, problem in by_item.ambiguous] == ["f:4:14"]


def test_the_tree_is_parsed_only_for_places() -> None:
    document = parse("endpoints:\n  - endpoint: one\n  - endpoint: two\n    env: {A: x, B: 010}\n", "f")
    assert document.ambiguous
    assert "root" not in vars(document.source)
    assert str(document.place(("endpoints", 1, "endpoint"))) == "f:3:15"
    assert "root" in vars(document.source)


@BOTH
@pytest.mark.parametrize(
    "text", ["<<: [{a: 1}, {b: 2}]\n", "? [{a: 1}, {b: 2}]\n: 1\n", "- [1, 2]\n- [3, 4]\n"]
)
def test_other_values_stay_in_the_tree(text: str, pure: bool) -> None:
    assert compose(text, lambda node: pytest.fail(f"given away: {node}"), pure=pure) is not None


@BOTH
def test_items_are_handed_out_while_parsing(pure: bool) -> None:
    """All items of a list except the last are replaced when the next one is parsed."""
    seen: list[tuple[str, str, int]] = []

    def each(node: Node, key: str, index: int) -> str:
        seen.append((node.value[0][1].value, key, index))
        return "done"

    root = compose(
        "a:\n" + "- {n: x}\n- {n: y}\n- {n: z}\n" + "b: {c: [{n: deep}, {n: deeper}]}\n", each, pure=pure
    )
    assert root is not None
    assert seen == [("x", "a", 0), ("y", "a", 1)]
    assert root.value[0][1].value[:2] == ["done", "done"]
