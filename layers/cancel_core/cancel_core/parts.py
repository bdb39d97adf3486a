"""Creates the dependencies of the use cases (`wiring`): tables, queues, bus, mail and payment providers.

Each is created from the function's environment, once, on first use, and imported where it is created: imports determine
the cold start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from cancel_core.adapters.dynamodb import database

if TYPE_CHECKING:
    from pathlib import Path

    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.adapters.dynamodb.access import Access
    from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
    from cancel_core.adapters.dynamodb.config_history import Configs
    from cancel_core.adapters.dynamodb.limits import Limits
    from cancel_core.adapters.dynamodb.mails import Mails
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.refunds import Refunds
    from cancel_core.adapters.dynamodb.requests import Requests
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
    from cancel_core.adapters.eventbridge import Bus
    from cancel_core.adapters.sqs import Outbox, Queue
    from cancel_core.domain.provider import Provider
    from cancel_core.services.mails import Post
    from cancel_core.services.process_requests import Desk as RequestDesk
    from cancel_core.services.process_withdrawals import Desk
    from cancel_core.services.withdraw import Register


@cache
def dynamodb() -> DynamoDBClient:
    return database.client()


@cache
def orders() -> Orders:
    from cancel_core.adapters.dynamodb.orders import Orders

    return Orders(dynamodb(), os.environ["ORDERS_TABLE"])


@cache
def policies() -> Policies:
    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.telemetry import report_config

    return Policies(dynamodb(), config_tables(), float(os.environ["CONFIG_CACHE_SECONDS"]), report=report_config)


@cache
def config_tables() -> ConfigTables:
    from cancel_core.adapters.dynamodb.config import ConfigTables

    return ConfigTables(os.environ["CONFIG_TABLE"], os.environ["CONFIG_HISTORY_TABLE"])


@cache
def configs() -> Configs:
    from cancel_core.adapters.dynamodb.config_history import Configs

    return Configs(dynamodb(), config_tables())


@cache
def refunds() -> Refunds:
    from cancel_core.adapters.dynamodb.refunds import Refunds

    return Refunds(dynamodb(), os.environ["REFUNDS_TABLE"], orders())


def register() -> Register:
    from cancel_core.services.withdraw import Register

    return Register(withdrawals(), policies(), float(os.environ["WITHDRAWAL_RETENTION_DAYS"]))


@cache
def bus() -> Bus:
    from cancel_core.adapters import eventbridge

    return eventbridge.Bus(eventbridge.client(), os.environ["EVENT_BUS"])


@cache
def queue(url: str, retry_seconds: str, longest_seconds: int | None = None) -> Queue:
    from cancel_core.adapters import sqs

    return sqs.Queue(sqs.client(), url, int(retry_seconds), longest_seconds or sqs.LONGEST_DELAY_SECONDS)


@cache
def outbox(url: str) -> Outbox:
    from cancel_core.adapters import sqs

    return sqs.Outbox(sqs.client(), url)


@cache
def access() -> Access:
    from cancel_core.adapters.dynamodb.access import Access

    return Access(dynamodb(), os.environ["ACCESS_TABLE"])


@cache
def limits() -> Limits:
    from cancel_core.adapters.dynamodb.limits import Limits

    return Limits(dynamodb(), os.environ["LIMITS_TABLE"])


@cache
def post(templates: Path) -> Post:
    from cancel_core.adapters import ses
    from cancel_core.adapters.mail_templates import Templates
    from cancel_core.services.mails import Post

    sender = ses.Sender(ses.client(), os.environ["MAIL_CONFIGURATION_SET"])
    keep = timedelta(days=float(os.environ["MAIL_RETENTION_DAYS"]))
    return Post(orders(), policies(), mails(), Templates(templates), sender, keep)


@cache
def withdrawals() -> Withdrawals:
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals

    return Withdrawals(dynamodb(), os.environ["WITHDRAWALS_TABLE"])


@cache
def withdrawal_desk() -> Desk:
    from cancel_core.services.process_withdrawals import Desk

    return Desk(withdrawals(), orders(), policies(), bus())


@cache
def requests() -> Requests:
    from cancel_core.adapters.dynamodb.requests import Requests

    return Requests(dynamodb(), os.environ["REQUESTS_TABLE"])


@cache
def request_desk() -> RequestDesk:
    from cancel_core.services.process_requests import Desk

    return Desk(requests(), orders(), policies(), bus())


@cache
def mails() -> Mails:
    from cancel_core.adapters.dynamodb.mails import Mails

    return Mails(dynamodb(), os.environ["MAILS_TABLE"])


@cache
def payment_providers() -> Mapping[str, Provider]:
    from cancel_core.adapters.providers.registry import providers

    # The local stack and the tests have their own payment server.
    return providers(os.environ["STRIPE_SECRET_ARN"], os.environ.get("STRIPE_API_URL"))
