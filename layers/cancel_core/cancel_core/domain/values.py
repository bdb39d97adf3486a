"""The types of amounts and quantities, and the validation of stored documents."""

from collections.abc import Mapping
from decimal import Context, Decimal
from functools import reduce
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from cancel_core.errors import OrderUnreadable


def _whole(value: object) -> int:
    """A database number (Decimal) as an int; amounts are whole minor units, so anything else is an error."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    if value != (whole := int(value)):
        raise ValueError("must be a whole number of minor units")
    return whole


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a number")
    return Decimal(value)


_EXACT = Context(prec=200)
"""DynamoDB stores 38 digits; Python's default context would round to 28."""


def plus(*quantities: Decimal) -> Decimal:
    """The exact sum."""
    return reduce(_EXACT.add, quantities, Decimal(0))


def minus(quantity: Decimal, *others: Decimal) -> Decimal:
    """What is left of a quantity, exactly, and never below 0."""
    return max(Decimal(0), reduce(_EXACT.subtract, others, quantity))


Amount = Annotated[int, BeforeValidator(_whole)]
"""Minor units (öre, cents, yen) of the order's currency."""
Quantity = Annotated[Decimal, BeforeValidator(_number)]
"""Pieces, or a measure: 1.5 kg."""
M = TypeVar("M", bound=BaseModel)


class Document(BaseModel):
    """A document of a table, as far as the product reads it."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class OwnDocument(Document):
    """A document that only the product writes: fields that a newer version has added are kept."""

    model_config = ConfigDict(extra="allow")


def read_model(model: type[M], document: Mapping[str, Any], order_id: str) -> M:
    """Parses a document of plain values. Raises `OrderUnreadable`, which names the order and each error."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # The paths and the errors there, never the values: they may be personal data.
        faults = [f"{'.'.join(map(str, e['loc'])) or 'order'}: {e['msg']}" for e in error.errors(include_input=False)]
        raise OrderUnreadable(order_id, faults) from error


def number(value: Decimal) -> int | float:
    """A quantity as a JSON number."""
    # JSON has only one kind of number. Only quantities may have a fraction; amounts are never passed here.
    whole = int(value)
    return whole if whole == value else float(value)  # a quantity, never an amount
