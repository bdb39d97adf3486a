"""The parts, put together from the function's environment; each made once for a process, when it is first asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from cancel_core import tables
from cancel_core.providers import Provider, providers
from cancel_core.telemetry import report_config

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.bus import Bus
    from cancel_core.configs import Configs, Seed
    from cancel_core.queue import Queue

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from cancel_core import snapshot

    snapshot.prepare()


@cache
def _dynamodb() -> DynamoDBClient:
    return tables.client()


@cache
def orders() -> tables.Orders:
    return tables.Orders(_dynamodb(), os.environ["ORDERS_TABLE"])


@cache
def policies() -> tables.Policies:
    return tables.Policies(_dynamodb(), config_tables(), config_cache_seconds(), report=report_config)


@cache
def config_tables() -> tables.ConfigTables:
    return tables.ConfigTables(os.environ["CONFIG_TABLE"], os.environ["CONFIG_HISTORY_TABLE"])


@cache
def configs() -> Configs:
    # Only what looks through an admin's edits needs it.
    from cancel_core import configs as edits

    return edits.Configs(_dynamodb(), config_tables())


@cache
def config_seed() -> Seed:
    from cancel_core import configs as edits

    return edits.Seed(_dynamodb(), os.environ["CONFIG_TABLE"])


@cache
def refunds() -> tables.Refunds:
    return tables.Refunds(_dynamodb(), os.environ["REFUNDS_TABLE"], orders())


@cache
def bus() -> Bus:
    # Functions that answer clients have no bus, and need not import it.
    from cancel_core import bus as eventbridge

    return eventbridge.Bus(eventbridge.client(), os.environ["EVENT_BUS"])


@cache
def refund_queue() -> Queue:
    # Only a refund that can't be carried out just now needs it.
    from cancel_core import queue

    return queue.Queue(queue.client(), os.environ["REFUND_QUEUE_URL"], int(os.environ["REFUND_RETRY_SECONDS"]))


@cache
def payment_providers() -> Mapping[str, Provider]:
    # The local stack and the tests have a Stripe of their own.
    return providers(os.environ["STRIPE_SECRET_ARN"], os.environ.get("STRIPE_API_URL"))


def config_cache_seconds() -> float:
    return float(os.environ["CONFIG_CACHE_SECONDS"])


def customer_claim() -> str:
    return os.environ["CUSTOMER_CLAIM"]
