"""Several `-f` files: later ones are merged over earlier ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.overlays import Layer, LayerStack
from reconciler.yamlfile.reader import parse

from .support import codes, loaded, problem_lines

BASE = """\
defaults: {specName: one, port: 8000}
endpoints:
- endpoint: a
  image: x:1
  env: {A: a, B: b}
  storage: [{type: local, sizeGb: 10, mountPath: /x}]
- endpoint: b
  image: x:1
  replicas: 5
"""


def test_a_later_file_overrides_by_name(tmp_path: Path) -> None:
    """Maps merge by key, lists replace, null removes, new endpoints come last."""
    prod = """\
defaults: {port: 80}
endpoints:
- endpoint: c
  image: x:3
- endpoint: b
  replicas: null
- endpoint: a
  env: {A: null, B: bb, C: c}
  storage: []
"""
    result = loaded(tmp_path, {"base.yaml": BASE, "prod.yaml": prod}, named=["base.yaml", "prod.yaml"])
    assert result.problems == ()
    assert [desired.name for desired in result.desired] == ["a", "b", "c"]
    a, b, c = (desired.fields for desired in result.desired)
    assert a["envs"] == {"B": "bb", "C": "c"}
    assert a["volumeMounts"] == {}
    assert b["workerConfig"]["maxNum"] == 1
    assert {str(fields["ports"]) for fields in (a, b, c)} == {"[{'port': 80}]"}


def test_the_earlier_file_is_not_changed_by_the_merge(tmp_path: Path) -> None:
    """Two endpoints that share defaults do not share each other's values."""
    text = """\
defaults: {specName: one, image: x:1, env: {A: a}, policy: {type: queue, value: 5}}
endpoints:
- {endpoint: a, env: {B: b}, policy: {value: 6}}
- {endpoint: b, env: {A: null}}
- {endpoint: c}
"""
    result = loaded(tmp_path, {"endpoints.yaml": text})
    assert result.problems == ()
    assert [desired.fields["envs"] for desired in result.desired] == [{"A": "a", "B": "b"}, {}, {"A": "a"}]
    assert [desired.fields["policy"]["value"] for desired in result.desired] == [6, 5, 5]


def test_validation_follows_the_merge(tmp_path: Path) -> None:
    """Fields are validated after the merge, and reported at the place of the last layer that sets them."""
    base = "defaults: {port: 99999}\nendpoints: [{endpoint: a, image: 5, specName: one}]"
    good = "defaults: {port: 80}\nendpoints: [{endpoint: a, image: x:1}]"
    bad = "endpoints: [{endpoint: a, image: 6, env: {A: 1}}]"
    files = {"base.yaml": base, "good.yaml": good, "bad.yaml": bad}
    assert loaded(tmp_path, files, named=["base.yaml", "good.yaml"]).problems == ()
    assert problem_lines(loaded(tmp_path, files, named=["good.yaml", "base.yaml", "bad.yaml"]).problems) == [
        'bad.yaml:1:34 not-text | write "6"',
        'bad.yaml:1:46 not-text | write "1"',
        "base.yaml:1:18 out-of-range | write a number that is from 1 to 65535",
    ]


def test_a_directory_is_one_layer(tmp_path: Path) -> None:
    """Names are unique within a -f directory; it is merged over an earlier -f."""
    one = "endpoints: [{endpoint: a, image: x:1, specName: one}]"
    files = {"base.yaml": one, "d/a.yaml": one, "d/b.yaml": one}
    assert codes(loaded(tmp_path, files, named=["base.yaml", "d/a.yaml"]).problems) == []
    assert problem_lines(loaded(tmp_path, files, named=["base.yaml", "d"]).problems) == [
        "d/b.yaml:1:24 duplicate-endpoint | rename or remove one of the two; the first is at d/a.yaml:1:24"
    ]


def test_naming_files_replaces_the_search(tmp_path: Path) -> None:
    """With -f, the default files are not read."""
    result = loaded(tmp_path, {"endpoints.yaml": "x: [", "o.yaml": "endpoints: []"}, named=["o.yaml"])
    assert (result.problems, result.endpoint_files) == ((), ("o.yaml",))


def test_a_missing_file_is_one_problem_among_others(tmp_path: Path) -> None:
    """A wrong -f does not hide other problems."""
    result = loaded(tmp_path, {"o.yaml": "endpoints: [5]"}, named=["nope.yaml", "o.yaml"])
    assert codes(result.problems) == ["file-not-found", "wrong-type"]


def test_an_empty_directory_declares_nothing(tmp_path: Path) -> None:
    """A -f directory without files counts as no endpoint file."""
    (tmp_path / "empty").mkdir()
    assert codes(loaded(tmp_path, {}, named=["empty"]).problems) == ["no-endpoints"]


def layers(*texts: str) -> LayerStack:
    """Return layers of YAML texts, which are named 0, 1, ..."""
    documents = [parse(text, str(number)) for number, text in enumerate(texts)]
    return LayerStack(tuple(Layer(d.source, d.data) for d in documents if d.data is not None))


def test_positions_of_merged_values() -> None:
    """The place of a value is in the last layer that sets it."""
    stack = layers("a: 1\nb: {x: 1, y: 1}\n", "b: {y: 2}\n")
    assert stack.merged() == {"a": 1, "b": {"x": 1, "y": 2}}
    assert [str(stack.positions.place(path)) for path in (("a",), ("b", "x"), ("b", "y"))] == [
        "0:1:4",
        "0:2:8",
        "1:1:8",
    ]
    assert str(stack.positions.place(("b", "x"), key=True)) == "0:2:5"
    assert stack.positions.place(("c",)) is None
    assert stack.positions.node(("c",)) is None


@pytest.mark.parametrize(
    ("texts", "merged"),
    [
        (["{a: {b: 1}}", "{a: 2}"], {"a": 2}),
        (["{a: 2}", "{a: {b: 1}}"], {"a": {"b": 1}}),
        (["{a: {b: 1}}", "{a: {b: null}}"], {"a": {}}),
        (["{a: {b: 1}}", "{a: null}"], {}),
        (["{a: null}"], {}),
        (["{a: {b: null}}"], {"a": {}}),
        (["{a: [1, 2]}", "{a: [3]}"], {"a": [3]}),
        ([], {}),
    ],
)
def test_merging(texts: list[str], merged: object) -> None:
    """Maps merge, lists and scalars replace, null removes."""
    assert layers(*texts).merged() == merged


MAPS = st.recursive(
    st.none() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=6,
).filter(lambda value: isinstance(value, dict))


@given(MAPS, MAPS)
def test_the_last_layer_wins(below: dict[str, object], above: dict[str, object]) -> None:
    """The result has every scalar of the last layer and no nulls, and no layer is changed."""
    import copy
    import json

    stack = layers(json.dumps(below), json.dumps(above))
    before = copy.deepcopy([layer.data for layer in stack.layers])
    merged = stack.merged()
    for key, value in above.items():
        if value is None:
            assert key not in merged
        elif not isinstance(value, dict):
            assert merged[key] == value
    assert "null" not in json.dumps(merged)
    assert [layer.data for layer in stack.layers] == before
