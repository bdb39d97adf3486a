"""The endpoints by path."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.stripe import charges, intents, refunds, wallets
from local.stripe.errors import Refusal

Endpoint = Callable[..., dict[str, Any]]

_ID = "([^/]+)"
_ROUTES: list[tuple[str, str, Endpoint]] = [
    ("POST", "/v1/payment_methods", wallets.create_method),
    ("GET", f"/v1/payment_methods/{_ID}", wallets.retrieve_method),
    ("POST", "/v1/tokens", wallets.create_token),
    ("POST", "/v1/customers", wallets.create_customer),
    ("GET", "/v1/customers", wallets.every_customer),
    ("GET", f"/v1/customers/{_ID}", wallets.retrieve_customer),
    ("POST", "/v1/payment_intents", intents.create),
    ("GET", "/v1/payment_intents", intents.every),
    ("GET", f"/v1/payment_intents/{_ID}", intents.retrieve),
    ("POST", f"/v1/payment_intents/{_ID}", intents.update),
    ("POST", f"/v1/payment_intents/{_ID}/confirm", intents.confirm),
    ("POST", f"/v1/payment_intents/{_ID}/capture", intents.capture),
    ("POST", f"/v1/payment_intents/{_ID}/cancel", intents.cancel),
    ("POST", "/v1/charges", charges.create),
    ("GET", "/v1/charges", charges.every),
    ("GET", f"/v1/charges/{_ID}", charges.retrieve),
    ("POST", f"/v1/charges/{_ID}", charges.update),
    ("POST", f"/v1/charges/{_ID}/capture", charges.capture),
    ("GET", f"/v1/charges/{_ID}/refunds", refunds.of_charge),
    ("POST", "/v1/refunds", refunds.create),
    ("GET", "/v1/refunds", refunds.every),
    ("GET", f"/v1/refunds/{_ID}", refunds.retrieve),
    ("POST", f"/v1/refunds/{_ID}", refunds.update),
    ("POST", f"/v1/refunds/{_ID}/cancel", refunds.cancel),
]
_COMPILED = [(method, re.compile(path).fullmatch, endpoint) for method, path, endpoint in _ROUTES]


def route(method: str, path: str) -> tuple[Endpoint, tuple[str, ...]]:
    """The endpoint and the ids of its path. Raises Refusal."""
    for known, matches, endpoint in _COMPILED:
        if known == method and (match := matches(path)):
            return endpoint, match.groups()
    raise Refusal(404, f"Unrecognized request URL ({method}: {path}).", begun=False)
