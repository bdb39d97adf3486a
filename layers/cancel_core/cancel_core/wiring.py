"""The use cases, with their dependencies (`parts`) and settings from the function's environment.

Modules that only some functions use are imported where they are used: imports determine the cold start. A function
creates its use case during initialisation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cancel_core import parts
from cancel_core.telemetry import configure

if TYPE_CHECKING:
    from pathlib import Path

    from cancel_core.domain.access import Token
    from cancel_core.domain.caller import Caller, Customer, Guest
    from cancel_core.domain.cancel import CancelRequest
    from cancel_core.domain.cancellation import Cancellation, Refund
    from cancel_core.domain.order import Order
    from cancel_core.domain.policy import Policy
    from cancel_core.domain.rules import Decision
    from cancel_core.domain.withdrawal import WithdrawalRequest
    from cancel_core.services.announce import Change
    from cancel_core.services.cancel import Canceled
    from cancel_core.services.config_edits import ConfigChange
    from cancel_core.services.mails import Returned
    from cancel_core.services.process_requests import Record as RequestRecord
    from cancel_core.services.process_withdrawals import Record
    from cancel_core.services.queries import OrderPage, OrderUnderPolicy
    from cancel_core.services.withdraw import Submitted

if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
    from cancel_core.adapters import snapshot

    snapshot.prepare()

configure(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"), os.environ.get("RELEASE", "unreleased"))


def now() -> datetime:
    """The only clock. Everywhere below the handlers, the time is an argument."""
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

    # Only needed for an order of a store with a limit.
    return partial(cancel_order, parts.orders(), parts.policies(), limits=parts.limits)


def get_order() -> Callable[[str, Caller], OrderUnderPolicy]:
    from cancel_core.services.queries import get_order

    return partial(get_order, parts.orders(), parts.policies())


def check_eligibility() -> Callable[[str, Caller, datetime], tuple[Order, Decision]]:
    from cancel_core.services.queries import check_eligibility

    return partial(check_eligibility, parts.orders(), parts.policies())


def get_cancellation() -> Callable[[str, Caller], tuple[Order, Cancellation]]:
    from cancel_core.services.queries import get_cancellation

    return partial(get_cancellation, parts.orders())


def list_orders() -> Callable[[str | None, int, Mapping[str, str] | None], OrderPage]:
    from cancel_core.services.queries import list_orders

    return partial(list_orders, parts.orders(), parts.policies())


def submit_withdrawal() -> Callable[[WithdrawalRequest], Submitted]:
    from cancel_core.services.withdraw import submit_withdrawal

    return partial(submit_withdrawal, parts.register())


def withdraw_order() -> Callable[[WithdrawalRequest, str, Customer], Submitted]:
    from cancel_core.services.withdraw import withdraw_order

    return partial(withdraw_order, parts.orders(), parts.register())


def policy_of_store() -> Callable[[str], Policy]:
    return parts.policies().get


def refund_order() -> Callable[[str, str, Callable[[], datetime]], Refund | None]:
    from cancel_core.services.refund import refund_order

    return partial(refund_order, parts.refunds(), parts.payment_providers())


def postpone_refund(receipt_handle: str, received: int) -> None:
    # Only needed for a refund that can't be carried out now.
    parts.queue(os.environ["REFUND_QUEUE_URL"], os.environ["REFUND_RETRY_SECONDS"]).postpone(receipt_handle, received)


def publish_changes() -> Callable[[Sequence[Change], datetime], list[str]]:
    from cancel_core.services.announce import publish_changes

    return partial(publish_changes, parts.orders(), parts.refunds(), parts.bus())


def reannounce() -> Callable[[datetime, timedelta, Callable[[], float]], int]:
    from cancel_core.services.reconcile import reannounce

    return partial(reannounce, parts.orders(), parts.refunds(), parts.bus())


def erase_old_comments() -> Callable[[datetime, int, Callable[[], float]], int]:
    from cancel_core.services.comments import erase_old_comments

    keep = timedelta(days=float(os.environ["COMMENT_RETENTION_DAYS"]))
    return partial(erase_old_comments, parts.orders(), parts.requests(), keep)


def send_mails(templates: Path) -> Callable[[str, Mapping[str, Any], datetime, Callable[[], datetime]], int]:
    """`templates`: the folder with the templates of mails."""
    from cancel_core.services.withdrawal_mails import Counter, send_mails

    counter = Counter(parts.withdrawals(), os.environ["MAIL_IDENTITY_ARN"], os.environ["GUEST_PAGE_URL"])
    return partial(send_mails, parts.post(templates), counter)


def send_code_mails(templates: Path) -> Callable[[Mapping[str, Any], datetime, Callable[[], datetime]], int]:
    from cancel_core.services.guest_mails import send_code_mail

    return partial(send_code_mail, parts.post(templates), parts.access(), os.environ["GUEST_PAGE_URL"])


def process_withdrawals() -> Callable[[Sequence[Record], datetime], list[str]]:
    from cancel_core.services.process_withdrawals import process_all

    return partial(process_all, parts.withdrawal_desk())


def take_back_request() -> Callable[[str, Caller, Callable[[], datetime]], OrderUnderPolicy]:
    from cancel_core.services.take_back import take_back_request

    return partial(take_back_request, parts.orders(), parts.policies())


def process_requests() -> Callable[[Sequence[RequestRecord], Callable[[], datetime]], list[str]]:
    from cancel_core.services.process_requests import process_requests

    return partial(process_requests, parts.request_desk())


def reconcile_requests(remaining_seconds: Callable[[], float]) -> None:
    # Only the schedule needs it, and most invocations are from the streams.
    from cancel_core.services.reconcile_requests import reconcile_requests

    reconcile_requests(parts.request_desk(), now, reconcile_after(), remaining_seconds)


def reconcile_withdrawals(now: datetime, remaining_seconds: Callable[[], float]) -> None:
    # Only the schedule needs it, and most invocations are from the stream.
    from cancel_core.services.reconcile_withdrawals import Second, reconcile_withdrawals

    second = Second(parts.mails(), parts.outbox(os.environ["MAIL_QUEUE_URL"]))
    reconcile_withdrawals(parts.withdrawal_desk(), second, now, reconcile_after(), remaining_seconds)


def note_returned() -> Callable[[Returned, datetime], None]:
    from cancel_core.services.mails import note_returned

    return partial(note_returned, parts.mails())


def postpone_mail(receipt_handle: str, received: int) -> None:
    parts.queue(os.environ["MAIL_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"]).postpone(receipt_handle, received)


def postpone_code_mail(receipt_handle: str, received: int) -> None:
    parts.queue(os.environ["GUEST_MAIL_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"], 60).postpone(
        receipt_handle, received
    )


def postpone_guest_code(receipt_handle: str, received: int) -> None:
    # A code expires after a quarter of an hour, and a guest is waiting for it.
    parts.queue(os.environ["GUEST_CODE_QUEUE_URL"], os.environ["MAIL_RETRY_SECONDS"], 60).postpone(
        receipt_handle, received
    )


def request_guest_code() -> Callable[[str, str, str, datetime], None]:
    from cancel_core.services.guest_access import request_code

    return partial(request_code, parts.outbox(os.environ["GUEST_CODE_QUEUE_URL"]))


def send_guest_code() -> Callable[[Mapping[str, Any], Callable[[], datetime]], bool]:
    from cancel_core.services.guest_access import CodeDesk, send_code

    queue = parts.outbox(os.environ["GUEST_MAIL_QUEUE_URL"])
    return partial(
        send_code, CodeDesk(parts.orders(), parts.policies(), parts.access(), queue, os.environ["MAIL_IDENTITY_ARN"])
    )


def redeem_guest_code() -> Callable[[str, str, datetime], Token]:
    from cancel_core.services.guest_access import redeem_code

    return partial(redeem_code, parts.orders(), parts.access())


def find_guest(token: str) -> Guest | None:
    # Only a guest's request needs the table, and most requests are customers'.
    return parts.access().guest(token, now())


def take_in_config_edits() -> Callable[[Sequence[ConfigChange]], list[str]]:
    from cancel_core.services.config_edits import take_in

    return partial(take_in, parts.configs(), parts.bus(), mail_identity=os.environ["MAIL_IDENTITY_ARN"])


def seed_config() -> Callable[[], None]:
    from cancel_core.adapters.dynamodb.config import Seed
    from cancel_core.services.config_seed import seed_config

    return partial(seed_config, Seed(parts.dynamodb(), os.environ["CONFIG_TABLE"]))
