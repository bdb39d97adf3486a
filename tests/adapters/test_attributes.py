"""Attribute values, held against boto3's own reading and writing of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from cancel_core.adapters.dynamodb.attributes import attribute_values, plain
from hypothesis import given
from hypothesis import strategies as st

numbers = st.integers(-(10**37), 10**37) | st.decimals(
    min_value=-1000, max_value=1000, allow_nan=False, allow_infinity=False, places=3
)
values = st.recursive(
    st.none() | st.booleans() | st.text() | numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)
sets = st.sets(st.text(min_size=1), min_size=1) | st.sets(numbers.map(Decimal), min_size=1)
documents = st.dictionaries(st.text(min_size=1), values | sets | st.binary(), max_size=4)


@given(documents)
def test_a_document_is_written_and_an_item_read_as_boto3_does_it(document: dict[str, Any]) -> None:
    serialize, deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize
    written = {name: serialize(value) for name, value in document.items()}
    assert _sorted(attribute_values(document)) == _sorted(written)
    # boto3 has a class of its own for binaries, which equals the bytes that ours leaves.
    assert plain(written) == {name: deserialize(value) for name, value in written.items()}


def _sorted(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {kind: sorted(content) if kind in ("SS", "NS") else content for kind, content in value.items()}
        for name, value in raw.items()
    }


@given(documents)
def test_what_was_written_is_read_again(document: dict[str, Any]) -> None:
    read = plain(attribute_values(document))
    assert read == document
    # What is equal may still be of two kinds: true is 1.
    assert attribute_values(read) == attribute_values(document)


def test_binaries_are_left_as_they_come() -> None:
    raw = {"one": {"B": b"\x00"}, "many": {"BS": [b"\x00", b"\x01"]}, "of a stream": {"B": "AA=="}}
    assert plain(raw) == {"one": b"\x00", "many": [b"\x00", b"\x01"], "of a stream": "AA=="}


@pytest.mark.parametrize("value", [1.5, object()])
def test_what_no_item_can_hold_is_a_defect(value: object) -> None:
    with pytest.raises(TypeError):
        attribute_values({"name": value})
