"""A provider that is unavailable for longer than the retries last."""

from __future__ import annotations

import json

import pytest

from tests.faults.conftest import World, about
from tests.support import documents
from tests.support import proxy as faults
from tests.support.waiting import wait_until


def test_a_refund_whose_provider_was_away_for_longer_than_the_retries_is_healed_by_the_reconciler(world: World) -> None:
    shop, queues = world.shop(), world.stack.services.queues
    sqs, url = world.aws.sqs, queues["RefundQueue"]
    source = documents.paid()
    owed = source["payments"][0]["amount_captured"]
    intent = world.account.paid(owed)
    payment = source["payments"][0] | {"provider": "stripe", "reference": intent}
    order_id = shop.put(**source | {"payments": [payment]})
    redrive = json.loads(
        sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]["RedrivePolicy"]
    )

    def dead() -> int:
        told = sqs.get_queue_attributes(QueueUrl=queues["RefundDeadLetterQueue"], AttributeNames=["All"])
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    before = dead()
    # Two tries instead of five, of which the last comes minutes after the first.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive | {"maxReceiveCount": 2})})
    world.stripe.plan(lambda request: intent in request.path + request.body.decode(), faults.refuse, times=10**9)
    try:
        shop.canceled(order_id)
        wait_until(lambda: dead() > before, what="the message lies in the dead-letter queue", seconds=60)

        assert shop.cancellation(order_id)["refund"]["status"] == "pending"
        refund = world.aws.refund(shop.cancellation(order_id)["refund"]["refund_id"])
        assert "APIConnectionError" in refund["last_error"]["message"]
        assert world.account.refunds(intent) == []
    finally:
        world.stripe.clear()
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(redrive)})

    shop.refunded(order_id)
    assert world.account.refunds(intent) == [owed]
    assert shop.stored(order_id)["payments"][0]["amount_refunded"] == owed
    asked = world.proxies["ReconcileRefundsFunction"]
    assert any(about("PutEvents", order_id)(one.request) for one in asked.seen)


def test_a_provider_that_is_away_is_told_of_without_the_payments_reference(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = world.shop()
    source = documents.paid()
    owed = source["payments"][0]["amount_captured"]
    intents = [world.account.paid(owed) for _ in range(3)]
    assert world.stack.template.parameters["LogLevel"] == "DEBUG"
    said = ""
    for intent, fault in zip(intents, (faults.refuse, faults.drop_answer, faults.fail(500)), strict=True):
        payment = source["payments"][0] | {"provider": "stripe", "reference": intent}
        order_id = shop.put(**source | {"payments": [payment]})
        world.stripe.plan(lambda request: intent in request.path + request.body.decode(), fault, times=2)  # noqa: B023 - done with before the next turn
        shop.canceled(order_id)
        shop.refunded(order_id)
        said += capsys.readouterr().out
        assert order_id in said
    assert "ProviderUnavailable" in said
    assert not [intent for intent in intents if intent in said]


def test_a_void_and_a_part_are_done_at_stripe_too(world: World) -> None:
    shop = world.shop()
    partly = documents.paid()
    owed = partly["payments"][0]["amount_captured"]
    part = world.account.paid(owed + 700)
    authorized = world.account.authorized(500)
    payments = [
        documents.captured(owed + 700, "p1", provider="stripe", reference=part),
        documents.authorized(500, "p2", provider="stripe", reference=authorized),
    ]
    order_id = shop.put(**partly | {"payments": payments})

    shop.canceled(order_id)

    refund = shop.refunded(order_id)["refund"]
    assert [leg["action"] for leg in refund["payments"]] == ["refund", "void"]
    assert world.account.refunds(part) == [owed]
    assert world.account.status(authorized) == "canceled"
    after = shop.stored(order_id)["payments"]
    assert (after[0]["amount_refunded"], after[1]["amount_voided"]) == (owed, 500)
