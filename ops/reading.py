"""The source of a report's orders and requests: a scan of the tables, or a downloaded export of them."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.adapters.dynamodb.attributes import present
from cancel_core.errors import CancelCoreError

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

UNIT_BYTES = 4096
"""An eventually consistent read of this many bytes takes half a unit."""
USD_PER_MILLION_UNITS = Decimal("0.125")
"""US East (N. Virginia), on demand: as docs/costs.md has it."""
ORDER_PATHS = (
    *("order_id", "store_id", "currency", "cancellation.reason", "cancellation.requested_at"),
    *("cancellation.refund.status", "cancellation.refund.currency", "cancellation.refund.amount"),
)
REQUEST_PATHS = ("request_id", "store_id", "reason", "status", "requested_at", "currency", "amount")
Read = dict[str, Any]


class NotAnExport(CancelCoreError):
    """A folder that can't be read as a complete export. The message says why."""


class Estimate(NamedTuple):
    """The cost of reading a whole table, from DynamoDB's figures of the last six hours."""

    table: str
    items: int
    size: int

    @property
    def units(self) -> float:
        return ceil(self.size / UNIT_BYTES) / 2


def estimate(dynamodb: DynamoDBClient, table: str) -> Estimate:
    """Asks DynamoDB for a table's size, which costs nothing."""
    told = dynamodb.describe_table(TableName=table)["Table"]
    return Estimate(table, told.get("ItemCount", 0), told.get("TableSizeBytes", 0))


def price(units: float) -> Decimal:
    """US dollars."""
    return Decimal(units) * USD_PER_MILLION_UNITS / 1_000_000


class Scan:
    """Scans whole tables, one page at a time, so slowly that the table's other clients are not throttled.

    `units`: the units used so far.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        units_per_second: int,
        sleep: Callable[[float], None],
        advance: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`advance` is called with the units of each page."""
        self._dynamodb = dynamodb
        self._rate = units_per_second
        self._sleep = sleep
        self._advance = advance
        self.units = 0.0

    def orders(self, table: str) -> Iterator[Read]:
        """The cancelled orders, only the attributes that are counted; no personal data is read."""
        condition = {
            "FilterExpression": "attribute_exists(cancellation) AND NOT attribute_type(cancellation, :null)",
            "ExpressionAttributeValues": {":null": {"S": "NULL"}},
        }
        for order in self._rows(table, ORDER_PATHS, condition):
            # A cancellation without any of the requested attributes comes back empty; it exists, and can't be read.
            yield {"cancellation": {}} | order

    def requests(self, table: str) -> Iterator[Read]:
        return self._rows(table, REQUEST_PATHS, {})

    def _rows(self, table: str, paths: tuple[str, ...], condition: dict[str, Any]) -> Iterator[Read]:
        names = {f"#{part}": part for path in paths for part in path.split(".")}
        projection = ", ".join(".".join(f"#{part}" for part in path.split(".")) for path in paths)
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=table,
            ProjectionExpression=projection,
            ExpressionAttributeNames=names,
            ReturnConsumedCapacity="TOTAL",
            **condition,
        )
        for page in pages:
            taken = page.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
            self.units += taken
            self._advance(taken)
            yield from (present(item) for item in page["Items"])
            self._sleep(taken / self._rate)


def exported(folder: Path) -> Iterator[Read]:
    """The items of one full export in DynamoDB JSON, in whichever folders below this one its files lie.

    Raises `NotAnExport`, also at the end, if the export's own manifest lists more items than there are.
    """
    files = sorted(folder.rglob("*.json.gz"))
    wanted = _manifest(folder)
    if missing := sorted(wanted.keys() - {file.name for file in files}):
        raise NotAnExport(f"{folder}: the download is not complete: {', '.join(missing[:3])} missing.")
    if not files and not wanted:
        raise NotAnExport(f"{folder}: there is no file of an export (*.json.gz).")
    for file in files:
        number = 0
        for number, item in enumerate(_items(file), start=1):  # noqa: B007 - how many there were
            yield item
        if wanted.get(file.name, number) != number:
            raise NotAnExport(f"{file}: has {number} item(s), and the export's manifest {wanted[file.name]}.")


def _manifest(folder: Path) -> dict[str, int]:
    """The number of items in each file of the export; empty if its manifest was not downloaded."""
    manifests = list(folder.rglob("manifest-files.json"))
    if len(manifests) > 1:
        raise NotAnExport(f"{folder}: has {len(manifests)} exports, which would be counted twice. Leave the newest.")
    try:
        rows = [json.loads(line) for file in manifests for line in file.read_text("utf-8").splitlines() if line]
        return {str(row["dataFileS3Key"]).rpartition("/")[2]: int(row["itemCount"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise NotAnExport(f"{manifests[0]}: is no manifest of an export in DynamoDB JSON.") from error


def _items(file: Path) -> Iterator[Read]:
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield present(json.loads(line)["Item"])
    except (OSError, EOFError, zlib.error, AttributeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise NotAnExport(f"{file}: is no file of a full export in DynamoDB JSON.") from error
