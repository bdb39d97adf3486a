"""Cards as a shop submits them: payment methods and tokens; and customers, as far as payments name them."""

from __future__ import annotations

import re
from typing import Any

from local.stripe.calls import PAGED, Call
from local.stripe.cards import by_number, ready_made
from local.stripe.errors import Refusal, invalid
from local.stripe.objects import Card, Customer, Method, new_id


def create_method(call: Call) -> dict[str, Any]:
    call.params.allow(("type", "card", "billing_details", "metadata"))
    if call.params.needed("type") != "card":
        raise invalid("Invalid type: this server knows cards alone.", "type")
    return _made(call, "pm", call.params.metadata())


def create_token(call: Call) -> dict[str, Any]:
    call.params.allow(("card",))
    return _made(call, "tok", {})


def _made(call: Call, prefix: str, metadata: dict[str, str]) -> dict[str, Any]:
    method = Method(new_id(prefix), call.now, _card(call), metadata=metadata)
    call.account.add(method)
    return call.show(method)


def _card(call: Call) -> Card:
    given = call.params.given.get("card")
    if not isinstance(given, dict):
        raise invalid("Missing required param: card.", "card", "parameter_missing")
    if token := given.get("token"):
        known = ready_made(token)
        if known:
            return known
        made: Method = call.account.find(Method, token, "card[token]", 400)
        return made.card
    number = str(given.get("number", ""))
    card = by_number(number)
    if card is None:
        # Not a test card.
        digits = re.sub(r"\D", "", number)
        raise Refusal(
            402,
            f"Your card was declined. Your request was in test mode, but used a non test card ({digits[-4:]}).",
            type="card_error", code="card_declined", decline_code="test_mode_live_card", param="number",
        )  # fmt: skip
    return card


def retrieve_method(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    return call.show(call.account.find(Method, name, "payment_method"))


def create_customer(call: Call) -> dict[str, Any]:
    params = call.params
    params.allow(("email", "name", "description", "metadata", "source", "payment_method", "phone", "address"))
    metadata, source = params.metadata(), params.text("source") or params.text("payment_method")
    if source and not ready_made(source):
        call.account.find(Method, source, "source", 400)
    customer = Customer(
        new_id("cus"), call.now, params.text("email"), params.text("name"), params.text("description"), source,
        metadata,
    )  # fmt: skip
    call.account.add(customer)
    return call.show(customer)


def retrieve_customer(call: Call, name: str) -> dict[str, Any]:
    call.params.allow(())
    return call.show(call.account.find(Customer, name))


def every_customer(call: Call) -> dict[str, Any]:
    call.params.allow((*PAGED, "email"))
    email = call.params.text("email")
    return call.page([one for one in call.account.all(Customer) if email in (None, one.email)])
