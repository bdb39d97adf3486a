from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="OrderItem")


@_attrs_define
class OrderItem:
    """
    Attributes:
        item_id (str):
        sku (str):
        name (str):
        qty_ordered (float): May be fractional (1.5 kg).
        qty_invoiced (float): May be fractional (1.5 kg).
        qty_shipped (float): May be fractional (1.5 kg).
        qty_refunded (float): May be fractional (1.5 kg).
        qty_canceled (float): May be fractional (1.5 kg).
        amount (int): In the minor unit of the currency.
        amount_invoiced (int): In the minor unit of the currency.
        amount_refunded (int): In the minor unit of the currency.
    """

    item_id: str
    sku: str
    name: str
    qty_ordered: float
    qty_invoiced: float
    qty_shipped: float
    qty_refunded: float
    qty_canceled: float
    amount: int
    amount_invoiced: int
    amount_refunded: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        item_id = self.item_id

        sku = self.sku

        name = self.name

        qty_ordered = self.qty_ordered

        qty_invoiced = self.qty_invoiced

        qty_shipped = self.qty_shipped

        qty_refunded = self.qty_refunded

        qty_canceled = self.qty_canceled

        amount = self.amount

        amount_invoiced = self.amount_invoiced

        amount_refunded = self.amount_refunded

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "item_id": item_id,
                "sku": sku,
                "name": name,
                "qty_ordered": qty_ordered,
                "qty_invoiced": qty_invoiced,
                "qty_shipped": qty_shipped,
                "qty_refunded": qty_refunded,
                "qty_canceled": qty_canceled,
                "amount": amount,
                "amount_invoiced": amount_invoiced,
                "amount_refunded": amount_refunded,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        item_id = d.pop("item_id")

        sku = d.pop("sku")

        name = d.pop("name")

        qty_ordered = d.pop("qty_ordered")

        qty_invoiced = d.pop("qty_invoiced")

        qty_shipped = d.pop("qty_shipped")

        qty_refunded = d.pop("qty_refunded")

        qty_canceled = d.pop("qty_canceled")

        amount = d.pop("amount")

        amount_invoiced = d.pop("amount_invoiced")

        amount_refunded = d.pop("amount_refunded")

        order_item = cls(
            item_id=item_id,
            sku=sku,
            name=name,
            qty_ordered=qty_ordered,
            qty_invoiced=qty_invoiced,
            qty_shipped=qty_shipped,
            qty_refunded=qty_refunded,
            qty_canceled=qty_canceled,
            amount=amount,
            amount_invoiced=amount_invoiced,
            amount_refunded=amount_refunded,
        )

        order_item.additional_properties = d
        return order_item

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
