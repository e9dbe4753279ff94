"""Our JSON over several lines is that of the standard library."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.pretty import pieces, pretty

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
)


@given(VALUES, st.booleans())
def test_it_is_byte_for_byte_the_same(value: object, sort_keys: bool) -> None:
    """Whatever JSON can hold, empty or deep, in the order given or sorted."""
    expected = json.dumps(value, indent=2, ensure_ascii=False, sort_keys=sort_keys)
    assert pretty(value, sort_keys=sort_keys) == expected


@given(st.dictionaries(st.text(), VALUES))
def test_its_pieces_are_the_whole(document: dict[str, object]) -> None:
    """Whatever the document holds, none of it is lost between two pieces."""
    assert "".join(pieces(document)) == pretty(document)


def test_what_json_cannot_hold_is_refused() -> None:
    """A secret that nobody revealed must not become text by accident."""
    with pytest.raises(TypeError):
        pretty({"a": [object()]})
