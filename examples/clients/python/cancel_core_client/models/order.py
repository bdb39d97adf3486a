from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.cancellation import Cancellation
    from ..models.cancellation_request import CancellationRequest
    from ..models.fee import Fee
    from ..models.history_entry import HistoryEntry
    from ..models.order_item import OrderItem
    from ..models.order_withdrawal import OrderWithdrawal
    from ..models.shipping import Shipping


T = TypeVar("T", bound="Order")


@_attrs_define
class Order:
    """
    Attributes:
        order_id (str):
        store_id (str):
        status (str):
        placed_at (datetime.datetime): ISO 8601, UTC.
        currency (str): ISO 4217.
        total (int): In the minor unit of the currency.
        available_actions (list[str]): The actions that are available now, each at most once, in the sequence of
            `AvailableAction`.
        cancellable_until (datetime.datetime | None): The last second in which the order can be cancelled, if its store
            has a time limit. Null if it has none, or if the order can't be cancelled.
        items (list[OrderItem]):
        shipping (None | Shipping):
        fees (list[Fee]):
        history (list[HistoryEntry]): Newest first. The entries that the order system has marked as
            `visible_to_customer`, and those of the product itself. The shop's own notes are not included.
        cancellation (Cancellation | None):
        cancellation_request (CancellationRequest | None): The latest request to the shop, in any state.
        withdrawal (OrderWithdrawal): The right of withdrawal. It is for display only: a late statement is accepted too.
    """

    order_id: str
    store_id: str
    status: str
    placed_at: datetime.datetime
    currency: str
    total: int
    available_actions: list[str]
    cancellable_until: datetime.datetime | None
    items: list[OrderItem]
    shipping: None | Shipping
    fees: list[Fee]
    history: list[HistoryEntry]
    cancellation: Cancellation | None
    cancellation_request: CancellationRequest | None
    withdrawal: OrderWithdrawal
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.cancellation import Cancellation
        from ..models.cancellation_request import CancellationRequest
        from ..models.fee import Fee
        from ..models.history_entry import HistoryEntry
        from ..models.order_item import OrderItem
        from ..models.order_withdrawal import OrderWithdrawal
        from ..models.shipping import Shipping

        order_id = self.order_id

        store_id = self.store_id

        status = self.status

        placed_at = self.placed_at.isoformat()

        currency = self.currency

        total = self.total

        available_actions = self.available_actions

        cancellable_until: None | str
        if isinstance(self.cancellable_until, datetime.datetime):
            cancellable_until = self.cancellable_until.isoformat()
        else:
            cancellable_until = self.cancellable_until

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        shipping: dict[str, Any] | None
        if isinstance(self.shipping, Shipping):
            shipping = self.shipping.to_dict()
        else:
            shipping = self.shipping

        fees = []
        for fees_item_data in self.fees:
            fees_item = fees_item_data.to_dict()
            fees.append(fees_item)

        history = []
        for history_item_data in self.history:
            history_item = history_item_data.to_dict()
            history.append(history_item)

        cancellation: dict[str, Any] | None
        if isinstance(self.cancellation, Cancellation):
            cancellation = self.cancellation.to_dict()
        else:
            cancellation = self.cancellation

        cancellation_request: dict[str, Any] | None
        if isinstance(self.cancellation_request, CancellationRequest):
            cancellation_request = self.cancellation_request.to_dict()
        else:
            cancellation_request = self.cancellation_request

        withdrawal = self.withdrawal.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "order_id": order_id,
                "store_id": store_id,
                "status": status,
                "placed_at": placed_at,
                "currency": currency,
                "total": total,
                "available_actions": available_actions,
                "cancellable_until": cancellable_until,
                "items": items,
                "shipping": shipping,
                "fees": fees,
                "history": history,
                "cancellation": cancellation,
                "cancellation_request": cancellation_request,
                "withdrawal": withdrawal,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.cancellation import Cancellation
        from ..models.cancellation_request import CancellationRequest
        from ..models.fee import Fee
        from ..models.history_entry import HistoryEntry
        from ..models.order_item import OrderItem
        from ..models.order_withdrawal import OrderWithdrawal
        from ..models.shipping import Shipping

        d = dict(src_dict)
        order_id = d.pop("order_id")

        store_id = d.pop("store_id")

        status = d.pop("status")

        placed_at = datetime.datetime.fromisoformat(d.pop("placed_at"))

        currency = d.pop("currency")

        total = d.pop("total")

        available_actions = cast(list[str], d.pop("available_actions"))

        def _parse_cancellable_until(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_cancellable_until_type_0 = datetime.datetime.fromisoformat(data)

                return componentsschemas_cancellable_until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        cancellable_until = _parse_cancellable_until(d.pop("cancellable_until"))

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = OrderItem.from_dict(items_item_data)

            items.append(items_item)

        def _parse_shipping(data: object) -> None | Shipping:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                shipping_type_0 = Shipping.from_dict(data)

                return shipping_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Shipping, data)

        shipping = _parse_shipping(d.pop("shipping"))

        fees = []
        _fees = d.pop("fees")
        for fees_item_data in _fees:
            fees_item = Fee.from_dict(fees_item_data)

            fees.append(fees_item)

        history = []
        _history = d.pop("history")
        for history_item_data in _history:
            history_item = HistoryEntry.from_dict(history_item_data)

            history.append(history_item)

        def _parse_cancellation(data: object) -> Cancellation | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cancellation_type_0 = Cancellation.from_dict(data)

                return cancellation_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Cancellation | None, data)

        cancellation = _parse_cancellation(d.pop("cancellation"))

        def _parse_cancellation_request(data: object) -> CancellationRequest | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                cancellation_request_type_0 = CancellationRequest.from_dict(data)

                return cancellation_request_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(CancellationRequest | None, data)

        cancellation_request = _parse_cancellation_request(d.pop("cancellation_request"))

        withdrawal = OrderWithdrawal.from_dict(d.pop("withdrawal"))

        order = cls(
            order_id=order_id,
            store_id=store_id,
            status=status,
            placed_at=placed_at,
            currency=currency,
            total=total,
            available_actions=available_actions,
            cancellable_until=cancellable_until,
            items=items,
            shipping=shipping,
            fees=fees,
            history=history,
            cancellation=cancellation,
            cancellation_request=cancellation_request,
            withdrawal=withdrawal,
        )

        order.additional_properties = d
        return order

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
