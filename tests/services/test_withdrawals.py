"""What follows a statement of withdrawal happens once, whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from cancel_core.adapters.dynamodb.orders import Orders
from cancel_core.domain.caller import Customer
from cancel_core.errors import ConcurrentUpdate, PublishFailed, Refusal
from cancel_core.services.cancel import cancel_order
from cancel_core.services.process_withdrawals import COMMENT, Desk, Tampered, process, process_all

from tests.support.orders import item, paid
from tests.support.tables import NOW, Aws, Calls, Shop, request
from tests.support.withdrawals import ADDRESS, LATER, WithdrawalDesk, proven, statement


@pytest.fixture
def desk(shop: Shop) -> WithdrawalDesk:
    return WithdrawalDesk(shop)


def notes(desk: WithdrawalDesk, order_id: str) -> list[str]:
    return [entry["comment"] for entry in desk.shop.document(order_id)["history"]]


# --------------------------------------------------------------------------------------------------- what is done


def test_a_customers_whole_order_is_cancelled_by_the_same_write_and_refunded(desk: WithdrawalDesk) -> None:
    # Whatever the store says of cancelling: this is no favour.
    desk.shop.configure(enabled=False, withdrawal={"enabled": True})
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))
    desk.process(one)

    after = desk.shop.order(order_id)
    assert after.status == "canceled"
    assert after.cancellation
    assert after.cancellation.reason.model_dump() == {
        "code": "withdrawal",
        "description": "Withdrawal from the contract",
    }
    assert after.cancellation.request_id == one.withdrawal_id
    assert after.cancellation.refund
    assert after.cancellation.refund.amount == 10000
    assert after.withdrawal
    assert (after.withdrawal.withdrawal_id, after.withdrawal.whole) == (one.withdrawal_id, True)
    assert notes(desk, order_id)[1:] == [COMMENT, "Cancelled by the customer: Withdrawal from the contract"]
    parts = desk.parts(one)
    assert (parts["outcome"]["match"], parts["outcome"]["whole"]) == ("proven", True)
    assert (parts["cancel"]["order_canceled"], parts["cancel"]["code"]) == (True, "CANCELED")
    assert {part["expires_at"] for part in parts.values()} == {one.expires_at}
    (event,) = desk.events(one)
    assert (event.detail["order_id"], event.detail["match"]) == (order_id, "proven")


@pytest.mark.parametrize(
    ("order", "said", "settings", "code"),
    [
        ({"status": "complete"}, {}, {}, "INVALID_ORDER_STATUS"),
        ({"items": [item(invoiced=1, qty_shipped=1)]}, {}, {}, "PARTIAL_ORDER_ITEM_SHIPPED"),
        ({"items": [item("i1"), item("i2")]}, {"items": [{"item": "i1"}]}, {}, "PART_OF_ORDER"),
        ({}, {}, {"cancels": False}, "CANCELS_OFF"),
    ],
)
def test_what_is_not_ours_to_cancel_is_noted_and_told(
    order: dict[str, Any], said: dict[str, Any], settings: dict[str, Any], code: str, desk: WithdrawalDesk
) -> None:
    desk.shop.configure(withdrawal={"enabled": True} | settings)
    order_id = desk.shop.put(paid(**order))
    one = desk.take(proven(desk.shop.document(order_id), **said))
    desk.process(one)
    assert desk.shop.order(order_id).cancellation is None
    assert notes(desk, order_id)[1:] == [COMMENT]
    cancel = desk.parts(one)["cancel"]
    assert (cancel["order_canceled"], cancel["code"]) == (False, code)
    assert len(desk.events(one)) == 1


def test_an_address_proves_nothing_and_cancels_nothing(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(statement(f" #{order_id} ", email="Someone@Example.com"))
    desk.process(one)
    assert desk.shop.order(order_id).cancellation is None
    assert notes(desk, order_id)[1:] == [COMMENT]
    parts = desk.parts(one)
    assert (parts["outcome"]["match"], parts["outcome"]["offer"], parts["cancel"]["code"]) == (
        "email",
        "sign_in",
        "NOT_PROVEN",
    )
    assert desk.events(one)[0].detail["store_id"] == desk.shop.store_id


@pytest.mark.parametrize("more", [{"email": "else@example.com"}, {"order": "no-such-order"}, {"order": "#"}])
def test_what_matches_nothing_is_told_and_touches_no_order(more: dict[str, str], desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    before = desk.shop.document(order_id)
    one = desk.take(statement(more.get("order", order_id), email=more.get("email", ADDRESS)))
    desk.process(one)
    assert desk.shop.document(order_id) == before
    assert set(desk.parts(one)) == {"statement", "outcome"}
    (event,) = desk.events(one)
    assert (event.detail["match"], event.detail["order_id"], event.detail["items"]) == ("none", None, [])


def test_an_order_that_cannot_be_read_loses_no_statement(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid(items="gone"))
    one = desk.take(statement(order_id))
    desk.process(one)
    assert desk.events(one)[0].detail["match"] == "none"


def test_nonsense_in_what_a_withdrawal_asks_for_stands_in_nobodys_way(desk: WithdrawalDesk) -> None:
    odd = {"withdrawal": "nonsense", "delivered_at": 7, "business": "yes", "language": [], "customer_name": 7}
    order_id = desk.shop.put(paid(**odd))
    one = desk.take(proven(desk.shop.document(order_id)))
    desk.process(one)
    assert desk.shop.order(order_id).status == "canceled"
    assert desk.shop.document(order_id)["withdrawal"]["ids"] == [one.withdrawal_id]


@pytest.mark.parametrize("history", ["absent", None, []])
def test_a_note_goes_to_any_history_that_is_there(history: object, desk: WithdrawalDesk) -> None:
    source = paid()
    if history == "absent":
        del source["history"]
    else:
        source["history"] = history
    order_id = desk.shop.put(source)
    desk.process(desk.take(statement(order_id)))
    assert notes(desk, order_id) == [COMMENT]


def test_an_order_that_is_too_large_for_a_note_is_withdrawn_from_all_the_same(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid(note="x" * (396 * 1024)))
    one = desk.take(statement(order_id))
    desk.process(one)
    assert "withdrawal" not in desk.shop.document(order_id)
    assert desk.events(one)[0].detail["match"] == "email"


def test_statements_of_one_order_are_counted_and_the_first_one_stands(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    several = [desk.take(statement(order_id, items=[{"item": "nothing of it"}])) for _ in range(11)]
    whole = desk.take(statement(order_id))
    for one in (*several[:9], whole, *several[9:]):
        desk.process(one)
    noted = desk.shop.document(order_id)["withdrawal"]
    assert (noted["withdrawal_id"], noted["count"], noted["whole"]) == (several[0].withdrawal_id, 10, True)
    assert notes(desk, order_id).count(COMMENT) == 10
    assert all(len(desk.events(one)) == 1 for one in several)


# ------------------------------------------------------------------------------------------------------ twice, at once


class Killed(BaseException):
    """The process's end: nothing of ours catches it."""


def killed(aws: Aws, desk: WithdrawalDesk, number: int, *, before: bool) -> tuple[Desk, list[str]]:
    """A desk whose process ends before the call of this number goes out, or after its work was done; and its calls."""
    client, made = aws.client("dynamodb"), list[str]()

    def cut(**_: Any) -> None:
        if len(made) == number:
            raise Killed

    def sent(request: Any, **_: Any) -> None:
        made.append(request.headers["X-Amz-Target"].decode().split(".")[-1])
        if before:
            cut()

    client.meta.events.register_first("before-send.dynamodb.*", sent)
    if not before:
        client.meta.events.register_first("after-call.dynamodb.*", cut)
    orders = Orders(client, desk.shop.tables["orders"])
    withdrawals = type(desk.withdrawals)(client, desk.shop.tables["withdrawals"])
    policies = desk.shop.policies(60)
    policies.get(desk.shop.store_id)
    return Desk(withdrawals, orders, policies, desk.heard), made


@pytest.mark.parametrize("before", [True, False])
def test_killed_at_any_call_and_dealt_with_again_everything_is_done_once(
    *, before: bool, aws: Aws, desk: WithdrawalDesk
) -> None:
    order_id = desk.shop.put(paid())
    whole, calls = killed(aws, desk, 0, before=before)
    process(whole, desk.take(proven(desk.shop.document(order_id))), LATER)
    assert calls == ["Query", "Query", "PutItem", "Query", "UpdateItem", "Query", "UpdateItem", "PutItem"]
    for number in range(1, len(calls) + 1):
        order_id = desk.shop.put(paid())
        one = desk.take(proven(desk.shop.document(order_id)))
        dying, _ = killed(aws, desk, number, before=before)
        with pytest.raises(Killed):
            process(dying, one, LATER)
        assert desk.events(one) == []
        desk.process(one)
        desk.process(one)
        after = desk.shop.order(order_id)
        assert after.cancellation
        assert after.cancellation.request_id == one.withdrawal_id
        assert notes(desk, order_id).count(COMMENT) == 1
        assert sum("Cancelled" in comment for comment in notes(desk, order_id)) == 1
        assert desk.shop.document(order_id)["withdrawal"]["count"] == 1
        parts = desk.parts(one)
        assert (parts["outcome"]["match"], parts["cancel"]["code"]) == ("proven", "CANCELED"), number
        # At least once, and the same each time.
        assert [event.detail for event in desk.events(one)] == [desk.events(one)[0].detail] * 2


def test_many_at_once_cancel_note_and_tell_the_same(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))

    def run(_: int) -> None:
        with suppress(ConcurrentUpdate):
            desk.process(one)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    desk.process(one)
    assert notes(desk, order_id).count(COMMENT) == 1
    assert sum("Cancelled" in comment for comment in notes(desk, order_id)) == 1
    assert desk.parts(one)["cancel"]["order_canceled"] is True
    assert len({str(event.detail) for event in desk.events(one)}) == 1


def test_the_first_outcome_stands_whatever_has_become_of_the_order_since(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid(delivered_at="2026-11-20T10:00:00Z"))
    one = desk.take(statement(order_id))
    desk.process(one)
    desk.shop.set(order_id, customer_email="else@example.com", delivered_at="2026-10-01T10:00:00Z")
    desk.process(one)
    assert [event.detail for event in desk.events(one)] == [desk.events(one)[0].detail] * 2
    assert desk.events(one)[0].detail["in_time"] is True


# ------------------------------------------------------------------------------------------------------- races, forced


def racing(aws: Aws, desk: WithdrawalDesk, act: Callable[[], Any], *, at: int) -> Desk:
    """A desk with `act` happening just before its `at`th write of the order goes out."""
    client = aws.client("dynamodb")
    calls = Calls(client)
    for _ in range(at - 1):
        calls.before("UpdateItem", lambda: None)
    calls.before("UpdateItem", act)
    orders = Orders(client, desk.shop.tables["orders"])
    return desk.desk._replace(orders=orders)


NOTE, CANCEL = 1, 2


def test_a_shop_that_ships_between_the_match_and_the_cancel_is_not_cancelled(aws: Aws, desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))
    shipped = [item(invoiced=1, qty_shipped=1)]
    process(racing(aws, desk, lambda: desk.shop.set(order_id, items=shipped), at=CANCEL), one, LATER)
    assert desk.shop.order(order_id).cancellation is None
    assert desk.parts(one)["cancel"]["code"] == "PARTIAL_ORDER_ITEM_SHIPPED"
    assert len(desk.events(one)) == 1


@pytest.mark.parametrize("at", [NOTE, CANCEL])
def test_a_customer_who_cancels_at_the_same_moment_has_cancelled(at: int, aws: Aws, desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))

    def cancel() -> None:
        cancel_order(desk.shop.orders, desk.shop.policies(), request(order_id), lambda: NOW)

    process(racing(aws, desk, cancel, at=at), one, LATER)
    after = desk.shop.order(order_id)
    assert after.cancellation
    assert after.cancellation.reason.code == "other"
    assert after.withdrawal
    cancel_part = desk.parts(one)["cancel"]
    assert (cancel_part["order_canceled"], cancel_part["code"]) == (True, "ALREADY_CANCELED")


@pytest.mark.parametrize("at", [NOTE, CANCEL])
def test_an_order_placed_anew_under_the_number_is_neither_noted_on_nor_cancelled(
    at: int, aws: Aws, desk: WithdrawalDesk
) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))

    def place_anew() -> None:
        second = paid(placed_at="2026-11-22T09:45:00Z")
        desk.shop.write(second | {"order_id": order_id, "store_id": desk.shop.store_id})

    process(racing(aws, desk, place_anew, at=at), one, LATER)
    after = desk.shop.order(order_id)
    assert (after.cancellation, after.withdrawal, after.status) == (None, None, "processing")
    assert desk.parts(one)["cancel"]["code"] == "ORDER_NOT_FOUND"


def test_a_shop_that_keeps_writing_is_waited_for_and_the_statement_comes_again(aws: Aws, desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))
    client = aws.client("dynamodb")
    calls = Calls(client)
    calls.before("UpdateItem", lambda: None)
    for currency in ("EUR", "SEK", "EUR", "SEK", "EUR"):
        calls.before("UpdateItem", partial(desk.shop.set, order_id, currency=currency))
    busy = desk.desk._replace(orders=Orders(client, desk.shop.tables["orders"]))
    with pytest.raises(ConcurrentUpdate):
        process(busy, one, LATER)
    assert "cancel" not in desk.parts(one)
    desk.process(one)
    assert desk.parts(one)["cancel"]["code"] == "CANCELED"


def test_others_may_write_what_they_like_on_the_order_while_it_is_noted(aws: Aws, desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(statement(order_id))
    entry = {"at": "2026-11-22T09:31:00Z", "status": "processing", "comment": "Packed"}
    history = [*desk.shop.document(order_id)["history"], entry]
    process(racing(aws, desk, lambda: desk.shop.set(order_id, history=history, note="mine"), at=NOTE), one, LATER)
    after = desk.shop.document(order_id)
    assert [line["comment"] for line in after["history"]] == ["Placed", "Packed", COMMENT]
    assert after["note"] == "mine"


# --------------------------------------------------------------------------------- what is delivered again, and not


def test_a_bus_that_refuses_gets_the_event_again(desk: WithdrawalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))

    def refuse(_: object) -> None:
        raise PublishFailed({0: "ThrottlingException"})

    with monkeypatch.context() as patched:
        patched.setattr(desk.heard, "publish", refuse)
        assert process_all(desk.desk, [("1", one.to_item())], LATER) == ["1"]
    assert process_all(desk.desk, [("1", one.to_item())], LATER) == []
    assert len(desk.events(one)) == 1


def test_one_that_cannot_be_dealt_with_keeps_no_other_from_it(desk: WithdrawalDesk) -> None:
    one = desk.take(statement("no-such-order"))
    poison = {"withdrawal_id": "wdr_poison", "part": "statement"}
    assert process_all(desk.desk, [("1", poison), ("2", one.to_item())], LATER) == ["1"]
    assert len(desk.events(one)) == 1


def test_a_fault_at_the_order_holds_back_no_event_and_is_tried_again(
    desk: WithdrawalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.shop.put(paid())
    one = desk.take(proven(desk.shop.document(order_id)))

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(type(desk.shop.orders), "note_withdrawal", broken)
        assert process_all(desk.desk, [("1", one.to_item())], LATER) == ["1"]
    assert len(desk.events(one)) == 1
    assert desk.shop.order(order_id).status == "canceled"
    desk.process(one)
    assert notes(desk, order_id).count(COMMENT) == 1


def test_that_somebody_tampered_with_a_statement_is_told(
    desk: WithdrawalDesk, caplog: pytest.LogCaptureFixture
) -> None:
    assert (
        process_all(desk.desk, [("1", Tampered("wdr_1", "changed")), ("2", Tampered("wdr_2", "deleted"))], LATER) == []
    )
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        "a statement of withdrawal was changed; no function does that, so find out who did",
        "a statement of withdrawal was deleted; no function does that, so find out who did",
    ]


def test_a_customers_own_request_does_not_take_itself_for_a_withdrawal(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    desk.process(desk.take(proven(desk.shop.document(order_id))))
    with pytest.raises(Refusal) as refused:
        cancel_order(desk.shop.orders, desk.shop.policies(), request(order_id), lambda: NOW)
    assert refused.value.code == "INVALID_ORDER_STATUS"
    other = request(order_id, judged="withdrawal", request_id="wdr_other", caller=Customer("c1"))
    with pytest.raises(Refusal):
        cancel_order(desk.shop.orders, desk.shop.policies(), other, lambda: NOW)


def test_a_later_statement_of_the_customers_finds_it_cancelled(desk: WithdrawalDesk) -> None:
    order_id = desk.shop.put(paid())
    source = desk.shop.document(order_id)
    first, second = desk.take(proven(source)), desk.take(replace(proven(source), body="other"))
    desk.process(first)
    desk.process(second)
    assert desk.parts(second)["cancel"]["code"] == "ALREADY_CANCELED"
    assert desk.shop.document(order_id)["withdrawal"]["count"] == 2
