"""The HTTP edge: an HTTP API event (payload format 2.0) in, an answer out. Only here do errors become statuses."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cancel_core.changes import CancelRequest
from cancel_core.errors import InvalidRequest, Refusal, ServiceUnavailable
from cancel_core.order import Fingerprint
from cancel_core.policy import REASON_CODE_LENGTH
from cancel_core.telemetry import count, count_refusal, flush, logger

RETRY_AFTER_SECONDS = 2
MAX_AGE_SECONDS = 20
IN_FORCE_SECONDS = 60
"""A change of the config is in force after so long, caches in functions and in clients together."""
ONE_PACKET = 1400
"""Bytes. What fits a packet of 1,500 beside the headers of IP, TCP and TLS: made smaller, it would still be one."""
GZIP_LEVEL = 6
"""A list of 100 orders, 16.3 KB, becomes 2.3 KB in 0.07 ms; an order of 400 items, 83.9 KB, 10.1 KB in 0.8 ms. Level 1
makes 12.4 KB of that in 0.2 ms, two packets more; level 9 takes 2.6 ms to save a fifth of a packet."""

_KEY = re.compile(r"[\x20-\x7e]{1,255}", re.ASCII)
_LIMIT = re.compile(r"[0-9]{1,3}", re.ASCII)
_CODING = re.compile(r"([!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(?:;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?")
"""One element of Accept-Encoding in lower case: a name, and perhaps its weight."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A 200 with this document, and headers beside or in place of the usual ones. A GET's gets an ETag."""

    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request as the gateway hands it over, its token already checked."""

    event: Mapping[str, Any]

    @property
    def request_id(self) -> str:
        return str(self.event["requestContext"]["requestId"])

    @property
    def method(self) -> str:
        return str(self.event["requestContext"]["http"]["method"])

    @property
    def path(self) -> str:
        return str(self.event["rawPath"])

    @property
    def order_id(self) -> str:
        return str(self.event["pathParameters"]["order_id"])

    def customer_id(self, claim: str) -> str | None:
        """The customer that the token speaks for; None, who has no orders, when it has no such claim."""
        claims = self.event["requestContext"]["authorizer"]["jwt"]["claims"]
        customer = claims.get(claim)
        if not customer:
            logger.warning("the token has no customer claim", extra={"claim": claim})
            return None
        return str(customer)

    def header(self, name: str) -> str | None:
        """Names are lower case in the event."""
        value: str | None = self.event.get("headers", {}).get(name)
        return value

    def accepts_gzip(self) -> bool:
        """Named or meant by `*`, and not liked less than a plain body (RFC 9110, 12.5.3). What can't be read counts for
        nothing, and who sends no Accept-Encoding gets a plain body."""
        weights: dict[str, float] = {}
        for element in (self.header("accept-encoding") or "").lower().split(","):
            if coding := _CODING.fullmatch(element.strip(" \t")):
                weights[coding[1]] = float(coding[2] or 1)
        others = weights.get("*", 0)
        gzip = weights.get("gzip", others)
        return gzip > 0 and gzip >= weights.get("identity", others)

    def known_etags(self) -> set[str]:
        """What If-None-Match names, `W/` taken off: it compares weakly (RFC 9110, 13.1.2). Ours hold no comma."""
        return {tag.strip().removeprefix("W/") for tag in (self.header("if-none-match") or "").split(",")}

    def query(self, name: str) -> str | None:
        value: str | None = (self.event.get("queryStringParameters") or {}).get(name)
        return value

    def limit(self) -> int:
        text = self.query("limit")
        if text is None:
            return 20
        if not _LIMIT.fullmatch(text) or not 1 <= int(text) <= 100:
            raise InvalidRequest(
                "The limit is not valid.", errors=[("#/limit", "must be a whole number from 1 to 100")]
            )
        return int(text)

    def cancel_request(self, claim: str) -> CancelRequest:
        """Raises `InvalidRequest`: 400 for no JSON, 415 for another media type, 422 for a wrong shape."""
        customer_id = self.customer_id(claim)
        body = self._json()
        errors: list[tuple[str, str]] = []
        key = self.header("idempotency-key")
        if key is not None and not _KEY.fullmatch(key):
            errors.append(("#/Idempotency-Key", "must be 1 to 255 printable ASCII characters"))
        try:
            cancel = CancelBody.model_validate(body)
        except ValidationError as error:
            errors = [(_pointer(fault["loc"]), fault["msg"]) for fault in error.errors(include_input=False)] + errors
            _refuse(errors)
        if errors:
            _refuse(errors)
        return CancelRequest(
            order_id=self.order_id,
            customer_id=customer_id,
            reason=cancel.reason,
            comment=cancel.comment,
            request_id=self.request_id,
            fingerprint=_fingerprint(customer_id, key, cancel) if key is not None else None,
        )

    def _json(self) -> object:
        body = self.event.get("body")
        if not body:
            raise InvalidRequest("The request has no body.", status=400)
        media_type = (self.header("content-type") or "").split(";")[0].strip().lower()
        if media_type != "application/json":
            raise InvalidRequest("The body must be application/json.", status=415)
        try:
            text = base64.b64decode(body).decode() if self.event.get("isBase64Encoded") else body
            return json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest("The body is not valid JSON.", status=400) from error


class CancelBody(BaseModel):
    """The body of a cancel. Source: the OpenAPI document's `CancelRequest`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    reason: Annotated[str, Field(min_length=1, max_length=REASON_CODE_LENGTH)]
    comment: Annotated[str, Field(max_length=500)] | None = None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse(errors: list[tuple[str, str]]) -> NoReturn:
    raise InvalidRequest("The request does not have the right shape.", errors=errors)


def _pointer(location: tuple[int | str, ...]) -> str:
    """A JSON pointer (RFC 6901) as a fragment."""
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)


def _fingerprint(customer_id: str | None, key: str, body: CancelBody) -> Fingerprint:
    """Hashes, since a key is the client's and a comment is personal. A comment that is null equals none."""
    parsed = json.dumps([body.reason, body.comment])
    return Fingerprint(key=_digest(f"{customer_id}\0{key}"), body=_digest(parsed))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- answers --------------------------------------------------------------------------------------------------------


def public(cache_seconds: float) -> dict[str, str]:
    """The header of what anyone may keep for a while; its function may have kept it for `cache_seconds` before."""
    max_age = max(0, min(MAX_AGE_SECONDS, int(IN_FORCE_SECONDS - cache_seconds)))
    return {"cache-control": f"public, max-age={max_age}"}


def _response(request: ApiRequest, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    """The document, compressed where that saves packets and the client takes it; 304 for who has it already."""
    content = _dump(body)
    is_large = len(content) > ONE_PACKET
    is_zipped = is_large and request.accepts_gzip()
    usual = {"content-type": "application/json", "cache-control": "no-store", "x-request-id": request.request_id}
    if is_large:
        usual["vary"] = "accept-encoding"
    if status == 200 and request.method == "GET":
        digest = hashlib.sha256(content).hexdigest()[:32]
        # A strong ETag is of one representation, and gzip makes another one. Who has either has the document.
        etags = [f'"{digest}"', f'"{digest}-gzip"']
        if is_zipped:
            etags.reverse()
        # A browser may keep it on the device, and asks each time; whoever stands between may not.
        usual |= {"cache-control": "private, no-cache", "etag": etags[0]}
        known = request.known_etags()
        for etag in etags:
            if known & {etag, "*"}:
                # The type as well: without one the gateway adds text/plain, and a cache might believe it.
                return {"statusCode": 304, "headers": {**usual, **headers, "etag": etag}, "body": ""}
    if is_zipped:
        zipped = zlib.compress(content, GZIP_LEVEL, wbits=31)  # 31: in the form of gzip, its time 0
        return {
            "statusCode": status,
            "headers": {**usual, "content-encoding": "gzip", **headers},
            "body": base64.b64encode(zipped).decode(),
            "isBase64Encoded": True,
        }
    return {"statusCode": status, "headers": {**usual, **headers}, "body": content.decode()}


def _problem(
    request: ApiRequest,
    status: int,
    code: str,
    title: str,
    detail: str,
    extra: Mapping[str, Any],
    headers: Mapping[str, str],
) -> dict[str, Any]:
    """RFC 9457 problem details."""
    body = {
        "type": f"urn:cancel-core:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": request.request_id,
        **extra,
    }
    return _response(request, status, body, {"content-type": "application/problem+json", **headers})


def _dump(body: Mapping[str, Any]) -> bytes:
    # A client's path or field name may hold what is no character; it is shown as "?".
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def api(handle: Callable[[ApiRequest], Answer]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a function that takes a request and answers, or raises."""

    @functools.wraps(handle)
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        request = ApiRequest(event)
        logger.append_keys(
            request_id=request.request_id, route=event.get("routeKey"), function_request_id=context.aws_request_id
        )
        if order_id := (event.get("pathParameters") or {}).get("order_id"):
            logger.append_keys(order_id=order_id)
        try:
            return _answer(handle, request)
        finally:
            flush()
            logger.clear_state()

    return handler


def _answer(handle: Callable[[ApiRequest], Answer], request: ApiRequest) -> dict[str, Any]:
    try:
        answer = handle(request)
    except Refusal as refusal:
        extra = refusal.extra if refusal.order is None else {**refusal.extra, "order": refusal.order}
        headers = {}
        if isinstance(refusal, ServiceUnavailable):
            headers["retry-after"] = str(RETRY_AFTER_SECONDS)
            logger.exception("the database throttles or can't be reached")
        logger.info("refused", extra={"code": refusal.code, "status": refusal.status})
        count_refusal(refusal.code)
        return _problem(request, refusal.status, refusal.code, refusal.title, refusal.detail, extra, headers)
    except Exception:  # noqa: BLE001 - the client is answered, whatever it is; the log and the alarm tell the operator
        logger.exception("the request failed")
        count("InternalError")
        detail = "Something went wrong here. Quote the request id when you ask about it."
        return _problem(request, 500, "INTERNAL_ERROR", "Internal error", detail, {}, {})
    response = _response(request, 200, answer.body, answer.headers)
    logger.info("answered", extra={"status": response["statusCode"]})
    return response
