from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.refund_item import RefundItem


T = TypeVar("T", bound="OwedRefund")


@_attrs_define
class OwedRefund:
    """
    Attributes:
        currency (str): ISO 4217.
        amount (int): The amount owed: the sum of items, shipping and fees, never below 0. With `refund_basis` `paid` it
            includes `not_invoiced`. 0 if only an authorization would be released, or if the payments hold only what is not
            invoiced.
        shipping (int): In the minor unit of the currency.
        fees (int): The sum of the fees.
        items (list[RefundItem]): Rows without a refund are left out.
        not_invoiced (int): What the payments hold above what is invoiced. If the store refunds what is invoiced
            (`refund_basis` `invoiced`, the default), it is not part of `amount`, and a person at the shop decides on it.
            If the store refunds what was paid (`refund_basis` `paid`), it is refunded with the rest, and `amount` includes
            it.
    """

    currency: str
    amount: int
    shipping: int
    fees: int
    items: list[RefundItem]
    not_invoiced: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.refund_item import RefundItem

        currency = self.currency

        amount = self.amount

        shipping = self.shipping

        fees = self.fees

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        not_invoiced = self.not_invoiced

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "currency": currency,
                "amount": amount,
                "shipping": shipping,
                "fees": fees,
                "items": items,
                "not_invoiced": not_invoiced,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.refund_item import RefundItem

        d = dict(src_dict)
        currency = d.pop("currency")

        amount = d.pop("amount")

        shipping = d.pop("shipping")

        fees = d.pop("fees")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = RefundItem.from_dict(items_item_data)

            items.append(items_item)

        not_invoiced = d.pop("not_invoiced")

        owed_refund = cls(
            currency=currency,
            amount=amount,
            shipping=shipping,
            fees=fees,
            items=items,
            not_invoiced=not_invoiced,
        )

        owed_refund.additional_properties = d
        return owed_refund

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
