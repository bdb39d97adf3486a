"""Guest access: a code is requested, checked and sent behind a queue, and exchanged for a token.

The caller learns nothing about an order: the answer and the work before it are the same for every order and address.
The function may crash at any external call: the message is then delivered again, with the same code.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from cancel_core.domain.access import (
    CODES,
    MOST_MAILS,
    TOKEN_LIFE,
    AccessRequest,
    Code,
    Token,
    counting,
    new_code,
    stretched,
    token_key,
)
from cancel_core.domain.addresses import is_address
from cancel_core.domain.caller import Guest, address_hash
from cancel_core.domain.ids import code_id
from cancel_core.domain.mail_settings import cannot_leave
from cancel_core.errors import GuestCodePostponed, InvalidAccessCode
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.adapters.dynamodb.access import Access
    from cancel_core.adapters.dynamodb.config import Policies
    from cancel_core.adapters.dynamodb.orders import Orders
    from cancel_core.adapters.dynamodb.stored_order import StoredOrder
    from cancel_core.adapters.sqs import Outbox

SALT_BYTES = 16
TOKEN_BYTES = 32
MAX_ATTEMPTS = 5
NO_SALT = bytes(SALT_BYTES)
"""The salt for hashing a code when there is none to compare with."""


def request_code(queue: Outbox, order_id: str, email: str, request_id: str, now: datetime) -> None:
    """Sends the request to the queue, with a new code. `request_id` is the gateway's.

    The code is created here, because the message may be delivered twice and must have the same code then. Raises
    `ServiceUnavailable`.
    """
    code = f"{secrets.randbelow(CODES):06}"
    queue.send(
        {
            "code_id": code_id(order_id, request_id),
            "order_id": order_id,
            "address": address_hash(email, code.encode()),
            "code": code,
            "at": int(now.timestamp() * 1000),
        }
    )


class CodeDesk(NamedTuple):
    """The dependencies for sending codes. `queue` leads to the mail function. `identity`: the ARN of the SES identity,
    or "".
    """

    orders: Orders
    policies: Policies
    access: Access
    queue: Outbox
    identity: str


def send_code(desk: CodeDesk, message: Mapping[str, Any], clock: Callable[[], datetime]) -> bool:
    """Has the code in a message mailed, if the order and the address belong to a guest who may get one.

    Returns whether it is mailed. Idempotent. Raises `GuestCodePostponed` or `ServiceUnavailable` if the message should
    be retried.
    """
    asked = AccessRequest(**message)
    stored = desk.orders.get(asked.order_id) if clock().timestamp() < asked.until else None
    why_not = _why_not(desk, asked, stored)
    if stored is None or why_not:
        logger.info("no code is sent", extra={"reason": why_not or "no such order, or too late"})
        return False
    if not _keep(desk.access, asked, stored, clock()):
        logger.info("no code is sent", extra={"reason": "a newer one is out, or three were sent within the hour"})
        return False
    # If this fails, the retried message finds its own row and continues here.
    desk.queue.send({"order_id": asked.order_id, "code_id": asked.code_id, "code": asked.code})
    return True


def _why_not(desk: CodeDesk, asked: AccessRequest, stored: StoredOrder | None) -> str:
    if stored is None or not stored.is_guests or not stored.placed_at:
        return "no such order of a guest, or too late"
    if not is_address(stored.contact.email.strip()) or not asked.is_for(stored.contact.email):
        return "not its address"
    policy = desk.policies.get(stored.store_id)
    if not policy.guest_access:
        return "guest_access is off"
    if cannot_leave(policy.mail, desk.identity):
        return "there is no address to send from"
    return ""


def _keep(access: Access, asked: AccessRequest, stored: StoredOrder, now: datetime) -> bool:
    """Replaces the previous code and counts its mail, in one write. False if none is to be sent."""
    for _ in range(MAX_ATTEMPTS):
        before = access.code(asked.order_id)
        if before and before.code_id == asked.code_id:
            return before.is_open(now)
        mailed = counting(before.mailed, now) if before else ()
        if (before and before.requested_at > asked.at) or len(mailed) >= MOST_MAILS:
            return False
        mailed = (*mailed, int(now.timestamp()))
        made = new_code(asked, stored.placed_at, stored.contact.email, secrets.token_bytes(SALT_BYTES), mailed)
        if access.put_code(made, before):
            return True
    raise GuestCodePostponed("codes of this order are asked for all the time")


def redeem_code(orders: Orders, access: Access, order_id: str, code: str, now: datetime) -> Token:
    """Exchanges the code for a token. Raises `InvalidAccessCode`, whatever is wrong, or `ServiceUnavailable`.

    Until the code is verified, the calls and the hash are the same for every order and every code.
    """
    kept = access.take_try(order_id, now)
    proof, key = stretched(code, kept.salt if kept else NO_SALT)
    if kept is None or not hmac.compare_digest(proof, kept.proof):
        raise InvalidAccessCode("The code is not valid. Ask for a new one.")
    # The order may have been replaced, or have another owner, since the code was sent.
    stored = orders.of_caller(order_id, Guest(order_id, kept.placed_at, kept.address, key))
    if stored is None:
        raise InvalidAccessCode("The code is not valid. Ask for a new one.")
    return _token(access, kept, stored, now)


def _token(access: Access, kept: Code, stored: StoredOrder, now: datetime) -> Token:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    key = token_key(token)
    guest = Guest(kept.order_id, kept.placed_at, address_hash(stored.contact.email, key), key)
    expires_at = (now + TOKEN_LIFE).replace(microsecond=0)
    # The token first: until it is returned it is useless, while a code that is used up without a token would be lost.
    access.put_token(guest, token, int(expires_at.timestamp()))
    if not access.use_code(kept, token, now):
        raise InvalidAccessCode("The code is not valid. Ask for a new one.")
    return Token(token, expires_at)
