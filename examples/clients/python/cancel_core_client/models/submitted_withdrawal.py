from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from typing import cast
import datetime

if TYPE_CHECKING:
    from ..models.acknowledgement import Acknowledgement
    from ..models.withdrawal_statement import WithdrawalStatement


T = TypeVar("T", bound="SubmittedWithdrawal")


@_attrs_define
class SubmittedWithdrawal:
    """
    Attributes:
        withdrawal_id (str):
        received_at (datetime.datetime): The time of receipt: ISO 8601, UTC, milliseconds.
        statement (WithdrawalStatement): The statement as it was received and is stored. `name`, `items`, `message`,
            `store_id` and `language` are absent if they were not sent.
        receipt (str): SHA-256, in lower-case hex, of the canonical JSON (RFC 8785) of an object with `withdrawal_id`,
            `received_at` and `statement`, the statement as it is stored.
        acknowledgement (Acknowledgement): The receipt by e-mail, and its recipient.
    """

    withdrawal_id: str
    received_at: datetime.datetime
    statement: WithdrawalStatement
    receipt: str
    acknowledgement: Acknowledgement
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.acknowledgement import Acknowledgement
        from ..models.withdrawal_statement import WithdrawalStatement

        withdrawal_id = self.withdrawal_id

        received_at = self.received_at.isoformat()

        statement = self.statement.to_dict()

        receipt = self.receipt

        acknowledgement = self.acknowledgement.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "withdrawal_id": withdrawal_id,
                "received_at": received_at,
                "statement": statement,
                "receipt": receipt,
                "acknowledgement": acknowledgement,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.acknowledgement import Acknowledgement
        from ..models.withdrawal_statement import WithdrawalStatement

        d = dict(src_dict)
        withdrawal_id = d.pop("withdrawal_id")

        received_at = datetime.datetime.fromisoformat(d.pop("received_at"))

        statement = WithdrawalStatement.from_dict(d.pop("statement"))

        receipt = d.pop("receipt")

        acknowledgement = Acknowledgement.from_dict(d.pop("acknowledgement"))

        submitted_withdrawal = cls(
            withdrawal_id=withdrawal_id,
            received_at=received_at,
            statement=statement,
            receipt=receipt,
            acknowledgement=acknowledgement,
        )

        submitted_withdrawal.additional_properties = d
        return submitted_withdrawal

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
