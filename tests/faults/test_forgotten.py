"""Lost events and messages, and dead-letter queues: recovery is automatic or by the operator's command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.faults.conftest import World, about
from tests.support import documents
from tests.support import proxy as faults
from tests.support.aws import EventWatch
from tests.support.proxy import Request
from tests.support.shop import Shop
from tests.support.waiting import wait_until

PUBLISH, REFUND = "PublishEventsFunction", "RefundOrderFunction"
SECONDS = 60
ALWAYS = 10**9


@pytest.fixture
def heard(world: World) -> Iterator[EventWatch]:
    watch = EventWatch.open(world.aws)
    yield watch
    watch.close()


def messages_in(world: World, queue: str) -> int:
    told = world.aws.sqs.get_queue_attributes(QueueUrl=world.stack.services.queues[queue], AttributeNames=["All"])
    return int(told["Attributes"]["ApproximateNumberOfMessages"])


def has_ended(shop: Shop, order_id: str) -> Callable[[], bool]:
    return lambda: shop.cancellation(order_id)["refund"]["status"] == "succeeded"


def test_a_change_that_was_never_published_is_refunded_all_the_same(
    world: World, shop: Shop, heard: EventWatch
) -> None:
    order_id, before = shop.put(**documents.paid()), messages_in(world, "PublishDeadLetterQueue")
    world.proxies[PUBLISH].plan(about("PutEvents", order_id), faults.fail(500), times=ALWAYS)

    shop.canceled(order_id)

    # The record is given up after its retries; the order itself remembers that a refund is pending.
    wait_until(
        lambda: messages_in(world, "PublishDeadLetterQueue") > before,
        what="the record lies in the dead-letter queue",
        seconds=SECONDS,
    )
    wait_until(has_ended(shop, order_id), what="the refund has succeeded", seconds=SECONDS)
    assert {event["detail-type"] for event in heard.of(order_id)} == {"OrderCanceled"}
    (announced,) = heard.of(order_id, "OrderCanceled")
    assert announced["detail"]["cancellation_id"] == shop.cancellation(order_id)["cancellation_id"]


def test_a_message_that_was_lost_from_the_refund_queue_is_announced_again(world: World, shop: Shop) -> None:
    order_id = shop.put(**documents.paid())
    taken: list[str] = []

    def lose(_request: Request) -> None:
        world.aws.sqs.purge_queue(QueueUrl=world.stack.services.queues["RefundQueue"])
        world.kill(REFUND)
        taken.append(order_id)

    world.proxies[REFUND].plan(about("BatchGetItem", order_id), faults.before(lose))

    shop.canceled(order_id)

    wait_until(has_ended(shop, order_id), what="the refund has succeeded", seconds=SECONDS)
    assert taken == [order_id]
    assert any(about("PutEvents", order_id)(one.request) for one in world.proxies["ReconcileRefundsFunction"].seen)


def test_a_poisoned_record_and_a_poisoned_message_do_not_hold_up_the_others(world: World, shop: Shop) -> None:
    records, letters = (messages_in(world, name) for name in ("PublishDeadLetterQueue", "RefundDeadLetterQueue"))
    poison = shop.put(**documents.paid())
    # Written by a system with the permissions: a cancellation that cannot be parsed, and an invalid message.
    shop.aws.orders.update_item(
        Key={"order_id": poison},
        UpdateExpression="SET cancellation = :broken",
        ExpressionAttributeValues={":broken": {"cancellation_id": "can_of_nobody", "refund": "all of it"}},
    )
    queue, sqs = world.stack.services.queues["RefundQueue"], world.aws.sqs
    redrive = json.loads(
        sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    )
    # Two tries instead of five, of which the last comes minutes after the first.
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(redrive | {"maxReceiveCount": 2})})
    try:
        sqs.send_message(QueueUrl=queue, MessageBody="no event at all")

        for _ in range(3):
            order_id = shop.put(**documents.paid())
            shop.canceled(order_id)
            shop.refunded(order_id)

        wait_until(
            lambda: (
                messages_in(world, "PublishDeadLetterQueue") > records
                and messages_in(world, "RefundDeadLetterQueue") > letters
            ),
            what="what can't be read lies before a person",
            seconds=SECONDS,
        )
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(redrive)})
    assert shop.aws.order(poison)["cancellation"]["cancellation_id"] == "can_of_nobody"


def pending(answer: faults.Answer) -> faults.Answer:
    """Stripe has taken the refund, and will know later."""
    return replace(answer, body=json.dumps(json.loads(answer.body) | {"status": "pending"}).encode())


def failed(answer: faults.Answer) -> faults.Answer:
    """The customer's bank has sent it back."""
    told = json.loads(answer.body) | {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    return replace(answer, body=json.dumps(told).encode())


@pytest.mark.parametrize("ends", ["succeeded", "failed"])
def test_a_refund_that_is_pending_at_the_provider_is_looked_at_until_it_has_ended(
    world: World, shop: Shop, heard: EventWatch, ends: str
) -> None:
    source = documents.paid()
    owed = source["payments"][0]["amount_captured"]
    intent = world.account.paid(owed)
    order_id = shop.put(**source | {"payments": [documents.captured(owed, provider="stripe", reference=intent)]})
    world.stripe.plan(about("POST /v1/refunds", intent), faults.change_answer(pending))

    def look(request: faults.Request) -> bool:
        return request.method == "GET" and request.path.startswith("/v1/refunds/")

    # Two looks without a result; the third shows how it has ended.
    world.stripe.plan(look, faults.change_answer(pending), times=2)
    if ends == "failed":
        world.stripe.plan(look, faults.change_answer(failed), times=ALWAYS)

    shop.canceled(order_id)

    def leg() -> dict[str, Any]:
        (only,) = shop.cancellation(order_id)["refund"]["payments"]
        return dict(only)

    wait_until(lambda: leg()["reference"], what="the provider has taken it", seconds=SECONDS)
    assert leg()["status"] == "pending"
    wait_until(lambda: leg()["status"] == ends, what=f"it has {ends}", seconds=SECONDS)
    assert world.account.refunds(intent) == [owed]
    heard.wait_for(order_id, "OrderRefunded" if ends == "succeeded" else "OrderRefundFailed")
    booked = shop.stored(order_id)["payments"][0].get("amount_refunded", 0)
    assert booked == (owed if ends == "succeeded" else 0)
    if ends == "failed":
        refund = world.aws.refund(shop.cancellation(order_id)["refund"]["refund_id"])
        assert refund["failure"]["code"] == "PROVIDER_DECLINED"
        assert "expired_or_canceled_card" in refund["failure"]["message"]
