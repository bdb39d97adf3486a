"""Converts the HTTP API's event (payload format 2.0) to a response. Only this module converts errors to responses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cancel_core.cold_start import init_ends
from cancel_core.entrypoints.http.problems import internal_error, refusal_problem
from cancel_core.entrypoints.http.request import ApiRequest
from cancel_core.entrypoints.http.response import Answer, respond
from cancel_core.errors import Refusal, ServiceUnavailable
from cancel_core.telemetry import count, count_refusal, flush, logger


def api(handle: Callable[[ApiRequest], Answer]) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """Makes a Lambda handler of a function that takes a request and returns a response, or raises.

    The function's init ends with it.
    """

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

    init_ends()
    return handler


def _answer(handle: Callable[[ApiRequest], Answer], request: ApiRequest) -> dict[str, Any]:
    try:
        answer = handle(request)
    except Refusal as refusal:
        if isinstance(refusal, ServiceUnavailable):
            logger.exception("the database throttles or cannot be reached")
        problem = refusal_problem(request, refusal)
        store = {"store_id": refusal.order.store_id} if refusal.order else {}
        logger.info("refused", extra={"code": refusal.code, "status": problem["statusCode"]} | store)
        count_refusal(refusal.code)
        return problem
    except Exception:  # noqa: BLE001 - the client is answered, whatever it is; the log and the alarm tell the operator
        logger.exception("the request failed")
        count("InternalError")
        return internal_error(request)
    logger.append_keys(**answer.log_keys)
    response = respond(request, answer.status, answer.body, answer.headers)
    logger.info("answered", extra={"status": response["statusCode"]})
    return response
