"""`matrix` on an item: one endpoint for each combination, and its mistakes with their places."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.loader import load
from reconciler.config.matrix.expansion import MAX_COMBINATIONS, Expansion
from reconciler.model.problem import Problem
from reconciler.model.secrets import reveal
from reconciler.yamlfile.reader import parse

from .support import SPECS, loaded, problem_lines, write

ITEM = """\
endpoints:
  - endpoint: "{model}-{region}"
    specName: one
    image: "acme/${matrix.model}:1"
    matrix:
      region: [us, eu]
      model: [llama, qwen]
"""


def fields_of(tmp_path: Path, text: str, **options: Any) -> dict[str, Any]:
    """Return the fields of each endpoint of a file without problems."""
    found = loaded(tmp_path, {"endpoints.yaml": text}, **options)
    assert problem_lines(found.problems) == []
    return {desired.name: reveal(desired.fields) for desired in found.desired}


def matrix(*lines: str, name: str = '"{a}"', more: str = "") -> str:
    """Return a file with one item whose matrix has these lines."""
    head = f"endpoints:\n  - endpoint: {name}\n    specName: one\n    image: x:1\n{more}    matrix:\n"
    return head + "".join(f"      {line}\n" for line in lines)


def test_each_combination_is_an_endpoint(tmp_path: Path) -> None:
    """In the order of the keys and their values, at the place of the item."""
    found = loaded(tmp_path, {"endpoints.yaml": ITEM})
    assert [desired.name for desired in found.desired] == ["llama-us", "qwen-us", "llama-eu", "qwen-eu"]
    assert [desired.fields["image"]["image"] for desired in found.desired[:2]] == [
        "acme/llama:1",
        "acme/qwen:1",
    ]
    assert {str(desired.place) for desired in found.desired} == {"endpoints.yaml:2:15"}


def test_combinations_can_be_excluded(tmp_path: Path) -> None:
    """By all values of an entry, which may name only some keys, and by fields of a mapping."""
    text = ITEM + "      exclude: [{region: us, model: llama}, {model: qwen}]\n"
    assert list(fields_of(tmp_path, text)) == ["llama-eu"]
    text = matrix(
        "a: [{name: x, kind: k}, {name: y, kind: k}, {name: z, kind: l}]",
        "exclude:",
        "- a: {kind: k}",
        name='"{a.name}"',
    )
    assert list(fields_of(tmp_path, text)) == ["z"]


def test_values_keep_their_type_and_their_spelling(tmp_path: Path) -> None:
    """A whole field keeps the type; in text, a number stands as it was written."""
    more = """\
    appName: app
    maxReplicas: "${matrix.a}"
    lifecycle: {preventDestroy: "${matrix.b}", ignoreChanges: ["env.${matrix.c}"]}
    command: run ${matrix.d} $${matrix.a} ${matrix.a}
    env: {A: "${matrix.a}", B: "${matrix.d}", "C": "${matrix.c}"}
"""
    lines = ("a: [0x10]", "b: [true]", "c: [C]", "d: [12.10]")
    text = matrix(*lines, name='"x-{a}-{d}-${matrix.c}"', more=more)
    ((name, fields),) = fields_of(tmp_path, text).items()
    assert name == "x-0x10-12.10-C"
    assert fields["workerConfig"]["maxNum"] == 16
    assert fields["image"]["command"] == "run 12.10 ${matrix.a} 0x10"
    assert fields["envs"] == {"A": "0x10", "B": "12.10", "C": "C"}
    (desired,) = loaded(tmp_path, {"endpoints.yaml": text}).desired
    assert desired.lifecycle.prevent_destroy


def test_mappings_hold_values_that_belong_together(tmp_path: Path) -> None:
    """Also the spec and references."""
    more = '    env: {T: "${matrix.a.token}", U: "${env:U_${matrix.a.name}:-none}"}\n'
    values = 'a: [{name: big, spec: one, token: "${env:BIG}"}, {name: tiny, spec: two, token: "x"}]'
    text = matrix(values, name='"{a.name}"', more=more)
    text = text.replace("specName: one", 'specName: "${matrix.a.spec}"')
    specs = SPECS + SPECS.partition("specs:\n")[2].replace("name: one", "name: two").replace("-3", "-9")
    found = loaded(
        tmp_path, {"endpoints.yaml": text, "specs.yaml": specs}, environ={"BIG": "secret", "U_tiny": "set"}
    )
    assert problem_lines(found.problems) == []
    assert [reveal(desired.fields["envs"]) for desired in found.desired] == [
        {"T": "secret", "U": "none"},
        {"T": "x", "U": "set"},
    ]
    assert [desired.fields["products"][0]["id"] for desired in found.desired] == [
        "SL-serverless-3",
        "SL-serverless-9",
    ]
    assert str(found.desired[0].fields["envs"]["T"]) == "(sensitive value)"


def test_a_later_file_changes_one_combination(tmp_path: Path) -> None:
    """Defaults are below, overlays above, also with a matrix of their own."""
    base = 'defaults: {port: 9000, env: {A: "1"}}\n' + ITEM
    prod = """\
endpoints:
  - {endpoint: qwen-us, maxReplicas: 4}
  - {endpoint: "{m}-eu", matrix: {m: [llama, qwen]}, port: 1}
"""
    found = loaded(tmp_path, {"base.yaml": base, "prod.yaml": prod}, named=("base.yaml", "prod.yaml"))
    assert problem_lines(found.problems) == []
    assert {
        desired.name: (desired.fields["ports"][0]["port"], desired.fields["workerConfig"]["maxNum"])
        for desired in found.desired
    } == {"llama-us": (9000, 1), "qwen-us": (9000, 4), "llama-eu": (1, 1), "qwen-eu": (1, 1)}


def test_renames_and_app_names_follow_the_matrix(tmp_path: Path) -> None:
    more = '    appName: "app-{a}"\n    renamedFrom: "old-{a}"\n'
    found = loaded(tmp_path, {"endpoints.yaml": matrix("a: [x, y]", more=more)})
    assert [(one.name, one.app_name, one.renamed_from) for one in found.desired] == [
        ("x", "app-x", "old-x"),
        ("y", "app-y", "old-y"),
    ]


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["a: []"], "6:10 wrong-type | write for example `a: [one, two]`"),
        (["a: one"], "6:10 wrong-type | write for example `a: [one, two]`"),
        (["a: [null]"], "6:11 wrong-type | it is nothing; write text"),
        (["a: [[x]]"], "6:11 wrong-type | it is a list; write text"),
        (["a: [{}]"], "6:11 wrong-type | it is a mapping; write text"),
        (["a: [{b: [x]}]"], "6:11 wrong-type | it is a mapping; write text"),
        (["a: [x, x]"], "6:14 duplicate-value | remove one of the two"),
        (["a: [x]", "b c: [y]"], "7:7 unknown-key | use letters, digits, `_` and `-`"),
        (["a: [x]", "include: [{a: y}]"], "7:7 unknown-key | add another item to `endpoints`"),
        (["a: [x]", "b: [y]"], "7:7 unused-key | write `{b}` in `endpoint`, or remove `b` from `matrix`"),
        (["a: [{b: x}]"], "2:15 unknown-matrix-name | did you mean `a.b`?"),
        (["a: [x]", "exclude: a"], "7:16 wrong-type | write for example `exclude: [{a: ...}]`"),
        (["a: [x]", "exclude: [{}]"], "7:16 wrong-type | write for example `exclude: [{a: ...}]`"),
        (["a: [x]", "exclude: [{A: x}]"], "7:18 unknown-key | did you mean `a`?"),
        (["a: [x]", "exclude: [{zz: x}]"], "7:18 unknown-key | known keys: a"),
        (["a: [x]", "exclude: [{a: y}]"], "7:21 excludes-nothing | correct the value, or remove this entry"),
        (
            ["a: ['1']", "exclude: [{a: 1}]"],
            "7:21 excludes-nothing | correct the value, or remove this entry",
        ),
        (
            ["a: [x]", "exclude: [{a: x}]"],
            "7:16 empty-matrix | remove some of its entries, or remove this item",
        ),
        (
            ["exclude: []"],
            "6:7 wrong-type | write for example `matrix: {region: [us, eu], model: [llama, qwen]}`",
        ),
    ],
)
def test_a_mistake_in_a_matrix_is_one_problem(tmp_path: Path, lines: list[str], problem: str) -> None:
    """Each has its place and a hint, and the item gives no endpoint."""
    found = loaded(tmp_path, {"endpoints.yaml": matrix(*lines)})
    assert problem_lines(found.problems) == [f"endpoints.yaml:{problem}"]
    assert found.desired == ()


@pytest.mark.parametrize("text", ["[a]", "null", "{}", "text"])
def test_a_matrix_is_a_mapping(tmp_path: Path, text: str) -> None:
    found = loaded(
        tmp_path,
        {"endpoints.yaml": f"endpoints: [{{endpoint: a, specName: one, image: 'x:1', matrix: {text}}}]"},
    )
    assert [problem.code for problem in found.problems] == ["wrong-type"]


def test_mistakes_in_the_item_are_reported_once(tmp_path: Path) -> None:
    """Not once for each combination; a mistake of one combination names it."""
    text = ITEM.replace("image:", "imagee: x\n    image:")
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert (problem.code, problem.address, problem.detail) == ("unknown-key", None, "")
    text = (
        ITEM.replace("specName: one", 'port: "${matrix.port}"\n    specName: one')
        + "      port: [80, 99999]\n"
    )
    text = (
        text.replace("{region}", "{region}-{port}")
        .replace("[us, eu]", "[us]")
        .replace("[llama, qwen]", "[llama]")
    )
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert (problem.code, str(problem.place)) == ("out-of-range", "endpoints.yaml:3:11")
    assert problem.address == "novita_endpoint.llama-us-99999"
    assert problem.detail == "The combination of `matrix` is region=us, model=llama, port=99999."


def test_a_name_that_cannot_be_an_app_name_has_a_way_out(tmp_path: Path) -> None:
    """A literal `appName` would be that of all combinations."""
    (problem,) = loaded(tmp_path, {"endpoints.yaml": matrix("a: [x.1]")}).problems
    assert problem.hint.startswith("add an `appName` for all combinations, of values that suit")
    more = '    appName: "{a.id}"\n'
    text = matrix("a: [{name: x.1, id: x-1}, {name: x.2, id: x-2}]", name='"{a.name}"', more=more)
    found = loaded(tmp_path, {"endpoints.yaml": text})
    assert [(one.name, one.app_name) for one in found.desired] == [("x.1", "x-1"), ("x.2", "x-2")]


def test_an_unknown_name_is_found_in_any_text(tmp_path: Path) -> None:
    text = ITEM.replace("acme/${matrix.model}:1", "acme/${matrix.modell}:${matrix.model.x}-${matrix.zzz}")
    assert problem_lines(loaded(tmp_path, {"endpoints.yaml": text}).problems) == [
        "endpoints.yaml:4:18 unknown-matrix-name | did you mean `model`?",
        "endpoints.yaml:4:35 unknown-matrix-name | did you mean `model`?",
        "endpoints.yaml:4:53 unknown-matrix-name | known names: region, model",
    ]


def test_a_combination_shows_its_values_as_written(tmp_path: Path) -> None:
    """They look as in the names that they make: `no` and `1.10`, not False and 1.1."""
    text = ITEM.replace('"{model}-{region}"', '"{model}"').replace("[us, eu]", "[no, 1.10]")
    text = text.replace('image: "acme/', 'image: "acme/${matrix.region}')
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert problem.detail == "They are region=no, model=llama   and   region=1.10, model=llama."


def test_names_must_differ(tmp_path: Path) -> None:
    """Between combinations, and from other items."""
    text = ITEM.replace('"{model}-{region}"', '"{model}"').replace(
        'image: "acme/', 'image: "acme/${matrix.region}'
    )
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert problem.detail == "They are region=us, model=llama   and   region=eu, model=llama."
    assert problem.code == "duplicate-endpoint"
    text = ITEM + "  - {endpoint: qwen-eu, specName: one, image: 'x:1'}\n"
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert (problem.code, str(problem.place)) == ("duplicate-endpoint", "endpoints.yaml:8:16")


def test_the_number_of_combinations_is_limited(tmp_path: Path) -> None:
    """Before any of them is made."""
    values = ", ".join(map(str, range(101)))
    text = matrix(f"a: [{values}]", f"b: [{values}]", "c: [1, 2, 3]", name='"{a}-{b}-{c}"')
    (problem,) = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert f"{101 * 101 * 3:,} combinations, and at most {MAX_COMBINATIONS:,}" in problem.summary


@pytest.mark.parametrize(
    "text",
    [
        matrix(f"a: [{', '.join(map(str, range(9_999)))}]", more=f"    command: {'${matrix.a}' * 999}\n"),
        matrix(f"a: [{'y' * 60_000}]", more="    command: " + "${matrix.a}" * 9_999 + "\n"),
        matrix(f"a: [{', '.join(map(str, range(9_999)))}]", more=f"    env: {{A: [{'1, ' * 9_999}]}}\n"),
        matrix(f"a: [{', '.join(map(str, range(99_999)))}]"),
        matrix(f"a: [1.{'0' * 60_000}]", more="    command: " + "${matrix.a}" * 9_999 + "\n"),
        matrix("a: [x]", f"exclude: [{'{a: y}, ' * 9_999}]"),
    ],
    ids=["many texts", "a long value", "many values", "a long list", "a long number", "many exclusions"],
)
def test_an_expansion_does_not_exhaust_the_memory(tmp_path: Path, text: str) -> None:
    """A small file could give endpoints without end."""
    began = process_time()
    found = loaded(tmp_path, {"endpoints.yaml": text})
    assert process_time() - began < 5
    assert "too-many-combinations" in {problem.code for problem in found.problems}


@pytest.mark.parametrize("where", ["defaults: {matrix: {a: [x]}}\n", ""])
def test_only_an_item_can_have_a_matrix(tmp_path: Path, where: str) -> None:
    """Neither defaults; nor is a reference to it known without one."""
    text = where + "endpoints: [{endpoint: a, specName: one, image: 'x:${matrix.a}'}]"
    found = loaded(tmp_path, {"endpoints.yaml": text}).problems
    assert "add `matrix` to this item" in " ".join(problem.hint for problem in found)
    assert ("cannot be a default" in " ".join(problem.summary for problem in found)) == bool(where)


def test_an_item_without_a_name_is_one_problem(tmp_path: Path) -> None:
    found = loaded(tmp_path, {"endpoints.yaml": ITEM.replace("endpoint:", "endpiont:")}).problems
    assert [problem.code for problem in found if problem.code != "bad-reference"] == ["missing-key"]


def test_json_files_can_have_one(tmp_path: Path) -> None:
    item = {"endpoint": "{a}", "specName": "one", "image": "x:${matrix.b}"}
    text = json.dumps({"endpoints": [{**item, "matrix": {"a": [1, 2], "b": ["B"]}}]}).replace('"B"', "2.50")
    found = loaded(tmp_path, {"e.json": text}, named=("e.json",))
    images = {desired.name: desired.fields["image"]["image"] for desired in found.desired}
    assert images == {"1": "x:2.50", "2": "x:2.50"}


EXTENSIONS = """\
x-common: &common {HF_TOKEN: "${env:NONE}", OTHER: null}
x-list: [1, 2]
defaults: {x-note: y, port: 9000}
endpoints:
  - endpoint: a
    specName: one
    image: x:1
    x-owner: "${env:NONE} ${"
    env: {<<: *common, HF_TOKEN: t, OTHER: o}
"""


def test_d6_keys_that_begin_with_x(tmp_path: Path) -> None:
    """Allowed at the top, in defaults and in items; nothing in them is read or sent."""
    (fields,) = fields_of(tmp_path, EXTENSIONS).values()
    assert fields["envs"] == {"HF_TOKEN": "t", "OTHER": "o"}
    assert "x-" not in str(fields)
    assert fields["ports"] == [{"port": 9000}]
    specs = "x-region: &region us-dallas-nas-2\n" + SPECS.replace("name: one", "name: one\n    x-owner: y")
    specs = specs.replace('"us-dallas-nas-2"', "*region")
    write(tmp_path, {"config.yaml": "x-note: 1\n", "specs.yaml": specs})
    assert problem_lines(load(tmp_path, environ={}).problems) == []


def test_an_extension_in_a_large_file_costs_no_time(tmp_path: Path) -> None:
    """The file is searched for them once, and not once for each item."""
    items = "".join(f"  - {{endpoint: e{n}, specName: one, image: 'x:1'}}\n" for n in range(5_000))
    write(tmp_path, {"specs.yaml": SPECS, "endpoints.yaml": f"endpoints:\n{items}"})
    began = process_time()
    load(tmp_path, environ={})
    plain = process_time() - began
    write(tmp_path, {"endpoints.yaml": f"endpoints:\n{items}x-last: 1\n"})
    began = process_time()
    assert len(load(tmp_path, environ={}).desired) == 5_000
    assert process_time() - began < 3 * plain + 0.1


TEXTS = st.text(st.sampled_from("ab{}$.: matrix"), max_size=12) | st.sampled_from(
    ["{a}", "{a}-{b}", "${matrix.a}", "${matrix.a.b}", "$${matrix.a}", "${env:${matrix.a}}"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)
KEYS = st.sampled_from(["a", "b", "exclude", "include", "x y"])


@given(
    matrix=st.dictionaries(KEYS, VALUES | st.lists(VALUES, max_size=3)) | VALUES, name=TEXTS, fields=VALUES
)
def test_any_matrix_gives_endpoints_or_problems(matrix: Any, name: str, fields: Any) -> None:
    """Any data is read without an exception, and what it gives has distinct names."""
    item = {"endpoint": name, "specName": "one", "image": "x:1", "env": fields, "matrix": matrix}
    document = parse(json.dumps({"endpoints": [item]}), "e.json")
    problems: list[Problem] = []
    declared = document.data["endpoints"][0]
    expanded = list(Expansion().expand(document, ("endpoints", 0), declared, problems))
    assert expanded or problems
    names = [one.data["endpoint"] for one in expanded]
    assert len(names) == len(set(names))
    assert all("matrix" not in one.data for one in expanded)
