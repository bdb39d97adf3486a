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


T = TypeVar("T", bound="WithdrawalRequest")


@_attrs_define
class WithdrawalRequest:
    """Texts must have visible characters. Control characters other than line breaks and tabs, and unpaired surrogates, are
    refused.

        Attributes:
            name (str):
            email (str):
            order (str): The consumer's name for the contract: an order number, a date.
            items (list[WithdrawalItem] | None | Unset): The items that are withdrawn from. If absent, all items.
            message (None | str | Unset):
            store_id (None | str | Unset): Absent: the store `default`.
            language (None | str | Unset): The language of the receipt (BCP 47).
    """

    name: str
    email: str
    order: str
    items: list[WithdrawalItem] | None | Unset = UNSET
    message: None | str | Unset = UNSET
    store_id: None | str | Unset = UNSET
    language: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.withdrawal_item import WithdrawalItem

        name = self.name

        email = self.email

        order = self.order

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

        store_id: None | str | Unset
        if isinstance(self.store_id, Unset):
            store_id = UNSET
        else:
            store_id = self.store_id

        language: None | str | Unset
        if isinstance(self.language, Unset):
            language = UNSET
        else:
            language = self.language

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "email": email,
                "order": order,
            }
        )
        if items is not UNSET:
            field_dict["items"] = items
        if message is not UNSET:
            field_dict["message"] = message
        if store_id is not UNSET:
            field_dict["store_id"] = store_id
        if language is not UNSET:
            field_dict["language"] = language

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.withdrawal_item import WithdrawalItem

        d = dict(src_dict)
        name = d.pop("name")

        email = d.pop("email")

        order = d.pop("order")

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

        def _parse_store_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        store_id = _parse_store_id(d.pop("store_id", UNSET))

        def _parse_language(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        language = _parse_language(d.pop("language", UNSET))

        withdrawal_request = cls(
            name=name,
            email=email,
            order=order,
            items=items,
            message=message,
            store_id=store_id,
            language=language,
        )

        return withdrawal_request
