from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="Fee")


@_attrs_define
class Fee:
    """Gift wrap, a payment fee.

    Attributes:
        fee_id (str):
        name (str):
        amount (int): In the minor unit of the currency.
        amount_invoiced (int): In the minor unit of the currency.
        amount_refunded (int): In the minor unit of the currency.
    """

    fee_id: str
    name: str
    amount: int
    amount_invoiced: int
    amount_refunded: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fee_id = self.fee_id

        name = self.name

        amount = self.amount

        amount_invoiced = self.amount_invoiced

        amount_refunded = self.amount_refunded

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "fee_id": fee_id,
                "name": name,
                "amount": amount,
                "amount_invoiced": amount_invoiced,
                "amount_refunded": amount_refunded,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        fee_id = d.pop("fee_id")

        name = d.pop("name")

        amount = d.pop("amount")

        amount_invoiced = d.pop("amount_invoiced")

        amount_refunded = d.pop("amount_refunded")

        fee = cls(
            fee_id=fee_id,
            name=name,
            amount=amount,
            amount_invoiced=amount_invoiced,
            amount_refunded=amount_refunded,
        )

        fee.additional_properties = d
        return fee

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
