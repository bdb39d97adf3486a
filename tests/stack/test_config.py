"""The config table: what an admin writes is in force, and what is wrong means disabled."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.contract_support import documents
from tests.contract_support.aws import Aws
from tests.contract_support.openapi import body_of
from tests.contract_support.shop import REASONS, Shop, refused

GOOD: dict[str, Any] = {"enabled": True, "reasons": documents.REASONS}
DEFAULT: dict[str, Any] = {
    "scope": "default",
    "enabled": True,
    "reasons": [{"code": "default_reason", "description": "Of every store"}],
}

INVALID: dict[str, dict[str, Any]] = {
    "no reason": {"reasons": []},
    "reasons is text": {"reasons": "other"},
    "reasons is a map": {"reasons": {"code": "other", "description": "Other"}},
    "a reason is text": {"reasons": ["other"]},
    "a reason without code": {"reasons": [{"description": "Other"}]},
    "a reason without description": {"reasons": [{"code": "other"}]},
    "an empty code": {"reasons": [{"code": "", "description": "Other"}]},
    "a blank code": {"reasons": [{"code": "  ", "description": "Other"}]},
    "an empty description": {"reasons": [{"code": "other", "description": ""}]},
    "a blank description": {"reasons": [{"code": "other", "description": " \t"}]},
    "a repeated code": {"reasons": [*documents.REASONS, {"code": "other", "description": "Once more"}]},
    "a code that is a number": {"reasons": [{"code": 1, "description": "Other"}]},
    "a description that is a number": {"reasons": [{"code": "other", "description": 1}]},
    "a code nobody could send": {"reasons": [{"code": "x" * 65, "description": "Other"}]},
    "an unknown attribute of a reason": {"reasons": [{"code": "other", "description": "Other", "position": 1}]},
    "an unknown attribute": {"enable": True},
    "a misspelt attribute": {"cancelable_statuses": ["pending"]},
    "enabled is another word": {"enabled": "on"},
    "enabled is empty": {"enabled": ""},
    "enabled is a number": {"enabled": 1},
    "enabled is null": {"enabled": None},
    "enabled is a list": {"enabled": [True]},
    "statuses is text": {"cancellable_statuses": "pending"},
    "statuses is a set": {"cancellable_statuses": {"pending"}},
    "a status is a number": {"cancellable_statuses": [Decimal(1)]},
    "a status is blank": {"cancellable_statuses": ["pending", " "]},
    **{
        f"the status {status}": {"cancellable_statuses": ["pending", status]}
        for status in ("hold", "holded", "canceled", "complete", "closed")
    },
}


def reasons(shop: Shop) -> dict[str, Any]:
    body: dict[str, Any] = body_of(shop.client.get(REASONS, params={"store_id": shop.store_id}))
    return body


def is_disabled(shop: Shop, order_id: str) -> bool:
    """All who ask are told the same."""
    told = reasons(shop)
    codes = [blocker["code"] for blocker in shop.eligibility(order_id)["blockers"]]
    assert told["enabled"] == ("ORDER_CANCELLATION_DISABLED" not in codes)
    assert shop.actions(order_id) == (["CANCEL"] if told["enabled"] and not codes else [])
    return not told["enabled"]


@pytest.mark.parametrize("wrong", INVALID.values(), ids=INVALID.keys())
def test_an_invalid_store_scope_disables_that_store(shop: Shop, wrong: dict[str, Any]) -> None:
    order_id = shop.put()
    shop.configure_exactly(**GOOD | wrong)
    assert is_disabled(shop, order_id)
    assert reasons(shop) == {"enabled": False, "reasons": []}
    refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")
    # Mended, it is in force with the next request.
    shop.configure_exactly(**GOOD)
    assert not is_disabled(shop, order_id)


def test_an_invalid_scope_of_another_store_is_none_of_this_ones_business(shop: Shop) -> None:
    shop.aws.config.put_item(Item={"scope": f"{shop.scope}-other", "enabled": "perhaps"})
    assert not is_disabled(shop, shop.put())


@pytest.mark.parametrize("word", ["Yes", "yes", "YES", "true", "True", "TRUE"])
def test_words_that_mean_yes(shop: Shop, word: str) -> None:
    shop.configure(enabled=word)
    assert not is_disabled(shop, shop.put())


@pytest.mark.parametrize("word", ["No", "no", "NO", "false", "False", False])
def test_words_that_mean_no(shop: Shop, word: str | bool) -> None:
    shop.configure(enabled=word)
    assert is_disabled(shop, shop.put())


def test_a_store_overrides_default_attribute_by_attribute(shop: Shop, default_config: Aws) -> None:
    default_config.config.put_item(Item=DEFAULT | {"cancellable_statuses": ["payment_review"]})
    pending, in_review = shop.put(), shop.put(status="payment_review")

    shop.configure_exactly(reasons=documents.REASONS)
    assert reasons(shop) == {"enabled": True, "reasons": documents.REASONS}
    assert (shop.actions(pending), shop.actions(in_review)) == ([], ["CANCEL"])

    shop.configure_exactly(cancellable_statuses=["pending"])
    assert reasons(shop) == {"enabled": True, "reasons": DEFAULT["reasons"]}
    assert (shop.actions(pending), shop.actions(in_review)) == (["CANCEL"], [])

    shop.configure_exactly(enabled=False)
    assert is_disabled(shop, pending)

    shop.configure_exactly()
    assert reasons(shop) == {"enabled": True, "reasons": DEFAULT["reasons"]}
    # The reason itself counts, not its being in default.
    assert shop.canceled(in_review, reason="default_reason")["cancellation"]["reason"] == {
        "code": "default_reason",
        "description": "Of every store",
    }


def test_a_store_without_a_scope_has_the_default(shop: Shop, default_config: Aws) -> None:
    default_config.config.put_item(Item=DEFAULT)
    default_config.config.delete_item(Key={"scope": shop.scope})
    assert reasons(shop) == {"enabled": True, "reasons": DEFAULT["reasons"]}


def test_a_store_may_be_enabled_where_default_is_not(shop: Shop, default_config: Aws) -> None:
    default_config.config.put_item(Item={"scope": "default", "enabled": False})
    assert not is_disabled(shop, shop.put())


def test_absent_config_is_disabled(shop: Shop, default_config: Aws) -> None:
    order_id = shop.put()
    default_config.config.delete_item(Key={"scope": "default"})
    # The store's own is enough by itself.
    assert not is_disabled(shop, order_id)
    default_config.config.delete_item(Key={"scope": shop.scope})
    assert is_disabled(shop, order_id)
    refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")
    # Reasons alone do not enable.
    shop.configure_exactly(reasons=documents.REASONS)
    assert is_disabled(shop, order_id)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reasons": []},
        {"enabled": "perhaps"},
        {"enable": True},
        {"cancellable_statuses": ["closed"]},
        {"reasons": [{"code": " ", "description": "x"}]},
    ],
)
def test_an_invalid_default_disables_every_store(shop: Shop, default_config: Aws, wrong: dict[str, Any]) -> None:
    order_id = shop.put()
    default_config.config.put_item(Item=DEFAULT | wrong)
    assert is_disabled(shop, order_id)
    refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")


def test_enabled_in_default_without_any_reason_is_invalid(shop: Shop, default_config: Aws) -> None:
    default_config.config.put_item(Item={"scope": "default", "enabled": True})
    assert is_disabled(shop, shop.put())


def test_statuses_of_its_own(shop: Shop) -> None:
    shop.configure(cancellable_statuses=["fraud_review"])
    assert shop.actions(shop.put(status="fraud_review")) == ["CANCEL"]
    assert shop.actions(shop.put(status="processing")) == []


def test_a_change_is_in_force_without_a_deployment(shop: Shop) -> None:
    order_id = shop.put()
    for enabled in (True, False, True):
        shop.configure(enabled=enabled)
        assert is_disabled(shop, order_id) is not enabled
