from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="GuestTokenRequest")


@_attrs_define
class GuestTokenRequest:
    """
    Attributes:
        order_id (str): The order's number.
        code (str): The six digits of the mail.
    """

    order_id: str
    code: str

    def to_dict(self) -> dict[str, Any]:
        order_id = self.order_id

        code = self.code

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "order_id": order_id,
                "code": code,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        order_id = d.pop("order_id")

        code = d.pop("code")

        guest_token_request = cls(
            order_id=order_id,
            code=code,
        )

        return guest_token_request
