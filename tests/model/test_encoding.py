"""JSON of this module equals that of the standard library."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.encoding import is_json, json_bytes, json_chunks, json_indented
from reconciler.model.secrets import Secret

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)
REFUSED_BY_ORJSON = ("\ud800", 2**64, -(2**63) - 1)


@given(VALUES | st.sampled_from(REFUSED_BY_ORJSON), st.booleans())
def test_output_equals_the_standard_library(value: object, sort_keys: bool) -> None:
    """For any JSON value, in the given order or sorted."""
    expected = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
    assert json_indented(value, sort_keys=sort_keys) == expected


@given(VALUES)
def test_digests_are_stable(value: object) -> None:
    """Fingerprints are in files of users, so they must not depend on the encoder."""
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert json_bytes(value, _refused, sort_keys=True) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_keeps_its_value(value: float) -> None:
    """Encoders may spell its exponent differently."""
    assert json.loads(json_indented([value])) == [value]
    assert json.loads(json_bytes([value], _refused)) == [value]


@given(st.dictionaries(st.text(), VALUES | st.sampled_from(REFUSED_BY_ORJSON)))
def test_chunks_are_complete(document: dict[str, object]) -> None:
    """The chunks of any document join to the whole document."""
    assert "".join(json_chunks(document)) == json_indented(document)


def test_an_iterator_is_a_list() -> None:
    """Its items are encoded when their turn comes; compact items take a line each."""
    taken = []

    def items() -> Iterator[dict[str, int]]:
        for number in range(2):
            taken.append(number)
            yield {"n": number}

    chunks = json_chunks({"a": items(), "b": iter(())}, compact=True, is_open=True)
    assert "".join(islice(chunks, 2)) == '{\n  "a": [\n    {"n":0}'
    assert taken == [0]
    assert "".join(chunks) == ',\n    {"n":1}\n  ],\n  "b": []'


@pytest.mark.parametrize(
    "value", [object(), Secret(value="hf_x", source="${env:A}"), datetime.now(UTC)], ids=type
)
def test_other_types_are_refused(value: object) -> None:
    """A secret must not become text by accident."""
    with pytest.raises(TypeError):
        json_indented({"a": [value]})
    with pytest.raises(TypeError):
        json_bytes({"a": [value]}, _refused)
    assert not is_json({"a": [value]})
    assert is_json({"a": [None, "x", 1, {}]})


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_errors_of_the_callback_are_raised(interrupt: type[BaseException]) -> None:
    """orjson would turn an exception of its callback, such as Ctrl-C, into a TypeError."""
    calls = []

    def interrupted(value: object) -> object:
        calls.append(value)
        raise interrupt

    with pytest.raises(interrupt):
        json_bytes({"a": [object()]}, interrupted)
    assert len(calls) == 1


def _refused(value: object) -> object:
    raise TypeError(type(value).__name__)
