"""The parts, put together from the function's environment, and the use cases with their parts.

Each part is made once, when it is first asked for. What only some functions use is imported where it is made: imports
decide the cold start. A function asks for its use case while it is initialised.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cancel_core.adapters.dynamodb import database
from cancel_core.telemetry import configure

if TYPE_CHECKING:
    from pathlib import Path

    from types_boto3_dynamodb.client import DynamoDBClient

    from cancel_core.adapters.dynamodb.access import Access
    from cancel_core.adapters.dynamodb.config import ConfigTables, Policies
    from cancel_core.adapters.dynamodb.config_history import Configs
    from cancel_core.adapters.dynamodb.mails import Mails
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.refunds import Refunds
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals
    from cancel_core.adapters.eventbridge import Bus
    from cancel_core.adapters.sqs import Outbox, Queue
    from cancel_core.domain.access import Token
    from cancel_core.domain.caller import Caller, Customer, Guest
    from cancel_core.domain.cancel import CancelRequest
    from cancel_core.domain.cancellation import Cancellation, Refund
    from cancel_core.domain.order import Order
    from cancel_core.domain.policy import Policy
    from cancel_core.domain.provider import Provider
    from cancel_core.domain.rules import Decision
    from cancel_core.domain.withdrawal import WithdrawalRequest
    from cancel_core.services.announce import Change
    from cancel_core.services.cancel import Canceled
    from cancel_core.services.config_edits import ConfigChange
    from cancel_core.services.mails import Post, Returned
    from cancel_core.services.process_withdrawals import Record
    from cancel_core.services.queries import OrderPage, OrderUnderPolicy
    from cancel_core.services.withdraw import Register, Submitted

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from cancel_core.adapters import snapshot

    snapshot.prepare()

configure(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"), os.environ.get("RELEASE", "unreleased"))


def now() -> datetime:
    """The only clock; below the handlers time is an argument."""
    return datetime.now(UTC)


# --- settings ---------------------------------------------------------------------------------------------------------


def config_cache_seconds() -> float:
    return float(os.environ["CONFIG_CACHE_SECONDS"])


def customer_claim() -> str:
    return os.environ["CUSTOMER_CLAIM"]


def guest_mail_queue() -> str:
    return os.environ["GUEST_MAIL_QUEUE_ARN"]


def reconcile_after() -> timedelta:
    return timedelta(seconds=float(os.environ["RECONCILE_AFTER_SECONDS"]))


# --- use cases --------------------------------------------------------------------------------------------------------


def cancel_order() -> Callable[[CancelRequest, Callable[[], datetime]], Canceled]:
    from cancel_core.services.cancel import cancel_order

    return partial(cancel_order, _orders(), _policies())


def get_order() -> Callable[[str, Caller], OrderUnderPolicy]:
    from cancel_core.services.queries import get_order

    return partial(get_order, _orders(), _policies())


def check_eligibility() -> Callable[[str, Caller, datetime], tuple[Order, Decision]]:
    from cancel_core.services.queries import check_eligibility

    return partial(check_eligibility, _orders(), _policies())


def get_cancellation() -> Callable[[str, Caller], tuple[Order, Cancellation]]:
    from cancel_core.services.queries import get_cancellation

    return partial(get_cancellation, _orders())


def list_orders() -> Callable[[str | None, int, Mapping[str, str] | None], OrderPage]:
    from cancel_core.services.queries import list_orders

    return partial(list_orders, _orders(), _policies())


def submit_withdrawal() -> Callable[[WithdrawalRequest], Submitted]:
    from cancel_core.services.withdraw import submit_withdrawal

    return partial(submit_withdrawal, _register())


def withdraw_order() -> Callable[[WithdrawalRequest, str, Customer], Submitted]:
    from cancel_core.services.withdraw import withdraw_order

    return partial(withdraw_order, _orders(), _register())


def policy_of_store() -> Callable[[str], Policy]:
    return _policies().get


def refund_order() -> Callable[[str, str, Callable[[], datetime]], Refund | None]:
    from cancel_core.services.refund import refund_order

    return partial(refund_order, _refunds(), _payment_providers())


def postpone_refund(receipt_handle: str, received: int) -> None:
    # Only a refund that can't be carried out just now needs the queue.
    _queue(os.environ["REFUND_QUEUE_URL"], os.environ["REFUND_RETRY_SECONDS"]).postpone(receipt_handle, received)


def publish_changes() -> Callable[[Sequence[Change], datetime], list[str]]:
    from cancel_core.services.announce import publish_changes

    return partial(publish_changes, _orders(), _refunds(), _bus())


def reannounce() -> Callable[[datetime, timedelta, Callable[[], float]], int]:
    from cancel_core.services.reconcile import reannounce

    return partial(reannounce, _orders(), _refunds(), _bus())


def erase_old_comments() -> Callable[[datetime, int, Callable[[], float]], int]:
    from cancel_core.services.comments import erase_old_comments

    return partial(erase_old_comments, _orders(), timedelta(days=float(os.environ["COMMENT_RETENTION_DAYS"])))


def send_mails(templates: Path) -> Callable[[str, Mapping[str, Any], datetime, Callable[[], datetime]], int]:
    """`templates`: the folder of the mails' texts."""
    from cancel_core.services.withdrawal_mails import Counter, send_mails

    counter = Counter(_withdrawals(), os.environ["MAIL_IDENTITY_ARN"], os.environ["GUEST_PAGE_URL"])
    return partial(send_mails, _post(templates), counter)


def send_code_mails(templates: Path) -> Callable[[Mapping[str, Any], datetime, Callable[[], datetime]], int]:
    from cancel_core.services.guest_mails import send_code_mail

    return partial(send_code_mail, _post(templates), _access(), os.environ["GUEST_PAGE_URL"])


def follow_withdrawals() -> tuple[
    Callable[[Sequence[Record], datetime], list[str]], Callable[[datetime, timedelta, Callable[[], float]], int]
]:
    """What the stream brings, and what the schedule finds."""
    from cancel_core.services.process_withdrawals import Desk, process_all
    from cancel_core.services.reconcile_withdrawals import Second, reconcile_withdrawals

    desk = Desk(_withdrawals(), _orders(), _policies(), _bus())
    second = Second(_mails(), _outbox(os.environ["MAIL_QUEUE_URL"]))
    return partial(process_all, desk), partial(reconcile_withdrawals, desk, second)


def note_returned() -> Callable[[Returned, datetime], None]:
    from cancel_core.services.mails import note_returned

    return partial(note_returned, _mails())


def postpone_mail(receipt_handle: str, received: int) -> None:
    _queue(os.environ["MAIL_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"]).postpone(receipt_handle, received)


def postpone_code_mail(receipt_handle: str, received: int) -> None:
    _queue(os.environ["GUEST_MAIL_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"], 60).postpone(receipt_handle, received)


def postpone_guest_code(receipt_handle: str, received: int) -> None:
    # A code lives for a quarter of an hour, and somebody waits for it.
    _queue(os.environ["GUEST_CODE_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"], 60).postpone(receipt_handle, received)


def request_guest_code() -> Callable[[str, str, str, datetime], None]:
    from cancel_core.services.guest_access import request_code

    return partial(request_code, _outbox(os.environ["GUEST_CODE_QUEUE_URL"]))


def send_guest_code() -> Callable[[Mapping[str, Any], Callable[[], datetime]], bool]:
    from cancel_core.services.guest_access import CodeDesk, send_code

    queue = _outbox(os.environ["GUEST_MAIL_QUEUE_URL"])
    return partial(send_code, CodeDesk(_orders(), _policies(), _access(), queue, os.environ["MAIL_IDENTITY_ARN"]))


def redeem_guest_code() -> Callable[[str, str, datetime], Token]:
    from cancel_core.services.guest_access import redeem_code

    return partial(redeem_code, _orders(), _access())


def find_guest(token: str) -> Guest | None:
    # Only a guest's request needs the table, and most requests are customers'.
    return _access().guest(token, now())


def take_in_config_edits() -> Callable[[Sequence[ConfigChange]], list[str]]:
    from cancel_core.services.config_edits import take_in

    return partial(take_in, _configs(), _bus(), mail_identity=os.environ["MAIL_IDENTITY_ARN"])


def seed_config() -> Callable[[], None]:
    from cancel_core.adapters.dynamodb.config import Seed
    from cancel_core.services.config_seed import seed_config

    return partial(seed_config, Seed(_dynamodb(), os.environ["CONFIG_TABLE"]))


# --- parts ------------------------------------------------------------------------------------------------------------


@cache
def _dynamodb() -> DynamoDBClient:
    return database.client()


@cache
def _orders() -> Orders:
    from cancel_core.adapters.dynamodb.orders import Orders

    return Orders(_dynamodb(), os.environ["ORDERS_TABLE"])


@cache
def _policies() -> Policies:
    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.telemetry import report_config

    return Policies(_dynamodb(), _config_tables(), config_cache_seconds(), report=report_config)


@cache
def _config_tables() -> ConfigTables:
    from cancel_core.adapters.dynamodb.config import ConfigTables

    return ConfigTables(os.environ["CONFIG_TABLE"], os.environ["CONFIG_HISTORY_TABLE"])


@cache
def _configs() -> Configs:
    from cancel_core.adapters.dynamodb.config_history import Configs

    return Configs(_dynamodb(), _config_tables())


@cache
def _refunds() -> Refunds:
    from cancel_core.adapters.dynamodb.refunds import Refunds

    return Refunds(_dynamodb(), os.environ["REFUNDS_TABLE"], _orders())


def _register() -> Register:
    from cancel_core.services.withdraw import Register

    return Register(_withdrawals(), _policies(), float(os.environ["WITHDRAWAL_RETENTION_DAYS"]))


@cache
def _bus() -> Bus:
    from cancel_core.adapters import eventbridge

    return eventbridge.Bus(eventbridge.client(), os.environ["EVENT_BUS"])


@cache
def _queue(url: str, retry_seconds: str, longest_seconds: int | None = None) -> Queue:
    from cancel_core.adapters import sqs

    return sqs.Queue(sqs.client(), url, int(retry_seconds), longest_seconds or sqs.LONGEST_DELAY_SECONDS)


@cache
def _outbox(url: str) -> Outbox:
    from cancel_core.adapters import sqs

    return sqs.Outbox(sqs.client(), url)


@cache
def _access() -> Access:
    from cancel_core.adapters.dynamodb.access import Access

    return Access(_dynamodb(), os.environ["ACCESS_TABLE"])


@cache
def _post(templates: Path) -> Post:
    from cancel_core.adapters import ses
    from cancel_core.adapters.mail_templates import Templates
    from cancel_core.services.mails import Post

    sender = ses.Sender(ses.client(), os.environ["MAIL_CONFIGURATION_SET"])
    keep = timedelta(days=float(os.environ["MAIL_RETENTION_DAYS"]))
    return Post(_orders(), _policies(), _mails(), Templates(templates), sender, keep)


@cache
def _withdrawals() -> Withdrawals:
    from cancel_core.adapters.dynamodb.withdrawals import Withdrawals

    return Withdrawals(_dynamodb(), os.environ["WITHDRAWALS_TABLE"])


@cache
def _mails() -> Mails:
    from cancel_core.adapters.dynamodb.mails import Mails

    return Mails(_dynamodb(), os.environ["MAILS_TABLE"])


@cache
def _payment_providers() -> Mapping[str, Provider]:
    from cancel_core.adapters.providers.registry import providers

    # The local stack and the tests have a Stripe of their own.
    return providers(os.environ["STRIPE_SECRET_ARN"], os.environ.get("STRIPE_API_URL"))
