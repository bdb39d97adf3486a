from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.refund_leg_action import RefundLegAction
from ..models.refund_status import RefundStatus
from typing import cast


T = TypeVar("T", bound="RefundLeg")


@_attrs_define
class RefundLeg:
    """One call to a provider for one payment. A payment may have several: for example two partial refunds, or a partial
    refund and the release of the rest of its authorization.

        Attributes:
            payment_id (str):
            provider (str):
            action (RefundLegAction): `refund` refunds a captured amount. `void` releases an authorized amount, which is not
                part of the refund's `amount`.
            amount (int):
            status (RefundStatus):
            reference (None | str): The provider's id of this refund. Null before it has one, or if the provider gives none.
    """

    payment_id: str
    provider: str
    action: RefundLegAction
    amount: int
    status: RefundStatus
    reference: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        payment_id = self.payment_id

        provider = self.provider

        action = self.action.value

        amount = self.amount

        status = self.status.value

        reference: None | str
        reference = self.reference

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "payment_id": payment_id,
                "provider": provider,
                "action": action,
                "amount": amount,
                "status": status,
                "reference": reference,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        payment_id = d.pop("payment_id")

        provider = d.pop("provider")

        action = RefundLegAction(d.pop("action"))

        amount = d.pop("amount")

        status = RefundStatus(d.pop("status"))

        def _parse_reference(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reference = _parse_reference(d.pop("reference"))

        refund_leg = cls(
            payment_id=payment_id,
            provider=provider,
            action=action,
            amount=amount,
            status=status,
            reference=reference,
        )

        refund_leg.additional_properties = d
        return refund_leg

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
