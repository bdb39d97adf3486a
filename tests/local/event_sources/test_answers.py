from __future__ import annotations

import pytest

from local.event_sources.answers import failed_items
from local.runtime.function import Result


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"null", set()),
        (b"{}", set()),
        (b'{"batchItemFailures": []}', set()),
        (b'{"batchItemFailures": null}', set()),
        (b'{"batchItemFailures": [{"itemIdentifier": "1"}]}', {"1"}),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', None),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', None),
        (b'{"batchItemFailures": [{"other": "1"}]}', None),
        (b'"text"', None),
        (b"broken", None),
    ],
)
def test_partial_failures_are_read_as_lambda_reads_them(answer: bytes, expected: set[str] | None) -> None:
    assert failed_items(Result(answer, None, "r")) == expected
