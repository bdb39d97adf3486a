from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.withdrawal_item import WithdrawalItem


T = TypeVar("T", bound="OrderWithdrawalRequest")


@_attrs_define
class OrderWithdrawalRequest:
    """
    Attributes:
        name (None | str | Unset):
        email (None | str | Unset):
        items (list[WithdrawalItem] | None | Unset): The items that are withdrawn from. If absent, all items.
        message (None | str | Unset):
    """

    name: None | str | Unset = UNSET
    email: None | str | Unset = UNSET
    items: list[WithdrawalItem] | None | Unset = UNSET
    message: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.withdrawal_item import WithdrawalItem

        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        email: None | str | Unset
        if isinstance(self.email, Unset):
            email = UNSET
        else:
            email = self.email

        items: list[dict[str, Any]] | None | Unset
        if isinstance(self.items, Unset):
            items = UNSET
        elif isinstance(self.items, list):
            items = []
            for componentsschemas_withdrawal_items_type_0_item_data in self.items:
                componentsschemas_withdrawal_items_type_0_item = (
                    componentsschemas_withdrawal_items_type_0_item_data.to_dict()
                )
                items.append(componentsschemas_withdrawal_items_type_0_item)

        else:
            items = self.items

        message: None | str | Unset
        if isinstance(self.message, Unset):
            message = UNSET
        else:
            message = self.message

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if email is not UNSET:
            field_dict["email"] = email
        if items is not UNSET:
            field_dict["items"] = items
        if message is not UNSET:
            field_dict["message"] = message

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.withdrawal_item import WithdrawalItem

        d = dict(src_dict)

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        def _parse_email(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        email = _parse_email(d.pop("email", UNSET))

        def _parse_items(data: object) -> list[WithdrawalItem] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                componentsschemas_withdrawal_items_type_0 = []
                _componentsschemas_withdrawal_items_type_0 = data
                for componentsschemas_withdrawal_items_type_0_item_data in _componentsschemas_withdrawal_items_type_0:
                    componentsschemas_withdrawal_items_type_0_item = WithdrawalItem.from_dict(
                        componentsschemas_withdrawal_items_type_0_item_data
                    )

                    componentsschemas_withdrawal_items_type_0.append(componentsschemas_withdrawal_items_type_0_item)

                return componentsschemas_withdrawal_items_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[WithdrawalItem] | None | Unset, data)

        items = _parse_items(d.pop("items", UNSET))

        def _parse_message(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        message = _parse_message(d.pop("message", UNSET))

        order_withdrawal_request = cls(
            name=name,
            email=email,
            items=items,
            message=message,
        )

        return order_withdrawal_request
