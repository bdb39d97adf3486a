from __future__ import annotations

from typing import Any

import pytest

from local.event_sources.filters import matches


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"a": ["x", 1]}, {"a": 1}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": [{"exists": True}]}, {"a": "y"}, True),
        ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": {"b": [{"prefix": "ab"}]}}, {"a": {"b": "abc"}}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
    ],
)
def test_event_filters(pattern: Any, value: Any, expected: bool) -> None:
    assert matches(pattern, value) is expected


def test_an_unknown_event_filter_is_an_error() -> None:
    with pytest.raises(ValueError, match="numeric"):
        matches({"a": [{"numeric": [">", 1]}]}, {"a": 2})
