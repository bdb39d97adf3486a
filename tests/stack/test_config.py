"""The config table: what an admin writes is in force, and what is wrong leaves in force what was right before."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.support import documents
from tests.support.aws import Aws, EventWatch
from tests.support.openapi import body_of
from tests.support.shop import REASONS, Shop, refused
from tests.support.stack import Running
from tests.support.waiting import wait_until

TOLD_SECONDS = 60.0
"""Within so long an admin is told what is wrong, on a machine with much else to do; on a free one within one or two."""

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
    "guest access is another word": {"guest_access": "on"},
    "guest access is a number": {"guest_access": 1},
    "withdrawal is a word": {"withdrawal": "Yes"},
    "withdrawal has an unknown key": {"withdrawal": {"enable": True}},
    "withdrawal is on by a number": {"withdrawal": {"enabled": Decimal(1)}},
    "too few days to withdraw": {"withdrawal": {"days": Decimal(13)}},
    "half a day to withdraw": {"withdrawal": {"days": Decimal("14.5")}},
    "a time zone with blanks in it": {"withdrawal": {"time_zone": "Europe / Stockholm"}},
    "a country in words": {"withdrawal": {"country": "Sweden"}},
    "the basis is another word": {"refund_basis": "captured"},
    "the basis in capitals": {"refund_basis": "Paid"},
    "the basis is empty": {"refund_basis": ""},
    "the basis is a list": {"refund_basis": ["paid"]},
    "the basis is a truth": {"refund_basis": True},
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


def validation(aws: Aws, scope: str) -> str:
    """What the admin reads on the item."""
    item = aws.config_item(scope)
    return str(item.get("validation", "")) if item else ""


def told(aws: Aws, scope: str, *words: str) -> str:
    """Waits until the item says all of this, and gives what it says."""

    def said() -> str:
        text = validation(aws, scope)
        return text if all(word in text for word in words) else ""

    return wait_until(said, what=f"{scope} says {words}", seconds=TOLD_SECONDS)


def named_in(wrong: dict[str, Any]) -> str:
    """What the admin is told to look at: the attribute; of reasons the one, by its number."""
    (attribute,) = wrong
    return "reason" if attribute == "reasons" else attribute


@pytest.mark.parametrize("wrong", INVALID.values(), ids=INVALID.keys())
def test_a_wrong_edit_leaves_what_was_right_and_says_which_attribute(shop: Shop, wrong: dict[str, Any]) -> None:
    order_id = shop.put(status="payment_review")
    good = GOOD | {"cancellable_statuses": ["payment_review"]}
    shop.configure_exactly(**good)
    shop.accepted()

    shop.configure_exactly(**good | wrong)

    # From the first request on, before anyone has looked at the edit.
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(documents.REASONS)}
    text = told(shop.aws, shop.scope, "NOT IN FORCE: scope ", shop.scope, named_in(wrong), "stays in force")
    assert not is_disabled(shop, order_id)
    assert shop.actions(order_id) == ["CANCEL"], text
    # Turning off works all the same.
    shop.configure_exactly(**good | wrong | {"enabled": "No"})
    assert is_disabled(shop, order_id)
    # Corrected, it is in force with the next request.
    shop.configure_exactly(**GOOD | {"reasons": documents.REASONS[:1]})
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(documents.REASONS[:1])}


@pytest.mark.parametrize("wrong", [INVALID["no reason"], INVALID["a misspelt attribute"], INVALID["enabled is empty"]])
def test_where_nothing_ever_was_right_it_is_off(stack: Running, aws: Aws, wrong: dict[str, Any]) -> None:
    with closing(Shop(aws, stack.endpoint)) as shop:
        order_id = shop.put()
        shop.configure_exactly(**GOOD | wrong)

        assert is_disabled(shop, order_id)
        told(aws, shop.scope, "NOT IN FORCE", named_in(wrong), "there is no earlier version that is right")
        assert is_disabled(shop, order_id)
        refused(shop.cancel(order_id), 409, "ORDER_CANCELLATION_DISABLED")


def test_a_wrong_edit_is_told_in_the_log_and_on_the_bus(stack: Running, shop: Shop) -> None:
    shop.accepted()
    with closing(EventWatch.open(shop.aws, "cancel-core.config")) as watch:
        shop.configure(reasons=[*documents.REASONS, {"code": "late"}])

        text = f"scope {shop.scope}: reason 3 has no description; give it one"
        told(shop.aws, shop.scope, text)

        def mine() -> list[dict[str, Any]]:
            watch.drain()
            return [event["detail"] for event in watch.seen if event["detail"]["scope"] == shop.scope]

        (detail,) = wait_until(mine, what="the event", seconds=TOLD_SECONDS)
    assert text in detail["message"]
    assert [problem["attribute"] for problem in detail["problems"]] == ["reasons"]
    wait_until(lambda: text in stack.said(), what="the log line", seconds=TOLD_SECONDS)


def test_a_deleted_scope_does_not_come_back_with_a_wrong_one(shop: Shop) -> None:
    shop.accepted()
    order_id = shop.put()
    shop.aws.config.delete_item(Key={"scope": shop.scope})
    assert reasons(shop)["reasons"] != documents.offered(documents.REASONS)
    shop.configure(enabled="perhaps")

    told(shop.aws, shop.scope, "NOT IN FORCE", "no earlier version")
    assert is_disabled(shop, order_id)


def test_its_words_on_the_item_are_no_setting_and_follow_the_edit(shop: Shop) -> None:
    shop.accepted()
    item = shop.aws.config_item(shop.scope)
    assert item
    shop.aws.config.put_item(Item=item | {"enabled": "perhaps"})
    told(shop.aws, shop.scope, "NOT IN FORCE", "enabled is neither Yes nor No")
    shop.aws.config.put_item(Item=item | {"reasons": documents.REASONS[::-1]})
    told(shop.aws, shop.scope, "In force since ")
    assert reasons(shop)["reasons"] == documents.offered(documents.REASONS[::-1])


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
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(documents.REASONS)}
    assert (shop.actions(pending), shop.actions(in_review)) == ([], ["CANCEL"])

    shop.configure_exactly(cancellable_statuses=["pending"])
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(DEFAULT["reasons"])}
    assert (shop.actions(pending), shop.actions(in_review)) == (["CANCEL"], [])

    shop.configure_exactly(enabled=False)
    assert is_disabled(shop, pending)

    shop.configure_exactly()
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(DEFAULT["reasons"])}
    # The reason itself counts, not its being in default.
    assert shop.canceled(in_review, reason="default_reason")["cancellation"]["reason"] == {
        "code": "default_reason",
        "description": "Of every store",
    }


def test_a_store_without_a_scope_has_the_default(shop: Shop, default_config: Aws) -> None:
    default_config.config.put_item(Item=DEFAULT)
    default_config.config.delete_item(Key={"scope": shop.scope})
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(DEFAULT["reasons"])}


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
def test_a_wrong_default_leaves_every_store_as_it_was(shop: Shop, default_config: Aws, wrong: dict[str, Any]) -> None:
    order_id = shop.put()
    shop.configure_exactly(cancellable_statuses=["pending"])
    known = as_default(default_config, DEFAULT)

    default_config.config.put_item(Item=DEFAULT | wrong)

    assert not is_disabled(shop, order_id)
    told(shop.aws, "default", "NOT IN FORCE", named_in(wrong), known)
    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(DEFAULT["reasons"])}
    # Off counts for every store that has no switch of its own.
    default_config.config.put_item(Item=DEFAULT | wrong | {"enabled": False})
    assert is_disabled(shop, order_id)


def as_default(aws: Aws, item: dict[str, Any]) -> str:
    """Puts `default` and waits until it is known as the version to fall back to. Since when it is.

    With a mark of its own: an earlier edit that was the same may only now be looked at, and told of on this item.
    """
    aws.config.put_item(Item=item | {"mail": {"shop_name": uuid4().hex}})
    return told(aws, "default", "In force since ").removeprefix("In force since ").rstrip(".")


def test_a_default_that_loses_its_reasons_takes_no_store_down(shop: Shop, default_config: Aws) -> None:
    order_id = shop.put()
    as_default(default_config, DEFAULT)
    shop.configure_exactly(enabled=True)
    shop.accepted()

    default_config.config.put_item(Item={"scope": "default", "enabled": False})

    assert reasons(shop) == {"enabled": True, "reasons": documents.offered(DEFAULT["reasons"])}
    told(shop.aws, "default", "but not for ", "the reasons stay that stood here before")
    told(shop.aws, shop.scope, "In force with the reasons that default had before")
    assert not is_disabled(shop, order_id)


def test_enabled_in_default_without_any_reason_is_wrong(shop: Shop, default_config: Aws) -> None:
    shop.configure_exactly()
    as_default(default_config, {"scope": "default", "enabled": False})
    default_config.config.put_item(Item={"scope": "default", "enabled": True})
    assert is_disabled(shop, shop.put())
    told(shop.aws, "default", "NOT IN FORCE", "reasons is empty")


def test_statuses_of_its_own(shop: Shop) -> None:
    shop.configure(cancellable_statuses=["fraud_review"])
    assert shop.actions(shop.put(status="fraud_review")) == ["CANCEL"]
    assert shop.actions(shop.put(status="processing")) == []


def test_a_change_is_in_force_without_a_deployment(shop: Shop) -> None:
    order_id = shop.put()
    for enabled in (True, False, True):
        shop.configure(enabled=enabled)
        assert is_disabled(shop, order_id) is not enabled


def owed(shop: Shop) -> int:
    """What a cancel of an order gives back of which 200.00 are invoiced and 250.00 paid."""
    order_id = shop.put(**documents.paid(payments=[documents.captured(25000)]))
    amount: int = shop.eligibility(order_id)["refund"]["amount"]
    return amount


def test_a_refund_basis_of_its_own(shop: Shop, default_config: Aws) -> None:
    assert owed(shop) == 20000
    default_config.config.put_item(Item=DEFAULT | {"refund_basis": "paid"})
    assert owed(shop) == 25000
    shop.configure(refund_basis="invoiced")
    assert owed(shop) == 20000


def test_a_wrong_refund_basis_leaves_the_one_before(shop: Shop) -> None:
    shop.configure(refund_basis="paid")
    shop.accepted()
    shop.configure(refund_basis="all")
    told(shop.aws, shop.scope, "NOT IN FORCE", "refund_basis is neither invoiced nor paid", "stays in force")
    assert owed(shop) == 25000


def test_an_order_keeps_the_basis_on_which_it_was_cancelled(shop: Shop) -> None:
    shop.configure(refund_basis="paid")
    order_id = shop.put(**documents.paid(payments=[documents.captured(25000)]))
    shop.canceled(order_id)
    shop.configure(refund_basis="invoiced")
    assert shop.refunded(order_id)["refund"]["amount"] == 25000
    assert shop.stored(order_id)["cancellation"]["basis"] == "paid"
