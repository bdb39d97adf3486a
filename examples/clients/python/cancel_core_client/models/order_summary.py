from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="OrderSummary")


@_attrs_define
class OrderSummary:
    """An order in a list. An order whose document is damaged has the fields that can be read, null for the others, and no
    action. Its `order_id` is always present. A damaged order never makes the list fail.

        Attributes:
            order_id (str):
            store_id (None | str): Null if it cannot be read.
            status (None | str): Null if it cannot be read.
            placed_at (None | str): ISO 8601, UTC, as `Time`. Null if it cannot be read. A damaged order may have another
                text.
            currency (None | str): ISO 4217. Null if it cannot be read. A damaged order may have another text.
            total (int | None): In the minor unit of the currency. Null if it cannot be read.
            available_actions (list[str]): The actions that are available now, each at most once, in the sequence of
                `AvailableAction`.
            cancellable_until (datetime.datetime | None): The last second in which the order can be cancelled, if its store
                has a time limit. Null if it has none, or if the order can't be cancelled.
    """

    order_id: str
    store_id: None | str
    status: None | str
    placed_at: None | str
    currency: None | str
    total: int | None
    available_actions: list[str]
    cancellable_until: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        order_id = self.order_id

        store_id: None | str
        store_id = self.store_id

        status: None | str
        status = self.status

        placed_at: None | str
        placed_at = self.placed_at

        currency: None | str
        currency = self.currency

        total: int | None
        total = self.total

        available_actions = self.available_actions

        cancellable_until: None | str
        if isinstance(self.cancellable_until, datetime.datetime):
            cancellable_until = self.cancellable_until.isoformat()
        else:
            cancellable_until = self.cancellable_until

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
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        order_id = d.pop("order_id")

        def _parse_store_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        store_id = _parse_store_id(d.pop("store_id"))

        def _parse_status(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        status = _parse_status(d.pop("status"))

        def _parse_placed_at(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        placed_at = _parse_placed_at(d.pop("placed_at"))

        def _parse_currency(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        currency = _parse_currency(d.pop("currency"))

        def _parse_total(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        total = _parse_total(d.pop("total"))

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

        order_summary = cls(
            order_id=order_id,
            store_id=store_id,
            status=status,
            placed_at=placed_at,
            currency=currency,
            total=total,
            available_actions=available_actions,
            cancellable_until=cancellable_until,
        )

        order_summary.additional_properties = d
        return order_summary

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
