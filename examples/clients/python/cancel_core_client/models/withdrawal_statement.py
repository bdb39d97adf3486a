from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast

if TYPE_CHECKING:
    from ..models.statement_item import StatementItem


T = TypeVar("T", bound="WithdrawalStatement")


@_attrs_define
class WithdrawalStatement:
    """The statement as it was received and is stored. `name`, `items`, `message`, `store_id` and `language` are absent if
    they were not sent.

        Attributes:
            email (str): Masked (`a•••@example.com`) if it was taken from the order.
            order (str):
            name (str | Unset):
            items (list[StatementItem] | Unset):
            message (str | Unset):
            store_id (str | Unset):
            language (str | Unset):
    """

    email: str
    order: str
    name: str | Unset = UNSET
    items: list[StatementItem] | Unset = UNSET
    message: str | Unset = UNSET
    store_id: str | Unset = UNSET
    language: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.statement_item import StatementItem

        email = self.email

        order = self.order

        name = self.name

        items: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.items, Unset):
            items = []
            for items_item_data in self.items:
                items_item = items_item_data.to_dict()
                items.append(items_item)

        message = self.message

        store_id = self.store_id

        language = self.language

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "email": email,
                "order": order,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name
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
        from ..models.statement_item import StatementItem

        d = dict(src_dict)
        email = d.pop("email")

        order = d.pop("order")

        name = d.pop("name", UNSET)

        _items = d.pop("items", UNSET)
        items: list[StatementItem] | Unset = UNSET
        if _items is not UNSET:
            items = []
            for items_item_data in _items:
                items_item = StatementItem.from_dict(items_item_data)

                items.append(items_item)

        message = d.pop("message", UNSET)

        store_id = d.pop("store_id", UNSET)

        language = d.pop("language", UNSET)

        withdrawal_statement = cls(
            email=email,
            order=order,
            name=name,
            items=items,
            message=message,
            store_id=store_id,
            language=language,
        )

        withdrawal_statement.additional_properties = d
        return withdrawal_statement

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
