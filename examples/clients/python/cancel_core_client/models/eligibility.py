from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.blocker import Blocker
    from ..models.owed_refund import OwedRefund


T = TypeVar("T", bound="Eligibility")


@_attrs_define
class Eligibility:
    """
    Attributes:
        order_id (str):
        eligible (bool):
        approval_required (bool): Whether a cancel is a request that the shop decides on.
        cancellable_until (datetime.datetime | None): The last second in which the order can be cancelled, if its store
            has a time limit. Null if it has none, or if the order can't be cancelled.
        blockers (list[Blocker]):
        refund (None | OwedRefund): The amount owed. Null if the payments hold nothing and there is nothing to release,
            or if the order cannot be cancelled. For an order that can be cancelled, only null means that nothing was
            charged.
    """

    order_id: str
    eligible: bool
    approval_required: bool
    cancellable_until: datetime.datetime | None
    blockers: list[Blocker]
    refund: None | OwedRefund
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.blocker import Blocker
        from ..models.owed_refund import OwedRefund

        order_id = self.order_id

        eligible = self.eligible

        approval_required = self.approval_required

        cancellable_until: None | str
        if isinstance(self.cancellable_until, datetime.datetime):
            cancellable_until = self.cancellable_until.isoformat()
        else:
            cancellable_until = self.cancellable_until

        blockers = []
        for blockers_item_data in self.blockers:
            blockers_item = blockers_item_data.to_dict()
            blockers.append(blockers_item)

        refund: dict[str, Any] | None
        if isinstance(self.refund, OwedRefund):
            refund = self.refund.to_dict()
        else:
            refund = self.refund

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "order_id": order_id,
                "eligible": eligible,
                "approval_required": approval_required,
                "cancellable_until": cancellable_until,
                "blockers": blockers,
                "refund": refund,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.blocker import Blocker
        from ..models.owed_refund import OwedRefund

        d = dict(src_dict)
        order_id = d.pop("order_id")

        eligible = d.pop("eligible")

        approval_required = d.pop("approval_required")

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

        blockers = []
        _blockers = d.pop("blockers")
        for blockers_item_data in _blockers:
            blockers_item = Blocker.from_dict(blockers_item_data)

            blockers.append(blockers_item)

        def _parse_refund(data: object) -> None | OwedRefund:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                refund_type_0 = OwedRefund.from_dict(data)

                return refund_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OwedRefund, data)

        refund = _parse_refund(d.pop("refund"))

        eligibility = cls(
            order_id=order_id,
            eligible=eligible,
            approval_required=approval_required,
            cancellable_until=cancellable_until,
            blockers=blockers,
            refund=refund,
        )

        eligibility.additional_properties = d
        return eligibility

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
