from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.refund_status import RefundStatus
from typing import cast

if TYPE_CHECKING:
    from ..models.refund_failure import RefundFailure
    from ..models.refund_item import RefundItem
    from ..models.refund_leg import RefundLeg


T = TypeVar("T", bound="Refund")


@_attrs_define
class Refund:
    """At the cancel, `items`, `shipping`, `fees` and `amount` are what is owed at that time. The amount to refund, and its
    distribution over payments, is computed from the current order when the refund begins, and again before each call to
    a provider.
    So `amount` may change until the refund has ended: what the shop has refunded itself since the cancel is not
    refunded again.

        Attributes:
            refund_id (str):
            status (RefundStatus):
            currency (str): ISO 4217.
            amount (int): The amount that the payment providers refund or have refunded. 0 if only an authorization is
                released, or if the shop has refunded everything itself (then the refund is `succeeded`). After a person has
                settled a failed refund, it is what the providers have paid.
            credited_by_shop (int): The part of the amount shown at the cancel that the shop has refunded itself since.
            settled_by_hand (int): The remaining part of the amount shown at the cancel, after a person at the shop has
                settled a failed refund.
            not_invoiced (int): What the payments hold above what is invoiced. If the store refunds what is invoiced
                (`refund_basis` `invoiced`, the default), it is not part of `amount`, and a person at the shop decides on it.
                If the store refunds what was paid (`refund_basis` `paid`), it is refunded with the rest, and `amount` includes
                it.
            shipping (int): The amount owed for shipping at the cancel.
            items (list[RefundItem]): The amounts owed for each item at the cancel. Rows with amount 0 are left out.
            fees (int): The sum of the fees at the cancel.
            failure (None | RefundFailure): Null unless the refund is `failed`.
            payments (list[RefundLeg]): In the sequence in which the providers were called. Planned ones follow in the
                sequence of the order's payments. A payment may occur more than once.
    """

    refund_id: str
    status: RefundStatus
    currency: str
    amount: int
    credited_by_shop: int
    settled_by_hand: int
    not_invoiced: int
    shipping: int
    items: list[RefundItem]
    fees: int
    failure: None | RefundFailure
    payments: list[RefundLeg]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.refund_failure import RefundFailure
        from ..models.refund_item import RefundItem
        from ..models.refund_leg import RefundLeg

        refund_id = self.refund_id

        status = self.status.value

        currency = self.currency

        amount = self.amount

        credited_by_shop = self.credited_by_shop

        settled_by_hand = self.settled_by_hand

        not_invoiced = self.not_invoiced

        shipping = self.shipping

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        fees = self.fees

        failure: dict[str, Any] | None
        if isinstance(self.failure, RefundFailure):
            failure = self.failure.to_dict()
        else:
            failure = self.failure

        payments = []
        for payments_item_data in self.payments:
            payments_item = payments_item_data.to_dict()
            payments.append(payments_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "refund_id": refund_id,
                "status": status,
                "currency": currency,
                "amount": amount,
                "credited_by_shop": credited_by_shop,
                "settled_by_hand": settled_by_hand,
                "not_invoiced": not_invoiced,
                "shipping": shipping,
                "items": items,
                "fees": fees,
                "failure": failure,
                "payments": payments,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.refund_failure import RefundFailure
        from ..models.refund_item import RefundItem
        from ..models.refund_leg import RefundLeg

        d = dict(src_dict)
        refund_id = d.pop("refund_id")

        status = RefundStatus(d.pop("status"))

        currency = d.pop("currency")

        amount = d.pop("amount")

        credited_by_shop = d.pop("credited_by_shop")

        settled_by_hand = d.pop("settled_by_hand")

        not_invoiced = d.pop("not_invoiced")

        shipping = d.pop("shipping")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = RefundItem.from_dict(items_item_data)

            items.append(items_item)

        fees = d.pop("fees")

        def _parse_failure(data: object) -> None | RefundFailure:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                failure_type_0 = RefundFailure.from_dict(data)

                return failure_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RefundFailure, data)

        failure = _parse_failure(d.pop("failure"))

        payments = []
        _payments = d.pop("payments")
        for payments_item_data in _payments:
            payments_item = RefundLeg.from_dict(payments_item_data)

            payments.append(payments_item)

        refund = cls(
            refund_id=refund_id,
            status=status,
            currency=currency,
            amount=amount,
            credited_by_shop=credited_by_shop,
            settled_by_hand=settled_by_hand,
            not_invoiced=not_invoiced,
            shipping=shipping,
            items=items,
            fees=fees,
            failure=failure,
            payments=payments,
        )

        refund.additional_properties = d
        return refund

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
