"""The operator's command against the running stack, as an operator types it."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise

from ops.__main__ import main as shell
from tests.support import documents
from tests.support.batches import failed_batch
from tests.support.shop import Shop
from tests.support.stack import Running
from tests.support.waiting import wait_until

WHO = ("--by", "ann@shop.example", "--why", "seen to it")


def operate(stack: Running, *arguments: str, code: int = 0) -> str:
    """What is said, on standard output and error. A process of its own would cost a second each time."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        assert shell(["refunds", "--url", stack.endpoint, *arguments]) == code
    return said.getvalue()


def short(shop: Shop) -> str:
    """An order whose refund has failed, for its payments hold too little."""
    source = documents.paid()
    order_id = shop.put(**source | {"payments": [{**source["payments"][0], "amount_captured": 1}]})
    shop.canceled(order_id)
    shop.refunded(order_id, "failed")
    return order_id


def test_a_failed_refund_is_listed_shown_and_settled_by_hand(shop: Shop, stack: Running) -> None:
    order_id = short(shop)
    refund_id = shop.cancellation(order_id)["refund"]["refund_id"]

    listed = operate(stack, "list").splitlines()
    assert listed[0].split() == ["REFUND", "ORDER", "STATUS", "AMOUNT", "AGE", "NEXT"]
    ((line, below),) = [pair for pair in pairwise(listed) if pair[0].startswith(refund_id)]
    assert re.split("  +", line)[1:4] == [order_id, "failed", "200.00 SEK"]
    assert re.search(r" \d+ s  correct the payments, then retry; or settle$", line)
    assert below.startswith("    INSUFFICIENT_CAPTURED_AMOUNT ")
    (told,) = [one for one in json.loads(operate(stack, "list", "--json"))["refunds"] if one["refund_id"] == refund_id]
    assert (told["order_id"], told["amount"], told["currency"]) == (order_id, 20000, "SEK")
    story = operate(stack, "show", order_id)
    assert "INSUFFICIENT_CAPTURED_AMOUNT" in story
    assert "Cancelled by the customer" in story
    assert "hold less than is owed" in operate(stack, "retry", refund_id, *WHO, code=1)
    assert "settled by hand" in operate(stack, "settle", refund_id, *WHO)
    assert "nothing to do" in operate(stack, "settle", refund_id, *WHO)

    refund = shop.cancellation(order_id)["refund"]
    assert (refund["status"], refund["failure"]) == ("succeeded", None)
    assert refund_id not in operate(stack, "list")
    assert "settled by hand by ann@shop.example: seen to it" in operate(stack, "show", refund_id)


def test_a_refund_is_tried_again_once_its_payments_are_corrected(shop: Shop, stack: Running) -> None:
    order_id = short(shop)
    payments = shop.aws.order(order_id)["payments"]
    payments[0]["amount_captured"] = documents.paid()["payments"][0]["amount_captured"]
    shop.aws.orders.update_item(
        Key={"order_id": order_id},
        UpdateExpression="SET payments = :payments",
        ExpressionAttributeValues={":payments": payments},
    )

    assert "tried again" in operate(stack, "retry", order_id, *WHO)

    shop.refunded(order_id)
    assert shop.stored(order_id)["status"] == "closed"


def test_what_lies_in_the_dead_letter_queues_is_put_back_on_its_way(shop: Shop, stack: Running) -> None:
    order_id = shop.put(**documents.paid())
    shop.canceled(order_id)
    shop.refunded(order_id)
    cancellation_id = shop.cancellation(order_id)["cancellation_id"]
    sqs, queues = shop.aws.sqs, stack.info.queues
    refund_message = {"detail": {"order_id": order_id, "cancellation_id": cancellation_id}}
    sqs.send_message(QueueUrl=queues["RefundDeadLetterQueue"], MessageBody=json.dumps(refund_message))
    sqs.send_message(
        QueueUrl=queues["PublishDeadLetterQueue"], MessageBody=json.dumps(failed_batch(stack, order_id, "cancellation"))
    )
    before = shop.stored(order_id)

    listed = re.sub("  +", "  ", operate(stack, "list"))
    assert f"RefundDeadLetterQueue  order {order_id}  requeue" in listed
    assert "PublishDeadLetterQueue  2 change(s) of orders at" in listed

    def requeued() -> bool:
        # What was looked at stays hidden for a while.
        said.append(operate(stack, "requeue"))
        return all(part in "".join(said) for part in (f"order {order_id}: sent to the refund queue again", "published"))

    said: list[str] = []
    wait_until(requeued, what="everything is requeued", seconds=60, every=2)
    for name in ("RefundDeadLetterQueue", "PublishDeadLetterQueue"):

        def is_empty(name: str = name) -> bool:
            attributes = sqs.get_queue_attributes(QueueUrl=queues[name], AttributeNames=["All"])["Attributes"]
            return (
                attributes["ApproximateNumberOfMessages"] == attributes["ApproximateNumberOfMessagesNotVisible"] == "0"
            )

        wait_until(is_empty, what=f"{name} is empty")

    def was_taken() -> bool:
        # The refund queue itself may hold messages of other orders.
        return any("nothing to do" in line and order_id in line for line in stack.said().splitlines())

    wait_until(was_taken, what="the refund's message was taken")
    assert shop.stored(order_id) == before


def test_what_is_unknown_is_said_and_fails(stack: Running) -> None:
    assert "No refund was begun under nothing" in operate(stack, "show", "nothing", code=1)
