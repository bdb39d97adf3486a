"""Shared code of the tables' adapters: the client, and which database errors are temporary."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, CredentialRetrievalError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from cancel_core.adapters import aws
from cancel_core.errors import ServiceUnavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

Raw = dict[str, Any]
"""An item as DynamoDB's own attribute values: {"status": {"S": "pending"}}."""
KEY_BYTES = 2048
TRY_AGAIN = "The service is busy. Try again shortly; with the same Idempotency-Key nothing is done twice."
_RETRYABLE = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "TransactionInProgressException",
        "InternalFailure",
        "500",
        "502",
        "503",
        "504",
    }
)


def client() -> DynamoDBClient:
    """One per process. Its retries (three attempts, twelve seconds) end before the function's timeout."""
    # DynamoDB validates its input anyway. botocore's validation takes up to a quarter of a cancel's CPU time.
    made: DynamoDBClient = aws.client("dynamodb", tcp_keepalive=True, parameter_validation=False)
    for operation in _READS:
        made.meta.events.register(f"before-parse.dynamodb.{operation}", _take_as_sent)
    return made


_READS = ("BatchGetItem", "GetItem", "Query", "Scan")


def _take_as_sent(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Takes the response to a read from its JSON, where items already have the form in which botocore returns them.

    botocore would call several functions for each value, only to decode the binary ones: most of the CPU time of a read
    (docs/performance.md). It still parses responses with binary values, errors, and damaged ones, which it retries.
    """
    body = response_dict["body"]
    if response_dict["status_code"] >= 300 or b'"B"' in body or b'"BS"' in body:
        return
    try:
        customized_response_dict.update(json.loads(body))
    except ValueError:
        return
    response_dict["body"] = b""


@contextmanager
def database_errors() -> Iterator[None]:
    """Converts temporary database errors to `ServiceUnavailable`. All others are defects and are raised unchanged."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _RETRYABLE:
            raise ServiceUnavailable(TRY_AGAIN) from error
        raise
    except (BotoConnectionError, HTTPClientError, CredentialRetrievalError) as error:
        raise ServiceUnavailable(TRY_AGAIN) from error


FAILED_CONDITION = "ConditionalCheckFailedException"


def holds(write: Callable[[], object]) -> bool:
    """Makes a conditional write. False if the condition does not hold; nothing is written then."""
    try:
        write()
    except ClientError as error:
        if error.response["Error"]["Code"] != FAILED_CONDITION:
            raise
        return False
    return True


def put_new(client: DynamoDBClient, table: str, item: Raw, key: str) -> Raw | None:
    """Puts an item if none has its key. The existing item, which is left unchanged; None if there was none.

    `key`: an attribute of the key. Raises `ServiceUnavailable`.
    """
    try:
        with database_errors():
            client.put_item(
                TableName=table,
                Item=item,
                ConditionExpression=f"attribute_not_exists({key})",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except ClientError as error:
        if error.response["Error"]["Code"] != FAILED_CONDITION:
            raise
        return item_that_failed(error) or {}
    return None


def item_that_failed(error: ClientError) -> Raw | None:
    """The item that failed a condition. The response has it only if the request asked for it."""
    response: Mapping[str, Any] = error.response
    return response.get("Item")
