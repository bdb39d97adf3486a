"""Processes items one by one, so that a failing item does not block the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cancel_core.errors import ConcurrentUpdate, PublishFailed, ServiceUnavailable
from cancel_core.telemetry import count, logger


def dealt_with(what: str, keys: Mapping[str, str], deal: Callable[[], object]) -> bool:
    """Processes the item. False if it should be retried; the log says why, with `what` it is ("a request") and its
    `keys`.
    """
    try:
        deal()
    except (ConcurrentUpdate, PublishFailed, ServiceUnavailable) as error:
        # Temporary.
        logger.warning("%s is to be dealt with again", what, extra={**keys, "error": str(error)})
    except Exception:  # noqa: BLE001 - whatever it is, this one alone is to be done again
        logger.exception("%s could not be dealt with", what, extra=keys)
        count("InternalError")
    else:
        return True
    return False
