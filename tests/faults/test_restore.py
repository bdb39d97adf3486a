"""The restore drill: tables as they were some time ago, in a new stack, and a provider that has paid since.

What docs/rollout.md tells an operator to do, as far as one machine goes: AWS's own restore is a copy of the items here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from local.aws.ports import free_port
from local.stack import Settings, Stack
from ops.restore import Refilled, refill
from tests.faults.conftest import QUICK, World, about
from tests.support import documents
from tests.support import proxy as faults
from tests.support.aws import Aws, StackInfo
from tests.support.client import Client
from tests.support.machine import ROOT
from tests.support.shop import CANCELLATION, Shop, token_of
from tests.support.waiting import wait_until

REFUND = "RefundOrderFunction"
SECONDS = 60
ALWAYS = 10**9
LONG_AGO = "2026-01-01T00:00:00Z"
Items = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def second_stack(world: World) -> Iterator[tuple[Stack, Aws]]:
    """A second stack, deployed beside the first, at the same payment provider. Its tables are empty."""
    with ExitStack() as open_until_then:
        settings = Settings(port=0, aws_port=free_port(), stripe_url=world.stripe.url, parameters=QUICK)
        stack = Stack(ROOT / "template.yaml", settings)
        open_until_then.callback(stack.stop)
        stack.start()
        stack.ready()
        aws = Aws(StackInfo.of(stack.description))
        open_until_then.callback(aws.close)
        yield stack, aws


def copy_of(aws: Aws, *tables: str) -> Items:
    """All items of these tables at this moment."""
    return {name: getattr(aws, name).scan(ConsistentRead=True)["Items"] for name in tables}


def restore(stack: Stack, aws: Aws, name: str, items: list[dict[str, Any]]) -> Refilled:
    """A table of its own with these items, as AWS restores one; then the operator's command."""
    dynamodb = stack.services.dynamodb
    restored = f"restored-{name}-{free_port()}"
    table = aws.info.tables[name]
    key = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
    definitions = [{"AttributeName": one["AttributeName"], "AttributeType": "S"} for one in key]
    dynamodb.create_table(
        TableName=restored,
        KeySchema=key,
        AttributeDefinitions=definitions,  # type: ignore[arg-type]  # the type of an attribute is known to be one of three
        BillingMode="PAY_PER_REQUEST",
    )
    with aws_table(aws, restored).batch_writer() as writer:
        for item in items:
            writer.put_item(Item=item)
    return refill(dynamodb, restored, table)


def aws_table(aws: Aws, name: str) -> Any:
    return aws._dynamodb.Table(name)


@pytest.mark.parametrize("lost", ["both tables", "the orders table"])
def test_after_a_restore_each_refund_is_paid_once(
    world: World, shop: Shop, second_stack: tuple[Stack, Aws], lost: str
) -> None:
    stack, aws = second_stack
    owed = 20000
    # The payments hold so much that the provider itself would not mind paying twice.
    intents = {name: world.account.paid(3 * owed) for name in ("ended", "paid since", "begun since", "never", "later")}
    order_ids = {
        name: shop.put(**documents.paid(payments=[documents.captured(3 * owed, provider="stripe", reference=intent)]))
        for name, intent in intents.items()
    }
    shop.canceled(order_ids["ended"])
    shop.refunded(order_ids["ended"])
    for name in ("paid since", "never"):
        world.stripe.plan(lambda r, i=intents[name]: i in r.path + r.body.decode(), faults.refuse, times=ALWAYS)  # type: ignore[misc]  # the default binds the loop's variable
    world.proxies[REFUND].plan(about("BatchGetItem", order_ids["begun since"]), faults.fail(500), times=ALWAYS)
    for name in ("paid since", "never", "begun since"):
        shop.canceled(order_ids[name])
    begun = [shop.cancellation(order_ids[name])["refund"]["refund_id"] for name in ("paid since", "never")]
    wait_until(
        lambda: all("Item" in world.aws.refunds.get_item(Key={"refund_id": one}) for one in begun),
        what="their refunds have begun",
        seconds=SECONDS,
    )

    then = copy_of(world.aws, "config", "orders", "refunds")

    # After that moment money moves, one customer more cancels, and one refund is never paid by the old stack.
    world.proxies[REFUND].clear()
    world.proxies[REFUND].plan(about("BatchGetItem", order_ids["never"]), faults.fail(500), times=ALWAYS)
    world.stripe.clear()
    shop.canceled(order_ids["later"])
    for name in ("paid since", "begun since", "later"):
        shop.refunded(order_ids[name])
    now = copy_of(world.aws, "refunds")

    # A day later the provider has forgotten its keys.
    world.account.forget_keys()
    mine = set(order_ids.values())
    orders = [order for order in then["orders"] if order["order_id"] in mine]
    for order in orders:
        if "cancellation" in order:
            order["cancellation"]["requested_at"] = LONG_AGO
    refunds = [one for one in (then if lost == "both tables" else now)["refunds"] if one["order_id"] in mine]
    restore(stack, aws, "config", then["config"])
    restore(stack, aws, "refunds", refunds)
    assert restore(stack, aws, "orders", orders) == Refilled(put=5, kept=0)

    home = ["ended", "paid since", "begun since", "never"]
    if lost == "the orders table":
        # As if never cancelled: the customer does it again, and the refund of the same id is found.
        customer = Client(stack.gateway.url, token=token_of(stack.gateway.url, shop.customer_id))
        answer = customer.post(CANCELLATION, order_id=order_ids["later"], json={"reason": "other"})
        customer.close()
        assert answer.status_code == 200, answer.text
        home.append("later")

    def ended() -> bool:
        return all(aws.order(order_ids[name])["cancellation"]["refund"]["status"] == "succeeded" for name in home)

    wait_until(ended, what="every refund has succeeded", seconds=SECONDS)
    assert {name: world.account.refunds(intents[name]) for name in home} == {name: [owed] for name in home}
    assert {name: aws.order(order_ids[name])["payments"][0]["amount_refunded"] for name in home} == dict.fromkeys(
        home, owed
    )
    # Run twice, it changes nothing.
    assert restore(stack, aws, "orders", orders) == Refilled(put=0, kept=5)
    assert {name: world.account.refunds(intents[name]) for name in home} == {name: [owed] for name in home}
    # The old stack is gone: its order must not be paid by it once the faults are.
    world.aws.orders.delete_item(Key={"order_id": order_ids["never"]})
