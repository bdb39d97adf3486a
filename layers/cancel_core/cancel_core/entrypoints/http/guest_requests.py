"""The request bodies of the two guest access routes."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from cancel_core.domain.addresses import is_address


def _address(text: str) -> str:
    # Phone keyboards add a space after a completed word. No other character is trimmed around an address.
    if not is_address(trimmed := text.strip(" ")):
        raise PydanticCustomError("email", "must be an e-mail address")
    return trimmed


OrderId = Annotated[str, Field(min_length=1, max_length=255)]


class AccessBody(BaseModel):
    """Source: the OpenAPI document's `GuestAccessRequest`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    order_id: OrderId
    email: Annotated[str, AfterValidator(_address)]


class TokenBody(BaseModel):
    """Source: the OpenAPI document's `GuestTokenRequest`. A code that is not six digits is treated as a wrong code."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    order_id: OrderId
    code: str
