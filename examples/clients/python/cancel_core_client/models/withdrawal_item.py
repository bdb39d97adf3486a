from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..types import UNSET, Unset
from typing import cast


T = TypeVar("T", bound="WithdrawalItem")


@_attrs_define
class WithdrawalItem:
    """
    Attributes:
        item (str): The consumer's name for it: a product name, an article number.
        qty (float | None | Unset): At most 15 digits. If absent, all of it.
    """

    item: str
    qty: float | None | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        item = self.item

        qty: float | None | Unset
        if isinstance(self.qty, Unset):
            qty = UNSET
        else:
            qty = self.qty

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "item": item,
            }
        )
        if qty is not UNSET:
            field_dict["qty"] = qty

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        item = d.pop("item")

        def _parse_qty(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        qty = _parse_qty(d.pop("qty", UNSET))

        withdrawal_item = cls(
            item=item,
            qty=qty,
        )

        return withdrawal_item
