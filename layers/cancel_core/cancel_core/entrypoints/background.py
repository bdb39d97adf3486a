"""Functions without a waiting client: logging of errors, and the report of failed records."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from cancel_core.cold_start import init_ends
from cancel_core.telemetry import count, flush, logger

Handler = Callable[[dict[str, Any], Any], Any]


def background(handler: Handler) -> Handler:
    """For functions without a waiting client: an uncaught error is logged and counted, and fails the invocation.

    The function's init ends with it.
    """

    @functools.wraps(handler)
    def observed(event: dict[str, Any], context: Any) -> Any:
        logger.append_keys(request_id=context.aws_request_id)
        try:
            return handler(event, context)
        except Exception:
            logger.exception("the function failed")
            count("InternalError")
            raise
        finally:
            flush()
            logger.clear_state()

    init_ends()
    return observed


def batch_failures(ids: Iterable[str]) -> dict[str, Any]:
    """The response that Lambda expects for a batch: it retries these messages or stream records."""
    return {"batchItemFailures": [{"itemIdentifier": number} for number in ids]}
