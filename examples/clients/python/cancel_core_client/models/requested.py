from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast

if TYPE_CHECKING:
    from ..models.cancellation_request import CancellationRequest
    from ..models.order import Order


T = TypeVar("T", bound="Requested")


@_attrs_define
class Requested:
    """The current state of the request, and its order.

    Attributes:
        order (Order):
        cancellation_request (CancellationRequest): A cancel that the shop decides. `decided_at` and `note` are null
            until there is a decision.
    """

    order: Order
    cancellation_request: CancellationRequest
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.cancellation_request import CancellationRequest
        from ..models.order import Order

        order = self.order.to_dict()

        cancellation_request = self.cancellation_request.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "order": order,
                "cancellation_request": cancellation_request,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.cancellation_request import CancellationRequest
        from ..models.order import Order

        d = dict(src_dict)
        order = Order.from_dict(d.pop("order"))

        cancellation_request = CancellationRequest.from_dict(d.pop("cancellation_request"))

        requested = cls(
            order=order,
            cancellation_request=cancellation_request,
        )

        requested.additional_properties = d
        return requested

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
