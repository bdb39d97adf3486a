"""Parses and validates a request from the gateway."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cancel_core.domain.caller import Caller, Customer, Guest
from cancel_core.domain.cancellation import Fingerprint
from cancel_core.domain.mail_settings import LANGUAGE
from cancel_core.domain.policy import DEFAULT_STORE
from cancel_core.domain.rule_settings import REASON_CODE_LENGTH
from cancel_core.errors import InvalidAccessToken, Refusal
from cancel_core.telemetry import logger

if TYPE_CHECKING:
    from cancel_core.domain.cancel import CancelRequest
    from cancel_core.domain.withdrawal import WithdrawalRequest

MAX_BODY_BYTES = 16_384
"""The longest body. A meaningful one, even with a comment of 500 escaped characters, has less than half of it."""
MAX_PATH = 512
ESCAPE_BYTES = 4
"""How many of an escape's six bytes do not count in a statement of withdrawal: its message alone may have 2,000
characters, and many programs write each non-ASCII character as one or two escapes.
"""
MAX_ERRORS = 10
MAX_POINTER = 200
# How the gateway formats a claim that is not a string: an array as "[a b]", an object as "map[a:b]" or JSON.
_NO_TEXT = re.compile(r"\[.*\]|map\[.*\]|\{.*\}|true|false|null|<nil>", re.DOTALL)
_KEY = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)
_BAD_KEY = ("#/Idempotency-Key", "must be 1 to 255 printable ASCII characters")
# RFC 6750, 2.1: the characters of a token. Ours have 43 characters.
_BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/=-]{1,200})", re.ASCII | re.IGNORECASE)
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)
_WEIGHED = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
"""One element of Accept-Encoding or Accept-Language in lower case: a name, and optionally its weight."""

M = TypeVar("M", bound=BaseModel)


class InvalidRequest(Refusal):
    """`status` is 400 for invalid JSON, 413 for a body that is too large, 415 for another media type, 422 for a wrong
    shape.

    `errors` are pairs of a pointer (a path in the body, or `#/` and a parameter's name) and the error there: the first
    `MAX_ERRORS`, with pointers cut at `MAX_POINTER` characters, because the client controls their number and length.
    """

    code = "INVALID_REQUEST"

    def __init__(self, detail: str, *, status: int = 422, errors: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.errors = tuple((pointer[:MAX_POINTER], message) for pointer, message in errors[:MAX_ERRORS])


class ApiRequest(NamedTuple):
    """A request from the gateway, which has already checked its token."""

    event: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        return str(self.event["requestContext"]["requestId"])

    @property
    def received(self) -> datetime:
        """When the gateway received it, in milliseconds."""
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.event["requestContext"]["timeEpoch"])

    @property
    def method(self) -> str:
        return str(self.event["requestContext"]["http"]["method"])

    @property
    def path(self) -> str:
        """Cut to the longest path that a route can have, because responses contain it."""
        return str(self.event["rawPath"])[:MAX_PATH]

    def caller(self, claim: str, find_guest: Callable[[str], Guest | None]) -> Caller:
        """The caller. The route determines whether it is a customer, by a claim of the JWT, or a guest, by an access
        token.

        `find_guest` finds the guest of a token. Raises `InvalidAccessToken`.
        """
        if not self.is_guests:
            return self.customer(claim)
        credentials = _BEARER.fullmatch(self.header("authorization") or "")
        guest = find_guest(credentials[1]) if credentials else None
        if guest is None:
            raise InvalidAccessToken("The access token is missing, is none, or has expired.")
        logger.append_keys(order_id=guest.order_id)
        return guest

    @property
    def is_guests(self) -> bool:
        """Whether the route is one without the gateway's authorizer."""
        return str(self.event.get("routeKey", "")).partition(" ")[2].startswith("/guest/")

    def body(self, model: type[M]) -> M:
        """The body, parsed as this model. Raises `InvalidRequest`."""
        try:
            return model.model_validate(self._json())
        except ValidationError as error:
            _refuse(_faults(error))

    def order_id_of(self, caller: Caller) -> str:
        """The order of the request. A guest's token is valid for one order, which the path does not name."""
        return caller.order_id if isinstance(caller, Guest) else str(self.event["pathParameters"]["order_id"])

    def customer(self, claim: str) -> Customer:
        """The customer of the JWT."""
        return Customer(self.customer_id(claim))

    def customer_id(self, claim: str) -> str | None:
        """The customer of the token; None, who has no orders, if the claim is missing or not a string.

        The gateway converts every claim to text: one that may have been an array, a boolean or null identifies no
        customer.
        """
        claims = self.event["requestContext"]["authorizer"]["jwt"]["claims"]
        customer = claims.get(claim)
        if not isinstance(customer, str) or not customer or _NO_TEXT.fullmatch(customer):
            logger.warning("the token has no customer claim that is a string", extra={"claim": claim})
            return None
        return customer

    def header(self, name: str) -> str | None:
        """Header names are lower case in the event."""
        value: str | None = self.event.get("headers", {}).get(name)
        return value

    def accepts_gzip(self) -> bool:
        """Whether gzip is accepted, by name or by `*`, with at least the weight of identity (RFC 9110, 12.5.3). Invalid
        elements are ignored. Without Accept-Encoding the body is not compressed.
        """
        weights = self._weights("accept-encoding")
        others = weights.get("*", 0)
        gzip = weights.get("gzip", others)
        return gzip > 0 and gzip >= weights.get("identity", others)

    def languages(self) -> tuple[str, ...]:
        """The client's languages, most preferred first: BCP 47 tags, and `*` for any (RFC 9110, 12.5.4). Invalid
        elements are ignored.
        """
        weights = self._weights("accept-language")
        known = [tag for tag, weight in weights.items() if weight and (tag == "*" or re.fullmatch(LANGUAGE, tag))]
        return tuple(sorted(known, key=weights.__getitem__, reverse=True))

    def asked_languages(self) -> tuple[str, ...]:
        """The query's `language`, or `languages` without one. Raises `InvalidRequest`."""
        language = self.query("language")
        if not language:
            return self.languages()
        if not re.fullmatch(LANGUAGE, language):
            raise InvalidRequest(
                "The language is not valid.", errors=[("#/language", "must be a BCP 47 tag, as sv or de-AT")]
            )
        return (language,)

    def _weights(self, header: str) -> dict[str, float]:
        """The valid elements of a header, in lower case, with weights from 0 to 1 (RFC 9110, 12.4.2)."""
        weights: dict[str, float] = {}
        for element in (self.header(header) or "").lower().split(","):
            if weighed := _WEIGHED.fullmatch(element.strip(" \t")):
                weights[weighed[1]] = float(weighed[2] or 1)
        return weights

    def known_etags(self) -> set[str]:
        """The ETags in If-None-Match, without `W/` (weak comparison: RFC 9110, 13.1.2). Ours contain no comma."""
        return {tag.strip().removeprefix("W/") for tag in (self.header("if-none-match") or "").split(",")}

    def query(self, name: str) -> str | None:
        value: str | None = (self.event.get("queryStringParameters") or {}).get(name)
        return value

    def store_id(self) -> str:
        return self.query("store_id") or DEFAULT_STORE

    def limit(self) -> int:
        text = self.query("limit")
        if text is None:
            return 20
        if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= 100:
            raise InvalidRequest(
                "The limit is not valid.", errors=[("#/limit", "must be a whole number from 1 to 100")]
            )
        return int(text)

    def cancel_request(self, caller: Caller) -> CancelRequest:
        """Raises `InvalidRequest`."""
        # Only the cancel creates one, and it imports the rules.
        from cancel_core.domain.cancel import CancelRequest

        cancel, key = self._with_key(CancelBody)
        return CancelRequest(
            order_id=self.order_id_of(caller),
            caller=caller,
            reason=cancel.reason,
            comment=cancel.comment,
            request_id=self.request_id,
            fingerprint=_fingerprint(caller.owner, key, cancel) if key is not None else None,
            earlier_body=_digest(_parsed(cancel)) if key is not None else None,
            languages=self.languages(),
        )

    def withdrawal_request(self, model: type[M]) -> WithdrawalRequest:
        """A statement of withdrawal, with the body parsed as this model. Raises `InvalidRequest`."""
        # The other routes do not need it.
        from cancel_core.domain.withdrawal import WithdrawalRequest

        given, key = self._with_key(model, is_statement=True)
        return WithdrawalRequest(given.model_dump(exclude_none=True), self.received, self.request_id, key)

    def _with_key(self, model: type[M], *, is_statement: bool = False) -> tuple[M, str | None]:
        """The body, parsed as this model, and the Idempotency-Key if there is one.

        Raises `InvalidRequest` with all errors of both.
        """
        body = self._json(is_statement=is_statement)
        key = self.header("idempotency-key")
        errors = [_BAD_KEY] if key is not None and not _KEY.fullmatch(key) else []
        try:
            read = model.model_validate(body)
        except ValidationError as error:
            _refuse(_faults(error) + errors)
        if errors:
            _refuse(errors)
        return read, key

    def _json(self, *, is_statement: bool = False) -> object:
        body = self.event.get("body")
        if not body:
            raise InvalidRequest("The request has no body.", status=400)
        is_base64 = bool(self.event.get("isBase64Encoded"))
        size = _bytes(body, is_base64=is_base64)
        if is_statement and MAX_BODY_BYTES < size <= 3 * MAX_BODY_BYTES:
            size -= ESCAPE_BYTES * _escapes(body, is_base64=is_base64)
        if size > MAX_BODY_BYTES:
            raise InvalidRequest(f"The body has more than {MAX_BODY_BYTES} bytes.", status=413)
        media_type = (self.header("content-type") or "").split(";")[0].strip().lower()
        if media_type != "application/json":
            raise InvalidRequest("The body must be application/json.", status=415)
        try:
            text = base64.b64decode(body).decode() if is_base64 else body
            return json.loads(text, parse_constant=_no_constant, parse_float=_exact if is_statement else None)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest("The body is not valid JSON.", status=400) from error


class CancelBody(BaseModel):
    """The body of a cancel. Source: the OpenAPI document's `CancelRequest`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=REASON_CODE_LENGTH)]
    comment: Annotated[str, Field(max_length=500)] | None = None


def _bytes(body: str, *, is_base64: bool) -> int:
    """The length of the body in bytes, without decoding it."""
    if is_base64:
        return len(body) // 4 * 3 - body.count("=", -2)
    return len(body) if len(body) > MAX_BODY_BYTES else len(body.encode("utf-8", "replace"))


def _escapes(body: str, *, is_base64: bool) -> int:
    """The number of characters of the body that are written as \\uXXXX."""
    if not is_base64:
        return body.count("\\u")
    try:
        return base64.b64decode(body).count(b"\\u")
    except ValueError:
        return 0


def _exact(text: str) -> Decimal | float:
    """A number with all its digits; infinity if its exponent is out of range."""
    try:
        return Decimal(text)
    except ArithmeticError:
        return float("inf")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(errors: list[tuple[str, str]]) -> NoReturn:
    raise InvalidRequest("The request does not have the right shape.", errors=errors)


def _faults(error: ValidationError) -> list[tuple[str, str]]:
    return [(_pointer(fault["loc"]), fault["msg"]) for fault in error.errors(include_input=False)]


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) as a fragment."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _fingerprint(owner: str, key: str, body: CancelBody) -> Fingerprint:
    """Stores hashes, because a key is the client's and a comment is personal data.

    The body's hash is keyed with the client's key, which is not stored: with a plain hash anyone could verify a guess
    of the comment, even after the comment has been erased.
    """
    digest = hmac.new(f"{owner}\0{key}".encode(), _parsed(body).encode(), "sha256").hexdigest()
    return Fingerprint(key=_digest(f"{owner}\0{key}"), body=digest)


def _parsed(body: CancelBody) -> str:
    """The form in which bodies are compared. A comment that is null equals an absent one."""
    return json.dumps([body.reason, body.comment])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
