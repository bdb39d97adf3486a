"""What a log line says of an exception: nothing that others put into its words."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from cancel_core.errors import ProviderUnavailable
from cancel_core.telemetry import logger

PRIVATE = "pi_never_shown"
LIBRARIES = ["botocore", "boto3", "urllib3", "urllib3.connectionpool", "stripe", "requests"]


def line_of(fail: Callable[[], Any]) -> dict[str, Any]:
    try:
        fail()
    except (ProviderUnavailable, TypeError, ParamValidationError, ClientError):
        record = logging.LogRecord("service", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info())
    line: dict[str, Any] = json.loads(logger.registered_formatter.format(record))
    return line


def chained() -> None:
    try:
        try:
            raise KeyError(PRIVATE)
        except KeyError:
            raise ConnectionError(f"no answer from /v1/payment_intents/{PRIVATE}") from None
    except ConnectionError as error:
        raise ProviderUnavailable("Stripe: APIConnectionError") from error


def nested() -> None:
    try:
        raise ValueError(PRIVATE)
    except ValueError:
        raise TypeError(PRIVATE)  # noqa: B904 - without a cause, as where it happens by mistake


def wrong_parameter() -> None:
    raise ParamValidationError(report=f"Invalid type for parameter Item, value: {PRIVATE}")


@pytest.mark.parametrize("fail", [chained, nested, wrong_parameter])
def test_the_words_of_others_are_not_logged(fail: Callable[[], Any]) -> None:
    line = line_of(fail)

    assert PRIVATE not in json.dumps(line)
    assert line["message"] == "it failed"
    # Where it came from is.
    assert f"in {fail.__name__}" in line["exception"]


def test_the_chain_is_told_by_types_and_our_own_words() -> None:
    told = [text for text in line_of(chained)["exception"].splitlines() if not text.startswith("  ")]

    assert told == ["cancel_core.errors.ProviderUnavailable: Stripe: APIConnectionError", "builtins.ConnectionError"]
    assert line_of(chained)["exception_name"] == "ProviderUnavailable"


def test_what_aws_says_is_told_for_it_names_what_is_missing() -> None:
    def refused() -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "not authorized"}}, "PutEvents")

    assert (
        "(AccessDeniedException) when calling the PutEvents operation: not authorized" in line_of(refused)["exception"]
    )


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_do_not_tell_what_they_send(library: str) -> None:
    assert logging.getLogger(library).getEffectiveLevel() >= logging.WARNING
