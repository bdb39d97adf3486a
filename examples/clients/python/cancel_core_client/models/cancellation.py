from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.reason import Reason
    from ..models.refund import Refund


T = TypeVar("T", bound="Cancellation")


@_attrs_define
class Cancellation:
    """
    Attributes:
        cancellation_id (str):
        order_id (str):
        reason (Reason):
        comment (None | str):
        requested_at (datetime.datetime): ISO 8601, UTC.
        refund (None | Refund): Null if there is nothing to refund or release. This does not mean that nothing was
            charged: the shop may have to handle an amount that was paid and not invoiced.
    """

    cancellation_id: str
    order_id: str
    reason: Reason
    comment: None | str
    requested_at: datetime.datetime
    refund: None | Refund
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.reason import Reason
        from ..models.refund import Refund

        cancellation_id = self.cancellation_id

        order_id = self.order_id

        reason = self.reason.to_dict()

        comment: None | str
        comment = self.comment

        requested_at = self.requested_at.isoformat()

        refund: dict[str, Any] | None
        if isinstance(self.refund, Refund):
            refund = self.refund.to_dict()
        else:
            refund = self.refund

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cancellation_id": cancellation_id,
                "order_id": order_id,
                "reason": reason,
                "comment": comment,
                "requested_at": requested_at,
                "refund": refund,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reason import Reason
        from ..models.refund import Refund

        d = dict(src_dict)
        cancellation_id = d.pop("cancellation_id")

        order_id = d.pop("order_id")

        reason = Reason.from_dict(d.pop("reason"))

        def _parse_comment(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        comment = _parse_comment(d.pop("comment"))

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

        def _parse_refund(data: object) -> None | Refund:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                refund_type_0 = Refund.from_dict(data)

                return refund_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Refund, data)

        refund = _parse_refund(d.pop("refund"))

        cancellation = cls(
            cancellation_id=cancellation_id,
            order_id=order_id,
            reason=reason,
            comment=comment,
            requested_at=requested_at,
            refund=refund,
        )

        cancellation.additional_properties = d
        return cancellation

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
