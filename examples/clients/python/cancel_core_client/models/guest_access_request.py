from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset


T = TypeVar("T", bound="GuestAccessRequest")


@_attrs_define
class GuestAccessRequest:
    """
    Attributes:
        order_id (str): The order's number.
        email (str): The address that the order was placed with. Surrounding blanks are removed, and upper and lower
            case are equal. One `@` with text on both sides, no blanks, commas, brackets or control characters, at most 254
            characters.
    """

    order_id: str
    email: str

    def to_dict(self) -> dict[str, Any]:
        order_id = self.order_id

        email = self.email

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "order_id": order_id,
                "email": email,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        order_id = d.pop("order_id")

        email = d.pop("email")

        guest_access_request = cls(
            order_id=order_id,
            email=email,
        )

        return guest_access_request
