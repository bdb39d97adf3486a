"""The limits table: no more slots than the limit, however many come at once; a slot is free once nobody holds it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import EndpointConnectionError
from cancel_core.adapters.dynamodb.attributes import plain
from cancel_core.adapters.dynamodb.limits import Limits
from cancel_core.domain.limits import Slot
from cancel_core.errors import ServiceUnavailable

from tests.support.tables import Aws, Calls, Shop, fake_service, impatient

EXPIRES_AT = 1795910400


@dataclass
class Day:
    """A customer's day, with a limit of two."""

    limits: Limits
    client: Any
    counted: str

    def slot(self, name: str, mark: str = "r1") -> Slot:
        return Slot(self.counted, name, mark, EXPIRES_AT)

    def take(self, name: str, mark: str = "r1", limit: int = 2) -> bool:
        return self.limits.take(self.slot(name, mark), limit)

    def give_back(self, name: str, mark: str = "r1") -> None:
        self.limits.give_back(self.slot(name, mark))

    @property
    def item(self) -> dict[str, Any]:
        answer = self.client.get_item(
            TableName=self.limits.table, Key={"counted": {"S": self.counted}}, ConsistentRead=True
        )
        return plain(answer.get("Item", {}))

    @property
    def taken(self) -> set[str]:
        return set(self.item.get("slots", ()))


@pytest.fixture
def day(shop: Shop) -> Day:
    return Day(Limits(shop.client, shop.tables["limits"]), shop.client, f"customer#{uuid4()}#2026-11-27")


def test_a_slot_is_taken_once_however_often_it_is_asked_for(day: Day) -> None:
    assert day.take("can_a")
    assert day.take("can_a")
    assert day.take("can_a", "r2")
    assert day.item == {
        "counted": day.counted,
        "slots": {"can_a"},
        "can_a": {"r1", "r2"},
        "expires_at": EXPIRES_AT,
    }


def test_beyond_the_limit_there_is_none(day: Day) -> None:
    assert [day.take(name) for name in ("can_a", "can_b", "can_c")] == [True, True, False]
    assert day.taken == {"can_a", "can_b"}
    assert "can_c" not in day.item
    # What is taken stays taken where the limit is lowered, and is no other's.
    assert [day.take(name, limit=1) for name in ("can_a", "can_b", "can_c")] == [True, True, False]
    assert day.take("can_c", limit=3)


def test_a_slot_that_is_given_back_is_another_ones(day: Day) -> None:
    day.take("can_a")
    day.take("can_b")
    day.give_back("can_a")
    assert day.taken == {"can_b"}
    assert [day.take("can_c"), day.take("can_a")] == [True, False]
    day.give_back("can_b")
    day.give_back("can_c")
    assert day.taken == set()
    assert day.take("can_a", limit=1)


def test_it_is_free_once_nobody_holds_it_any_more(day: Day) -> None:
    day.take("can_a", "r1")
    day.take("can_a", "r2")
    day.give_back("can_a", "r1")
    day.give_back("can_a", "r1")
    assert (day.taken, day.item["can_a"]) == ({"can_a"}, {"r2"})
    assert not day.take("can_b", limit=1)
    day.give_back("can_a", "r2")
    assert day.taken == set()


def test_what_nobody_has_taken_is_not_given_back(day: Day) -> None:
    day.give_back("can_a")
    assert day.item == {}
    day.take("can_a", "r1")
    day.give_back("can_a", "r2")
    day.give_back("can_b", "r1")
    assert (day.taken, day.item["can_a"]) == ({"can_a"}, {"r1"})


def test_who_takes_it_while_it_is_given_back_has_it(day: Day) -> None:
    """Between the two writes that give it back."""
    day.take("can_a", "r1")
    calls = Calls(day.client)
    calls.before("UpdateItem", lambda: calls.before("UpdateItem", lambda: day.take("can_a", "r2")))
    day.give_back("can_a", "r1")
    assert (day.taken, day.item["can_a"]) == ({"can_a"}, {"r2"})


@pytest.mark.parametrize("lost", [1, 2])
def test_giving_back_whose_answer_is_lost_is_made_up_for(day: Day, shop: Shop, aws: Aws, lost: int) -> None:
    """The call arrives, and is made again."""
    day.take("can_a")
    losing = aws.client("dynamodb", retries={"mode": "standard", "total_max_attempts": 2})
    sent: list[Any] = []
    losing.meta.events.register(
        "provide-client-params.dynamodb.UpdateItem", lambda params, **_: sent.append(dict(params))
    )
    calls = Calls(losing)

    def arrive_and_fail() -> None:
        shop.client.update_item(**sent[-1])
        raise EndpointConnectionError(endpoint_url="lost")

    if lost == 1:
        calls.before("UpdateItem", arrive_and_fail)
    else:
        calls.before("UpdateItem", lambda: calls.before("UpdateItem", arrive_and_fail))

    # The second write's condition no longer holds when it is retried, which is as good.
    Limits(losing, day.limits.table).give_back(day.slot("can_a"))

    assert day.taken == set()
    assert "can_a" not in day.item


@pytest.mark.parametrize("limit", [1, 3, 19])
def test_however_many_come_at_once_no_more_than_the_limit_have_one(day: Day, limit: int) -> None:
    with ThreadPoolExecutor(20) as pool:
        had = list(pool.map(lambda number: day.take(f"can_{number}", f"r{number}", limit), range(20)))
    assert had.count(True) == limit == len(day.taken)


def test_those_who_give_back_at_once_leave_nothing(day: Day) -> None:
    marks = [f"r{number}" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        assert all(pool.map(lambda mark: day.take("can_a", mark, 1), marks))
        list(pool.map(lambda mark: day.give_back("can_a", mark), marks))
    assert day.taken == set()
    assert "can_a" not in day.item


def test_a_day_of_the_highest_limit_fits_into_an_item(day: Day) -> None:
    names = [f"can_{number:032}" for number in range(1000)]
    marks = {name: {"SS": [str(uuid4())]} for name in names[:999]}
    item = {"counted": {"S": day.counted}, "slots": {"SS": names[:999]}} | marks
    day.client.put_item(TableName=day.limits.table, Item=item)
    assert [day.take(names[999], limit=1000), day.take("can_more", limit=1000)] == [True, False]


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
def test_a_table_that_throttles_is_unavailable(code: str) -> None:
    slot = Slot("customer#x#2026-11-27", "can_a", "r1", EXPIRES_AT)
    with fake_service(lambda _: (400, {"__type": f"x#{code}"})) as port:
        limits = Limits(impatient("dynamodb", port), "limits")
        with pytest.raises(ServiceUnavailable):
            limits.take(slot, 2)
        with pytest.raises(ServiceUnavailable):
            limits.give_back(slot)
