from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.refund_failure_code import RefundFailureCode


T = TypeVar("T", bound="RefundFailure")


@_attrs_define
class RefundFailure:
    """`INSUFFICIENT_CAPTURED_AMOUNT`: the payments hold less than is owed, and nothing was refunded. `PROVIDER_DECLINED`:
    a payment provider declined. `INVALID_ORDER`: the order does not allow the refund. The shop is notified in each
    case.

        Attributes:
            code (RefundFailureCode):
    """

    code: RefundFailureCode
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        code = RefundFailureCode(d.pop("code"))

        refund_failure = cls(
            code=code,
        )

        refund_failure.additional_properties = d
        return refund_failure

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
