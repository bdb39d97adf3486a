from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime


T = TypeVar("T", bound="OrderWithdrawal")


@_attrs_define
class OrderWithdrawal:
    """The right of withdrawal. It is for display only: a late statement is accepted too.

    Attributes:
        open_ (bool): Whether a withdrawal is possible now, as far as is known.
        until (datetime.date | None): The last day, which ends at midnight in the store's time zone. Null if it is not
            known yet, or if there is nothing to withdraw from.
        withdrawal_id (None | str): The first statement about this order, if one was matched with it.
    """

    open_: bool
    until: datetime.date | None
    withdrawal_id: None | str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        open_ = self.open_

        until: None | str
        if isinstance(self.until, datetime.date):
            until = self.until.isoformat()
        else:
            until = self.until

        withdrawal_id: None | str
        withdrawal_id = self.withdrawal_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "open": open_,
                "until": until,
                "withdrawal_id": withdrawal_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        open_ = d.pop("open")

        def _parse_until(data: object) -> datetime.date | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                until_type_0 = datetime.date.fromisoformat(data)

                return until_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.date | None, data)

        until = _parse_until(d.pop("until"))

        def _parse_withdrawal_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        withdrawal_id = _parse_withdrawal_id(d.pop("withdrawal_id"))

        order_withdrawal = cls(
            open_=open_,
            until=until,
            withdrawal_id=withdrawal_id,
        )

        order_withdrawal.additional_properties = d
        return order_withdrawal

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
