"""Statements of withdrawal: request bodies and responses."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from cancel_core.domain.addresses import is_address
from cancel_core.domain.mail_settings import LANGUAGE
from cancel_core.domain.setting_values import is_blank
from cancel_core.domain.values import number
from cancel_core.domain.withdrawal import MOST_CHARACTERS, no_text
from cancel_core.entrypoints.http.response import Answer

if TYPE_CHECKING:
    from cancel_core.domain.withdrawal import WithdrawalRequest
    from cancel_core.services.withdraw import Submitted

MOST_ITEMS = 200
LEAST_QUANTITY, MOST_QUANTITY = Decimal("0.000001"), Decimal(10**9)
MOST_DIGITS = 15
"""The number of digits that a JSON number keeps in every program, and in the canonical form that receipts hash."""


def _fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("withdrawal", message)


def _text(text: str) -> str:
    if fault := no_text(text):
        raise _fault(fault)
    return text


def _seen(text: str) -> str:
    if is_blank(_text(text)):
        raise _fault("must not be blank")
    return text


def _address(text: str) -> str:
    if not is_address(_text(text)):
        raise _fault("must be an e-mail address")
    return text


def _tag(text: str) -> str:
    if not re.fullmatch(LANGUAGE, text):
        raise _fault("must be a BCP 47 tag, as sv or de-AT")
    return text


def _quantity(value: object) -> int | float | None:
    if value is None:
        return None
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise _fault("must be a number")
    quantity = Decimal(value)
    if not LEAST_QUANTITY <= quantity <= MOST_QUANTITY:
        raise _fault("must be above 0 and at most 1000000000")
    if len("".join(map(str, quantity.as_tuple().digits)).rstrip("0")) > MOST_DIGITS:
        raise _fault(f"must have at most {MOST_DIGITS} digits")
    return number(quantity)


Address = Annotated[str, AfterValidator(_address)]
Name = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS["name"]), AfterValidator(_seen)]
OrderName = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS["order"]), AfterValidator(_seen)]
ItemName = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS["item"]), AfterValidator(_seen)]
StoreId = Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS["store_id"]), AfterValidator(_seen)]
Message = Annotated[str, Field(max_length=MOST_CHARACTERS["message"]), AfterValidator(_text)]
Quantity = Annotated[int | float | None, BeforeValidator(_quantity)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class ItemBody(_Body):
    """One item of the withdrawal, in the consumer's words. Without `qty`: all of it."""

    item: ItemName
    qty: Quantity = None


class _Part(_Body):
    """The fields that both bodies have. null counts as absent."""

    items: Annotated[list[ItemBody], Field(min_length=1, max_length=MOST_ITEMS)] | None = None
    message: Message | None = None


class CustomersBody(_Part):
    """Source: the OpenAPI document's `OrderWithdrawalRequest`."""

    name: Name | None = None
    email: Address | None = None


class AnyonesBody(_Part):
    """Source: the OpenAPI document's `WithdrawalRequest`."""

    name: Name
    email: Address
    order: OrderName
    store_id: StoreId | None = None
    language: Annotated[str, AfterValidator(_tag)] | None = None


def submitted(request: WithdrawalRequest, made: Submitted) -> Answer:
    """201, the same for a repeat. An address that was taken from the order is shown masked."""
    stored = made.statement
    masked = mask(stored.statement["email"])
    said = stored.statement if "email" in request.given else {**stored.statement, "email": masked}
    document = {
        "withdrawal_id": stored.withdrawal_id,
        "received_at": stored.received_at,
        "statement": said,
        "receipt": stored.receipt,
        "acknowledgement": {"channel": "email", "to": masked},
    }
    headers = {"idempotency-replayed": "true"} if made.replayed else {}
    return Answer(document, headers, {"withdrawal_id": stored.withdrawal_id}, status=201)


def mask(address: str) -> str:
    """a•••@example.com"""
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain}"
