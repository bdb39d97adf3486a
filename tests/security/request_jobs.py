"""What the functions behind a request to the shop are there for, as `jobs.py` has it for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.package.conftest import payload
from tests.security import guest_jobs as guests

if TYPE_CHECKING:
    from tests.security.jobs import World

FUNCTION, ORDER = "ProcessRequestFunction", "demo-requested"


def _forget(world: World) -> None:
    table = world.template.name("RequestsTable")
    for row in world.services.dynamodb.scan(TableName=table)["Items"]:
        world.services.dynamodb.delete_item(TableName=table, Key={"request_id": row["request_id"]})


def _row(world: World) -> Any:
    return world.item("RequestsTable", "request_id", world.order(ORDER)["cancellation_request"]["M"]["request_id"]["S"])


def asked(world: World) -> dict[str, Any]:
    """The event of an order whose request is new, and that the table of requests has nothing of."""
    _forget(world)
    event: dict[str, Any] = payload("publish_events")
    images = event["Records"][0]["dynamodb"]
    images |= {"Keys": {"order_id": {"S": ORDER}}, "NewImage": world.order(ORDER)}
    del images["OldImage"]
    world.put(images["NewImage"])
    return event


def decided(world: World) -> dict[str, Any]:
    """The event of a request that an admin has just approved in the table."""
    _forget(world)
    event: dict[str, Any] = payload("process_request")
    for image in ("OldImage", "NewImage"):
        world.services.dynamodb.put_item(
            TableName=world.template.name("RequestsTable"), Item=event["Records"][0]["dynamodb"][image]
        )
    return event


def takes_a_request_back(world: World) -> None:
    assert world.ask("TakeBackRequestFunction", ORDER)["cancellation_request"]["status"] == "withdrawn"
    assert world.order(ORDER)["cancellation_request"]["M"]["status"] == {"S": "withdrawn"}


def takes_a_guests_request_back(world: World) -> None:
    world.put(world.order(guests.ORDER) | {"cancellation_request": world.order(ORDER)["cancellation_request"]})
    guests.as_a_guest(world, "TakeBackRequestFunction", "DELETE /guest/order/cancellation-request")


def puts_a_request_before_the_shop(world: World) -> None:
    assert world.invoke(FUNCTION, asked(world)) == {"batchItemFailures": []}
    assert _row(world)["status"] == {"S": "open"}


def carries_out_a_decision(world: World) -> None:
    assert world.invoke(FUNCTION, decided(world)) == {"batchItemFailures": []}
    assert world.order(ORDER)["status"] == {"S": "canceled"}
    assert _row(world)["status"] == {"S": "approved"}


def finds_a_decision_that_was_lost(world: World) -> None:
    decided(world)
    world.invoke(FUNCTION, payload("reconcile_refunds"))
    assert _row(world)["status"] == {"S": "approved"}


def erases_an_old_comment_of_a_request(world: World) -> None:
    decided(world)
    assert "comment" in _row(world)
    # The run of the day's first hour looks at the requests.
    world.invoke("EraseCommentsFunction", payload("erase_comments") | {"time": "2026-11-26T00:00:00Z"})
    assert "comment" not in _row(world)
