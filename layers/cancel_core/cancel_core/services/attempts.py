"""Processes items one by one, so that a failing item does not block the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cancel_core.errors import ConcurrentUpdate, PublishFailed, ServiceUnavailable
from cancel_core.telemetry import count, logger


def dealt_with(what: str, keys: Mapping[str, str], deal: Callable[[], object]) -> bool:
    """Deals with it. False where that is to be done again; the log says why, of `what` ("a request") by its `keys`."""
    try:
        deal()
    except (ConcurrentUpdate, PublishFailed, ServiceUnavailable) as error:
        # It passes by itself.
        logger.warning("%s is to be dealt with again", what, extra={**keys, "error": str(error)})
    except Exception:  # noqa: BLE001 - whatever it is, this one alone is to be done again
        logger.exception("%s could not be dealt with", what, extra=keys)
        count("InternalError")
    else:
        return True
    return False
