"""Our JSON is that of the standard library, whoever writes it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.encoding import json_bytes, json_chunks, json_indented
from reconciler.model.secrets import Secret

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)
REFUSED_BY_ORJSON = ("\ud800", 2**64, -(2**63) - 1)


@given(VALUES | st.sampled_from(REFUSED_BY_ORJSON), st.booleans())
def test_it_is_byte_for_byte_the_same(value: object, sort_keys: bool) -> None:
    """Whatever JSON can hold, empty or deep, in the order given or sorted."""
    expected = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
    assert json_indented(value, sort_keys=sort_keys) == expected


@given(VALUES)
def test_a_digest_is_made_of_the_same_bytes_as_ever(value: object) -> None:
    """Fingerprints stand in files of users: they must not change with who writes the JSON."""
    expected = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert json_bytes(value, _refused, sort_keys=True) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_fraction_keeps_its_value(value: float) -> None:
    """How its exponent is spelled is up to the encoder."""
    assert json.loads(json_indented([value])) == [value]
    assert json.loads(json_bytes([value], _refused)) == [value]


@given(st.dictionaries(st.text(), VALUES | st.sampled_from(REFUSED_BY_ORJSON)))
def test_its_pieces_are_the_whole(document: dict[str, object]) -> None:
    """Whatever the document holds, none of it is lost between two pieces."""
    assert "".join(json_chunks(document)) == json_indented(document)


@pytest.mark.parametrize(
    "value", [object(), Secret(value="hf_x", source="${env:A}"), datetime.now(UTC)], ids=type
)
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    """A secret that nobody revealed must not become text by accident."""
    with pytest.raises(TypeError):
        json_indented({"a": [value]})
    with pytest.raises(TypeError):
        json_bytes({"a": [value]}, _refused)


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_what_is_raised_while_it_is_written_comes_out(interrupt: type[BaseException]) -> None:
    """orjson makes a TypeError of all that its callback raises, and a Ctrl-C would be lost in that."""
    calls = []

    def interrupted(value: object) -> object:
        calls.append(value)
        raise interrupt

    with pytest.raises(interrupt):
        json_bytes({"a": [object()]}, interrupted)
    assert len(calls) == 1


def _refused(value: object) -> object:
    raise TypeError(type(value).__name__)
