from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.cancellation import Cancellation
    from ..models.cancellation_request import CancellationRequest
    from ..models.order import Order


T = TypeVar("T", bound="CancelAnswer")


@_attrs_define
class CancelAnswer:
    """The result of a cancel. With 200 the order is cancelled and `cancellation` is present. With 202 the shop was asked
    and `cancellation_request` is present.

        Attributes:
            order (Order):
            cancellation (Cancellation | Unset):
            cancellation_request (CancellationRequest | Unset): A cancel that the shop decides. `decided_at` and `note` are
                null until there is a decision.
    """

    order: Order
    cancellation: Cancellation | Unset = UNSET
    cancellation_request: CancellationRequest | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.cancellation import Cancellation
        from ..models.cancellation_request import CancellationRequest
        from ..models.order import Order

        order = self.order.to_dict()

        cancellation: dict[str, Any] | Unset = UNSET
        if not isinstance(self.cancellation, Unset):
            cancellation = self.cancellation.to_dict()

        cancellation_request: dict[str, Any] | Unset = UNSET
        if not isinstance(self.cancellation_request, Unset):
            cancellation_request = self.cancellation_request.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "order": order,
            }
        )
        if cancellation is not UNSET:
            field_dict["cancellation"] = cancellation
        if cancellation_request is not UNSET:
            field_dict["cancellation_request"] = cancellation_request

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.cancellation import Cancellation
        from ..models.cancellation_request import CancellationRequest
        from ..models.order import Order

        d = dict(src_dict)
        order = Order.from_dict(d.pop("order"))

        _cancellation = d.pop("cancellation", UNSET)
        cancellation: Cancellation | Unset
        if isinstance(_cancellation, Unset):
            cancellation = UNSET
        else:
            cancellation = Cancellation.from_dict(_cancellation)

        _cancellation_request = d.pop("cancellation_request", UNSET)
        cancellation_request: CancellationRequest | Unset
        if isinstance(_cancellation_request, Unset):
            cancellation_request = UNSET
        else:
            cancellation_request = CancellationRequest.from_dict(_cancellation_request)

        cancel_answer = cls(
            order=order,
            cancellation=cancellation,
            cancellation_request=cancellation_request,
        )

        cancel_answer.additional_properties = d
        return cancel_answer

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
