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


T = TypeVar("T", bound="CancellationRequest")


@_attrs_define
class CancellationRequest:
    """A cancel that the shop decides. `decided_at` and `note` are null until there is a decision.

    Attributes:
        request_id (str):
        status (str): `withdrawn`: taken back by the customer. `lapsed`: the order could no longer be cancelled, or was
            cancelled in another way. Values may be added within a version.
        reason (Reason):
        comment (None | str):
        requested_at (datetime.datetime): ISO 8601, UTC.
        decided_at (datetime.datetime | None):
        note (None | str): The shop's message to the customer.
    """

    request_id: str
    status: str
    reason: Reason
    comment: None | str
    requested_at: datetime.datetime
    decided_at: datetime.datetime | None
    note: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.reason import Reason

        request_id = self.request_id

        status = self.status

        reason = self.reason.to_dict()

        comment: None | str
        comment = self.comment

        requested_at = self.requested_at.isoformat()

        decided_at: None | str
        if isinstance(self.decided_at, datetime.datetime):
            decided_at = self.decided_at.isoformat()
        else:
            decided_at = self.decided_at

        note: None | str
        note = self.note

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "request_id": request_id,
                "status": status,
                "reason": reason,
                "comment": comment,
                "requested_at": requested_at,
                "decided_at": decided_at,
                "note": note,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.reason import Reason

        d = dict(src_dict)
        request_id = d.pop("request_id")

        status = d.pop("status")

        reason = Reason.from_dict(d.pop("reason"))

        def _parse_comment(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        comment = _parse_comment(d.pop("comment"))

        requested_at = datetime.datetime.fromisoformat(d.pop("requested_at"))

        def _parse_decided_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                decided_at_type_0 = datetime.datetime.fromisoformat(data)

                return decided_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        decided_at = _parse_decided_at(d.pop("decided_at"))

        def _parse_note(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        note = _parse_note(d.pop("note"))

        cancellation_request = cls(
            request_id=request_id,
            status=status,
            reason=reason,
            comment=comment,
            requested_at=requested_at,
            decided_at=decided_at,
            note=note,
        )

        cancellation_request.additional_properties = d
        return cancellation_request

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
